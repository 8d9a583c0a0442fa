//! The routes of a vendor that a gateway calls.

use wire::response::ExpectedResponse;

/// The vendor's routes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// `POST /v1/chat/completions`
    ChatCompletions,
    /// `GET /v1/models`
    Models,
}

impl Route {
    /// The path of this route at the vendor.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Route::ChatCompletions => "/v1/chat/completions",
            Route::Models => "/v1/models",
        }
    }

    /// What a whole answer of this route must contain.
    #[must_use]
    pub fn expected(self) -> ExpectedResponse {
        match self {
            Route::ChatCompletions => ExpectedResponse::Completion,
            Route::Models => ExpectedResponse::Models,
        }
    }
}
