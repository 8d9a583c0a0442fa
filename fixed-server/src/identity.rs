//! Whose request it is.

use std::net::IpAddr;

use axum::extract::Request;
use axum::http::HeaderMap;
use gateway::shorten;
use resilience::Priority;
use wire::error::Refusal;

use crate::sessions::KeyId;

/// The header by which a request says that nobody waits for its answer.
const PRIORITY_HEADER: &str = "x-priority";

/// Whose request it is, for the limits of each user. What a client can choose freely, such as a header
/// with a name in it, would be a limit that it can choose freely.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum User {
    /// On the routes that take a key: who has it.
    Key(KeyId),
    /// On the routes that take no key: who is at the other end of the connection. Behind a proxy that
    /// is the proxy; put the limits into it, or give out keys.
    Address(IpAddr),
}

/// The other end of a connection, put into its requests where it is accepted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

impl User {
    /// The user of a request without a key.
    pub(crate) fn at_the_other_end(request: &Request) -> Self {
        let nobody = Peer(IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED));
        let Peer(address) = request.extensions().get::<Peer>().copied().unwrap_or(nobody);
        User::Address(address)
    }
}

/// The priority that a request asks for.
///
/// # Errors
/// [`Refusal::Invalid`].
pub(crate) fn priority(headers: &HeaderMap) -> Result<Priority, Refusal> {
    let Some(value) = headers.get(PRIORITY_HEADER) else { return Ok(Priority::Interactive) };
    match value.as_bytes() {
        b"interactive" => Ok(Priority::Interactive),
        b"batch" => Ok(Priority::Batch),
        other => Err(Refusal::Invalid {
            param: "X-Priority".into(),
            found: format!("'{}'", shorten(&String::from_utf8_lossy(other))),
            expected: "interactive or batch".into(),
        }),
    }
}
