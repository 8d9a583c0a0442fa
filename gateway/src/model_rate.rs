//! The vendor's quota of calls of one model, as written in flags.

use std::str::FromStr;
use std::sync::Arc;

use resilience::Rate;

/// The vendor's quota of calls of one model: `gpt-5=60/1m`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelRate {
    /// The model, as requests name it.
    pub model: Arc<str>,
    /// Its quota.
    pub rate: Rate,
}

impl FromStr for ModelRate {
    type Err = String;

    /// A model's name may have an `=`, a rate has none.
    fn from_str(text: &str) -> Result<Self, String> {
        match text.rsplit_once('=') {
            Some((model, rate)) if !model.is_empty() => {
                let rate = rate.parse().map_err(|error| format!("of {model}, {error}"))?;
                Ok(ModelRate { model: model.into(), rate })
            }
            _ => Err("expected MODEL=RATE, such as gpt-5=60/1m".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_and_its_rate_are_read() {
        let read = |text: &str| text.parse::<ModelRate>().map(|read| (read.model.to_string(), read.rate.to_string()));
        assert_eq!(read("gpt-5=60/1m"), Ok(("gpt-5".into(), "60/1m".into())));
        assert_eq!(read("a=b=1/2s"), Ok(("a=b".into(), "1/2s".into())));
        for (text, named) in [("60/1m", "MODEL=RATE"), ("=60/1m", "MODEL=RATE"), ("m=", "of m"), ("m=60", "60/1m")] {
            assert!(read(text).unwrap_err().contains(named), "{text}");
        }
    }
}
