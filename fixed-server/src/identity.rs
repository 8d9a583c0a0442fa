//! Which request it is, and whose.

use std::net::{IpAddr, Ipv4Addr};

use axum::extract::Request;
use axum::http::HeaderMap;
use gateway::request_id;
use wire::REQUEST_ID_HEADER;

use crate::sessions::KeyId;

/// The id of a request, kept in its extensions by the middleware.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(pub(crate) String);

impl RequestId {
    /// The client's id if it is valid, or else a new one.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        RequestId(request_id(headers.get(REQUEST_ID_HEADER).and_then(|value| value.to_str().ok())))
    }
}

/// The user of a request, for the limits of each user.
pub(crate) type User = gateway::User<KeyId>;

/// The address of a connection's peer, added to its requests where they are served.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// The user of a request without a key.
pub(crate) fn user_of_peer(request: &Request) -> User {
    let nobody = Peer(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let Peer(address) = request.extensions().get::<Peer>().copied().unwrap_or(nobody);
    User::Address(address)
}
