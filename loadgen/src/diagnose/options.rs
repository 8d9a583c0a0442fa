//! What is diagnosed, and within which bounds.

use std::time::Duration;

use super::platform::Platform;
use crate::http::Endpoint;
use crate::traffic::Request;

/// What is diagnosed, and within which bounds.
#[derive(Debug, Clone)]
pub struct DiagnoseOptions {
    /// The server.
    pub endpoint: Endpoint,
    /// A request that it answers with a stream.
    pub request: Request,
    /// Headers of all other requests, too, beside their own.
    pub headers: Vec<(String, String)>,
    /// The key of `request`, which checks are sent with where they need one.
    pub api_key: Option<String>,
    /// The path of a cheap check.
    pub health_path: String,
    /// The path of a cheap check that needs no pool.
    pub async_health_path: Option<String>,
    /// The server's process, to look at it and those that it started.
    pub pid: Option<u32>,
    /// What the server runs on, if the user says so.
    pub platform: Option<&'static Platform>,
    /// Most streams that are held.
    pub streams_max: u64,
    /// How long all of it may take.
    pub budget: Duration,
}

impl DiagnoseOptions {
    /// The most requests for streams that are sent in each part, for streams that end soon or are rejected.
    pub(super) fn requests_max(&self) -> u64 {
        const FOR_EACH_STREAM: u64 = 20;
        const LEAST: u64 = 1_000;
        (self.streams_max * FOR_EACH_STREAM).max(LEAST)
    }
}
