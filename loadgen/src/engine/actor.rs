//! Performs the actions of a lab on the programs of one arm.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use bytes::Bytes;
use process::ServerProcess;
use serde_json::json;
use tokio::time::timeout;

use super::LabError;
use super::stop_log::StopLog;
use crate::http::{self, Endpoint};
use crate::lab::{Action, ActionTarget, What};

/// How long a program may take to answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The programs of one arm, as its actions see them. It does not keep them alive.
#[derive(Clone)]
pub(super) struct Actor {
    pub(super) endpoint: Endpoint,
    pub(super) vendor: Option<Endpoint>,
    pub(super) server: Weak<ServerProcess>,
    pub(super) stop: Arc<StopLog>,
}

impl Actor {
    /// Performs `action`, in a run that started at `origin`.
    ///
    /// # Errors
    /// [`LabError::Action`].
    pub(super) async fn perform(&self, action: &Action, origin: Instant) -> Result<(), LabError> {
        match &action.what {
            What::Call { target: ActionTarget::Server, method, path, body } => {
                request(Some(&self.endpoint), method, path, body.clone()).await
            }
            What::Call { target: ActionTarget::Vendor, method, path, body } => {
                request(self.vendor.as_ref(), method, path, body.clone()).await
            }
            What::Faults(faults) if faults.is_empty() => {
                request(self.vendor.as_ref(), "DELETE", "/debug/faults", String::new()).await
            }
            What::Faults(faults) => {
                let body = json!({ "faults": faults }).to_string();
                request(self.vendor.as_ref(), "POST", "/debug/faults", body).await
            }
            What::Signal(signal) => {
                let failed = |why: String| LabError::Action { what: signal.to_string(), why };
                let server = self
                    .server
                    .upgrade()
                    .ok_or_else(|| failed("this arm is over, or its server is no single process".to_owned()))?;
                self.stop.signal(&server, *signal, origin).map_err(|error| failed(error.to_string()))
            }
        }
    }
}

/// A request to one of the programs.
async fn request(target: Option<&Endpoint>, method: &str, path: &str, body: String) -> Result<(), LabError> {
    let failed = |why: String| LabError::Action { what: format!("{method} {path} {body}").trim().to_owned(), why };
    let target = target.ok_or_else(|| failed("this arm has no vendor".to_owned()))?;
    let headers = [("content-type".to_owned(), "application/json".to_owned())];
    let request = target.request(method, path, &headers, Bytes::from(body.clone()));
    match timeout(TIMEOUT, http::fetch(target, request, http::ANSWER_BYTES_MAX)).await {
        Ok(Ok((200..=299, _))) => Ok(()),
        Ok(Ok((status, answer))) => Err(failed(format!("status {status}: {}", String::from_utf8_lossy(&answer)))),
        Ok(Err(error)) => Err(failed(error.to_string())),
        Err(_) => Err(failed(format!("no answer within {TIMEOUT:?}"))),
    }
}
