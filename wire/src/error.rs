//! The error body that every program sends, and the errors in requests that all programs share.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// The body of every error response, in OpenAI's shape:
/// `{"error":{"message","type","code","param"}}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// The only member, by which a client can tell an error from an answer.
    pub error: ErrorDetail,
}

/// What went wrong, for a program (`kind`, `code`, `param`) and for a person (`message`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorDetail {
    /// One sentence for a person. Contains nothing internal: no addresses, no source errors.
    pub message: String,
    /// The cause, one word each: `invalid_request_error`, `overloaded`, `upstream_failure`, ...
    #[serde(rename = "type")]
    pub kind: Cow<'static, str>,
    /// A more specific cause within `kind`, if any: `invalid_json`, `model_not_found`, ...
    #[serde(default)]
    pub code: Option<Cow<'static, str>>,
    /// The invalid field of the request, as a path: `messages[0].role`.
    #[serde(default)]
    pub param: Option<String>,
}

impl ErrorBody {
    /// An error of this `kind` without `code` and `param`.
    pub fn new(kind: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        let error = ErrorDetail { message: message.into(), kind: kind.into(), code: None, param: None };
        ErrorBody { error }
    }

    /// Adds a more specific cause.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<Cow<'static, str>>) -> Self {
        self.error.code = Some(code.into());
        self
    }

    /// Adds the invalid field.
    #[must_use]
    pub fn with_param(mut self, param: impl Into<String>) -> Self {
        self.error.param = Some(param.into());
        self
    }
}

/// A request that is rejected before the vendor is called. Every program answers the same mistake with the same error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// The body is not JSON. 400.
    #[error("the body is not valid JSON: {0}")]
    InvalidJson(String),
    /// A required field is missing. 400.
    #[error("'{param}' is missing: {expected}")]
    MissingField {
        /// The field, as a path.
        param: String,
        /// What is expected there.
        expected: &'static str,
    },
    /// A field has a value that is not allowed. 400.
    #[error("'{param}' is {found}, expected {expected}")]
    InvalidValue {
        /// The field, as a path.
        param: String,
        /// The value that was sent, shortened.
        found: String,
        /// What is allowed.
        expected: Cow<'static, str>,
    },
    /// The content type is not JSON. 415.
    #[error("content type is {found}, expected application/json")]
    UnsupportedMediaType {
        /// The content type that was sent, or `none`.
        found: String,
    },
    /// The body is over the limit. 413.
    #[error("the body is larger than {limit} bytes")]
    BodyTooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// A request that is for callers on this machine alone and may come from a web page. 403.
    #[error(
        "{header} is '{found}', expected localhost or a loopback address: only callers on this machine may do this"
    )]
    NotLocal {
        /// The header that shows it.
        header: &'static str,
        /// Its value, shortened.
        found: String,
    },
    /// The body did not arrive in time. 408.
    #[error("timed out while reading the request's body")]
    BodyTimeout,
    /// No such route. 404.
    #[error("there is no route {path}")]
    UnknownRoute {
        /// The path that was asked for, shortened.
        path: String,
    },
    /// No such model. 404.
    #[error("The model '{name}' does not exist")]
    UnknownModel {
        /// Its name, shortened.
        name: String,
    },
    /// The route exists, but not with this method. 405.
    #[error("method {method} is not allowed here, expected {allowed}")]
    MethodNotAllowed {
        /// The method that was used.
        method: String,
        /// The route's methods, as in the `Allow` header.
        allowed: &'static str,
    },
    /// No key, or an unknown one. 401.
    #[error("no valid API key: send 'Authorization: Bearer KEY'")]
    InvalidApiKey,
}

impl RequestError {
    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            RequestError::InvalidJson(_) | RequestError::MissingField { .. } | RequestError::InvalidValue { .. } => 400,
            RequestError::InvalidApiKey => 401,
            RequestError::NotLocal { .. } => 403,
            RequestError::UnknownRoute { .. } | RequestError::UnknownModel { .. } => 404,
            RequestError::MethodNotAllowed { .. } => 405,
            RequestError::BodyTimeout => 408,
            RequestError::BodyTooLarge { .. } => 413,
            RequestError::UnsupportedMediaType { .. } => 415,
        }
    }

    /// The error body. All have OpenAI's type `invalid_request_error`.
    #[must_use]
    pub fn body(&self) -> ErrorBody {
        let body = ErrorBody::new("invalid_request_error", self.to_string()).with_code(self.code());
        match self {
            RequestError::MissingField { param, .. } | RequestError::InvalidValue { param, .. } => {
                body.with_param(param)
            }
            RequestError::UnknownModel { .. } => body.with_param("model"),
            _ => body,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            RequestError::InvalidJson(_) => "invalid_json",
            RequestError::MissingField { .. } => "missing_field",
            RequestError::InvalidValue { .. } => "invalid_value",
            RequestError::UnsupportedMediaType { .. } => "unsupported_media_type",
            RequestError::BodyTooLarge { .. } => "body_too_large",
            RequestError::BodyTimeout => "body_timeout",
            RequestError::NotLocal { .. } => "not_local",
            RequestError::UnknownRoute { .. } => "unknown_route",
            RequestError::UnknownModel { .. } => "model_not_found",
            RequestError::MethodNotAllowed { .. } => "method_not_allowed",
            RequestError::InvalidApiKey => "invalid_api_key",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_body_has_all_four_members_even_when_null() {
        let json = serde_json::to_value(ErrorBody::new("overloaded", "busy")).unwrap();
        assert_eq!(
            json,
            serde_json::json!({"error": {"message": "busy", "type": "overloaded", "code": null, "param": null}})
        );
    }

    #[test]
    fn an_error_names_the_field_the_value_and_what_is_allowed() {
        let error = RequestError::InvalidValue {
            param: "max_tokens".into(),
            found: "0".into(),
            expected: "a whole number from 1".into(),
        };
        let body = error.body().error;
        assert_eq!(error.status(), 400);
        assert_eq!(body.param.as_deref(), Some("max_tokens"));
        assert_eq!(body.message, "'max_tokens' is 0, expected a whole number from 1");
    }
}
