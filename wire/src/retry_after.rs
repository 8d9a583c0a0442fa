//! `Retry-After`: parsing and formatting.

use std::time::{Duration, SystemTime};

/// The standard header: seconds, or a date.
const RETRY_AFTER: &str = "retry-after";

/// OpenAI's own header, in milliseconds.
const RETRY_AFTER_MS: &str = "retry-after-ms";

/// Longest time accepted from a vendor.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// When to come back, according to a response: from `retry-after-ms`, or from `Retry-After` in seconds or as a date
/// (RFC 9110, section 10.2.3). `header` returns a header's value by its name. `None` if there is no valid one.
pub fn from_headers<'a>(header: impl Fn(&str) -> Option<&'a str>) -> Option<Duration> {
    let text = |name: &str| header(name).map(str::trim);
    let millis = text(RETRY_AFTER_MS).and_then(|text| text.parse::<f64>().ok()).map(|millis| millis / 1000.0);
    let standard = text(RETRY_AFTER);
    let seconds = millis.or_else(|| standard?.parse::<f64>().ok()).filter(|seconds| *seconds >= 0.0);
    let time = seconds.map(|seconds| Duration::try_from_secs_f64(seconds).unwrap_or(LONGEST));
    let date = || httpdate::parse_http_date(standard?).ok();
    // A date in the past means now.
    let time = time.or_else(|| Some(date()?.duration_since(SystemTime::now()).unwrap_or_default()));
    time.map(|time| time.min(LONGEST))
}

/// `duration` as a `Retry-After`, rounded up to whole seconds and at least 1: "0" would invite an immediate retry.
#[must_use]
pub fn whole_seconds(duration: Duration) -> String {
    (duration.as_secs_f64().ceil().max(1.0) as u64).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(headers: &[(&str, &str)]) -> Option<Duration> {
        from_headers(|asked| headers.iter().find(|(name, _)| *name == asked).map(|(_, value)| *value))
    }

    #[test]
    fn seconds_milliseconds_and_dates_are_read() {
        assert_eq!(parsed(&[("retry-after", "2")]), Some(Duration::from_secs(2)));
        assert_eq!(parsed(&[("retry-after", "2"), ("retry-after-ms", "150")]), Some(Duration::from_millis(150)));
        let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(30));
        let until = parsed(&[("retry-after", &date)]).unwrap();
        assert!(until > Duration::from_secs(25) && until <= Duration::from_secs(30), "{until:?}");
        assert_eq!(parsed(&[("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT")]), Some(Duration::ZERO));
    }

    #[test]
    fn invalid_values_are_ignored_and_huge_ones_are_bounded() {
        assert_eq!(parsed(&[]), None);
        for text in ["", "soon", "-1", "NaN"] {
            assert_eq!(parsed(&[("retry-after", text)]), None, "{text}");
        }
        for text in ["1e300", "inf", "99999999999999999999"] {
            assert_eq!(parsed(&[("retry-after", text)]), Some(LONGEST), "{text}");
        }
    }

    #[test]
    fn seconds_are_rounded_up_and_at_least_one() {
        let written = [0, 1, 1000, 1001, 7000].map(|millis| whole_seconds(Duration::from_millis(millis)));
        assert_eq!(written, ["1", "1", "1", "2", "7"]);
    }
}
