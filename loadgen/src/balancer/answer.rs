//! The answers that a balancer gives itself.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Response;
use hyper::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use wire::error::ErrorBody;

use super::relayed_body::AnswerBody;
use super::stats::BalancerStats;

/// Why a balancer answers itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// No backend is ready. 503.
    NoBackend {
        /// When the next probes may have found one.
        retry_after: Duration,
    },
    /// The backend failed before its answer. 502.
    BadGateway(&'static str),
    /// The backend sent no head within the time-out. 504.
    Silent,
}

impl Refusal {
    pub(super) fn response(self) -> Response<AnswerBody> {
        let (status, kind, message) = match self {
            Refusal::NoBackend { .. } => (503, "no_backend", "no backend is ready".to_owned()),
            Refusal::BadGateway(cause) => (502, "bad_gateway", format!("the backend failed: {cause}")),
            Refusal::Silent => (504, "gateway_timeout", "the backend sent nothing for too long".to_owned()),
        };
        let mut response = json(status, &ErrorBody::new(kind, message));
        if let Refusal::NoBackend { retry_after } = self {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(retry_after.as_secs_f64().ceil() as u64));
        }
        response
    }
}

pub(super) fn stats(stats: &BalancerStats) -> Response<AnswerBody> {
    json(200, stats)
}

fn json(status: u16, body: &impl serde::Serialize) -> Response<AnswerBody> {
    let body = serde_json::to_vec(body).unwrap_or_default();
    let mut response = Response::new(Full::new(Bytes::from(body)).map_err(|never| match never {}).boxed_unsync());
    *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
