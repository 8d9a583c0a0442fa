use std::time::{Duration, SystemTime};

use reqwest::header::{HeaderMap, RETRY_AFTER};

/// OpenAI's own header, more precise than the standard's.
const RETRY_AFTER_MS: &str = "retry-after-ms";

/// Longest that a vendor is taken at its word.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// When to come back, as the vendor's answer says: in `retry-after-ms`, or in `Retry-After` as seconds
/// or as a date (RFC 9110, section 10.2.3). `None` where it says nothing that can be read.
pub(super) fn told_by(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let millis = text(RETRY_AFTER_MS).and_then(|text| text.parse::<f64>().ok()).map(|millis| millis / 1000.0);
    let standard = text(RETRY_AFTER.as_str());
    let seconds = millis.or_else(|| standard?.parse::<f64>().ok()).filter(|seconds| *seconds >= 0.0);
    let told = seconds.map(|seconds| Duration::try_from_secs_f64(seconds).unwrap_or(LONGEST));
    let date = || httpdate::parse_http_date(standard?).ok();
    // A date that has passed means now.
    let told = told.or_else(|| Some(date()?.duration_since(SystemTime::now()).unwrap_or_default()));
    told.map(|told| told.min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(headers: &[(&'static str, &str)]) -> Option<Duration> {
        told_by(&headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect())
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
        for text in ["", "soon", "-1", "NaN"] {
            assert_eq!(told(&[("retry-after", text)]), None, "{text}");
        }
        for text in ["1e300", "inf", "99999999999999999999"] {
            assert_eq!(told(&[("retry-after", text)]), Some(LONGEST), "{text}");
        }
    }
}
