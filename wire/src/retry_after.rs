//! When to come back: `Retry-After`, read and written.

use std::time::{Duration, SystemTime};

/// The standard's header: seconds, or a date.
const RETRY_AFTER: &str = "retry-after";

/// OpenAI's own header, more precise than the standard's.
const RETRY_AFTER_MS: &str = "retry-after-ms";

/// Longest that a vendor is taken at its word.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// When to come back, as an answer says: in `retry-after-ms`, or in `Retry-After` as seconds or as a
/// date (RFC 9110, section 10.2.3). `header` gives the value of the header of a name, if there is one.
/// `None` where it says nothing that can be read.
pub fn from_headers<'a>(header: impl Fn(&str) -> Option<&'a str>) -> Option<Duration> {
    let text = |name: &str| header(name).map(str::trim);
    let millis = text(RETRY_AFTER_MS).and_then(|text| text.parse::<f64>().ok()).map(|millis| millis / 1000.0);
    let standard = text(RETRY_AFTER);
    let seconds = millis.or_else(|| standard?.parse::<f64>().ok()).filter(|seconds| *seconds >= 0.0);
    let told = seconds.map(|seconds| Duration::try_from_secs_f64(seconds).unwrap_or(LONGEST));
    let date = || httpdate::parse_http_date(standard?).ok();
    // A date that has passed means now.
    let told = told.or_else(|| Some(date()?.duration_since(SystemTime::now()).unwrap_or_default()));
    told.map(|told| told.min(LONGEST))
}

/// `duration` as a `Retry-After`, which counts in whole seconds; "0" would be an invitation to come back
/// at once.
#[must_use]
pub fn whole_seconds(duration: Duration) -> String {
    (duration.as_secs_f64().ceil().max(1.0) as u64).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(headers: &[(&str, &str)]) -> Option<Duration> {
        from_headers(|asked| headers.iter().find(|(name, _)| *name == asked).map(|(_, value)| *value))
    }

    #[test]
    fn seconds_milliseconds_and_dates_are_read() {
        assert_eq!(told(&[("retry-after", "2")]), Some(Duration::from_secs(2)));
        assert_eq!(told(&[("retry-after", "2"), ("retry-after-ms", "150")]), Some(Duration::from_millis(150)));
        let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(30));
        let until = told(&[("retry-after", &date)]).unwrap();
        assert!(until > Duration::from_secs(25) && until <= Duration::from_secs(30), "{until:?}");
        assert_eq!(told(&[("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT")]), Some(Duration::ZERO));
    }

    #[test]
    fn what_cannot_be_read_says_nothing_and_what_is_absurd_is_bounded() {
        assert_eq!(told(&[]), None);
        for text in ["", "soon", "-1", "NaN"] {
            assert_eq!(told(&[("retry-after", text)]), None, "{text}");
        }
        for text in ["1e300", "inf", "99999999999999999999"] {
            assert_eq!(told(&[("retry-after", text)]), Some(LONGEST), "{text}");
        }
    }

    #[test]
    fn nobody_is_asked_back_at_once_or_before_it_is_time() {
        let written = [0, 1, 1000, 1001, 7000].map(|millis| whole_seconds(Duration::from_millis(millis)));
        assert_eq!(written, ["1", "1", "1", "2", "7"]);
    }
}
