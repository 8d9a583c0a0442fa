//! The `X-Mock-*` headers, which change latency, length and faults for one request.

use std::borrow::Cow;
use std::time::Duration;

use hyper::HeaderMap;
use wire::chat::MAX_TOKENS_MAX;
use wire::error::RequestError;

use crate::faults::Rule;
use crate::latency::parse_delay;

/// The `X-Mock-*` headers of one request.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct MockHeaders {
    pub(crate) tokens: Option<u32>,
    pub(crate) ttft: Option<Duration>,
    pub(crate) inter_token: Option<Duration>,
    pub(crate) faults: Vec<Rule>,
}

impl MockHeaders {
    /// # Errors
    /// [`RequestError::InvalidValue`] naming the header at fault.
    pub(crate) fn read(headers: &HeaderMap) -> Result<Self, RequestError> {
        let delay =
            |name| header(headers, name, "a duration such as 250ms, at most a day", |text| parse_delay(text).ok());
        Ok(MockHeaders {
            tokens: header(headers, "X-Mock-Tokens", "a whole number from 1 to 1000000", |text| {
                text.parse().ok().filter(|tokens| (1..=MAX_TOKENS_MAX).contains(tokens))
            })?,
            ttft: delay("X-Mock-TTFT")?,
            inter_token: delay("X-Mock-Inter-Token")?,
            faults: faults(headers)?,
        })
    }
}

/// Several rules may be sent as several headers or as one with commas: HTTP makes no difference.
fn faults(headers: &HeaderMap) -> Result<Vec<Rule>, RequestError> {
    const NAME: &str = "X-Mock-Fault";
    let mut rules = Vec::new();
    for value in headers.get_all(NAME) {
        let text = value.to_str().map_err(|_| invalid(NAME, value.as_bytes(), "a fault rule in ASCII"))?;
        for rule in text.split(',') {
            let parsed =
                rule.trim().parse().map_err(|error| invalid(NAME, rule.as_bytes(), format!("a fault rule: {error}")));
            rules.push(parsed?);
        }
    }
    Ok(rules)
}

fn header<T>(
    headers: &HeaderMap,
    name: &'static str,
    expected: &'static str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, RequestError> {
    let Some(value) = headers.get(name) else {
        return Ok(None);
    };
    let parsed = value.to_str().ok().and_then(parse);
    parsed.map(Some).ok_or_else(|| invalid(name, value.as_bytes(), expected))
}

fn invalid(name: &'static str, found: &[u8], expected: impl Into<Cow<'static, str>>) -> RequestError {
    let found = String::from_utf8_lossy(found).chars().take(40).collect();
    RequestError::InvalidValue { param: name.into(), found, expected: expected.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(headers: &[(&'static str, &'static str)]) -> Result<MockHeaders, String> {
        let headers: HeaderMap =
            headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        MockHeaders::read(&headers).map_err(|error| error.to_string())
    }

    #[test]
    fn header_names_are_case_insensitive() {
        let read = read(&[("x-mock-tokens", "5"), ("X-Mock-TTFT", "1s"), ("x-mock-inter-token", "2ms")]).unwrap();
        assert_eq!(read.tokens, Some(5));
        assert_eq!(read.ttft, Some(Duration::from_secs(1)));
        assert_eq!(read.inter_token, Some(Duration::from_millis(2)));
    }

    #[test]
    fn several_faults_may_be_in_one_header_or_in_several() {
        let mut headers = HeaderMap::new();
        headers.append("x-mock-fault", "drip=2s, ignore-disconnect".parse().unwrap());
        headers.append("x-mock-fault", "hang-after=3".parse().unwrap());
        let faults: Vec<String> = MockHeaders::read(&headers).unwrap().faults.iter().map(Rule::to_string).collect();
        assert_eq!(faults, ["drip=2s", "ignore-disconnect", "hang-after=3"]);
    }

    #[test]
    fn an_invalid_header_is_an_error_with_its_name_and_value() {
        for (name, value, said) in [
            ("X-Mock-Tokens", "0", "'X-Mock-Tokens' is 0, expected a whole number from 1 to 1000000"),
            ("X-Mock-TTFT", "soon", "'X-Mock-TTFT' is soon, expected a duration"),
            ("X-Mock-Inter-Token", "-1s", "'X-Mock-Inter-Token' is -1s, expected a duration"),
            ("X-Mock-Fault", "hangs", "unknown word 'hangs', expected status"),
        ] {
            let message = read(&[(name, value)]).unwrap_err();
            assert!(message.contains(said), "{message}");
        }
    }
}
