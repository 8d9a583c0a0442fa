//! Parsers of flag values.

use std::time::Duration;

pub(super) fn positive_duration(text: &str) -> Result<Duration, String> {
    let duration = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if duration.is_zero() { Err("must be longer than zero".to_owned()) } else { Ok(duration) }
}

/// The time of a diagnosis.
pub(super) fn budget(text: &str) -> Result<Duration, String> {
    const MAX: Duration = Duration::from_secs(3600);
    let budget = positive_duration(text)?;
    if budget > MAX { Err(format!("must be at most {}", humantime::format_duration(MAX))) } else { Ok(budget) }
}

pub(super) fn rate(text: &str) -> Result<f64, String> {
    const MAX: f64 = 100_000.0;
    match text.parse::<f64>() {
        Ok(rate) if rate > 0.0 && rate <= MAX => Ok(rate),
        _ => Err(format!("expected a number per second, over 0 and up to {MAX}")),
    }
}

pub(super) fn share(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|share| (0.0..=1.0).contains(share))
        .ok_or_else(|| "expected a number from 0 to 1".to_owned())
}

pub(super) fn token_share(text: &str) -> Result<f64, String> {
    share(text).ok().filter(|share| *share > 0.0).ok_or_else(|| "expected a number over 0, at most 1".to_owned())
}

pub(super) fn path(text: &str) -> Result<String, String> {
    let valid = text.starts_with('/') && text.parse::<http::Uri>().is_ok();
    if valid { Ok(text.to_owned()) } else { Err("expected a path that begins with /".to_owned()) }
}

pub(super) fn method(text: &str) -> Result<String, String> {
    text.parse::<http::Method>().map(|method| method.to_string()).map_err(|error| error.to_string())
}

pub(super) fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("expected NAME: VALUE")?;
    let name: http::HeaderName = name.trim().parse().map_err(|_| "the name is not a valid header name")?;
    // Both say where the body ends, which whoever sends it knows.
    if [http::header::CONTENT_LENGTH, http::header::TRANSFER_ENCODING].contains(&name) {
        return Err(format!("{name} is that of the body, and cannot be given"));
    }
    let value: http::HeaderValue = value.trim().parse().map_err(|_| "the value is not a valid header value")?;
    Ok((name.to_string(), value.to_str().map_err(|_| "the value must be visible ASCII")?.to_owned()))
}

pub(super) fn key(text: &str) -> Result<String, String> {
    let valid = !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic());
    if valid { Ok(text.to_owned()) } else { Err("expected a key of visible ASCII characters".to_owned()) }
}

pub(super) fn probe(text: &str) -> Result<(String, String), String> {
    let (name, target) = text.split_once('=').ok_or("expected NAME=PATH")?;
    let valid = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !name.is_empty();
    if !valid {
        return Err("the name may contain letters, digits and _".to_owned());
    }
    if ["ttft", "inter_token", "tpot", "e2e"].contains(&name) {
        return Err(format!("{name} is a metric of the streams: choose another name"));
    }
    Ok((name.to_owned(), path(target)?))
}

pub(super) fn percent(text: &str) -> Result<f64, String> {
    const MAX: f64 = 1_000_000.0;
    let number = text.strip_suffix('%').unwrap_or(text).trim_end();
    match number.parse::<f64>() {
        Ok(percent) if (0.0..=MAX).contains(&percent) => Ok(percent),
        _ => Err(format!("expected a percentage from 0 to {MAX}, such as 10")),
    }
}
