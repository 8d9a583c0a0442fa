//! One model: `GET /v1/models/{model}`.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::RequestError;

/// Prefix of a model's path.
const FOLDER: &str = "/v1/models/";

/// The model's name in a path such as `/v1/models/openai%2Fgpt-4`. It may contain slashes, escaped or not.
#[must_use]
pub fn name_in_path(path: &str) -> Option<String> {
    let name = path.strip_prefix(FOLDER).filter(|name| !name.is_empty())?;
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|digits| *first == b'%' && digits.iter().all(u8::is_ascii_hexdigit));
        let escaped = digits.and_then(|digits| str::from_utf8(digits).ok());
        match escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// The model with this name in a vendor's list, as the vendor wrote it.
///
/// # Errors
/// [`RequestError::UnknownModel`].
pub fn find<'a>(list: &'a [u8], name: &str) -> Result<&'a str, RequestError> {
    #[derive(Deserialize)]
    struct List<'a> {
        #[serde(borrow)]
        data: Vec<&'a RawValue>,
    }
    #[derive(Deserialize)]
    struct Named<'a> {
        #[serde(borrow)]
        id: Cow<'a, str>,
    }
    let models = serde_json::from_slice::<List<'_>>(list).map_or_else(|_| Vec::new(), |list| list.data);
    let is_it = |model: &&RawValue| serde_json::from_str::<Named<'_>>(model.get()).is_ok_and(|named| named.id == name);
    models.into_iter().find(is_it).map(RawValue::get).ok_or_else(|| unknown(name))
}

/// The error for a model that does not exist.
#[must_use]
pub fn unknown(name: &str) -> RequestError {
    const CHARS_MAX: usize = 80;
    RequestError::UnknownModel { name: name.chars().take(CHARS_MAX).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_decoded_from_its_path() {
        for (path, name) in [
            ("/v1/models/m", Some("m")),
            ("/v1/models/openai/gpt-4", Some("openai/gpt-4")),
            ("/v1/models/ft%3Aa%2Fb%C3%A9", Some("ft:a/bé")),
            ("/v1/models/100%", Some("100%")),
            ("/v1/models/%zz%+1", Some("%zz%+1")),
            ("/v1/models/", None),
            ("/v1/models", None),
        ] {
            assert_eq!(name_in_path(path).as_deref(), name, "{path}");
        }
    }

    #[test]
    fn a_model_is_returned_as_its_vendor_wrote_it() {
        let list = br#"{"object":"list","data":[7,{"name":"x"}, {"id":"a","x":[1, 2]},{"id":"b\/c"}]}"#;
        assert_eq!(find(list, "a"), Ok(r#"{"id":"a","x":[1, 2]}"#));
        assert_eq!(find(list, "b/c"), Ok(r#"{"id":"b\/c"}"#));
        let error = find(list, "m").unwrap_err();
        assert_eq!(error.status(), 404);
        let error = error.body().error;
        assert_eq!(error.message, "The model 'm' does not exist");
        assert_eq!((error.code.as_deref(), error.param.as_deref()), (Some("model_not_found"), Some("model")));
    }
}
