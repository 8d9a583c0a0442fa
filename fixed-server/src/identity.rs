//! Which request it is, and whose.

use std::net::IpAddr;

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

/// The user of a request, for the limits of each user. It is nothing that a client can choose freely, such as a
/// name in a header: it could then choose its limit as well.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum User {
    /// The owner of the key, on routes that take one.
    Key(KeyId),
    /// The address of the peer, on routes without a key. Behind a proxy that is the proxy's: limit users there, or
    /// give them keys.
    Address(IpAddr),
}

/// The address of a connection's peer, added to its requests where they are served.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

impl User {
    /// The user of a request without a key.
    pub(crate) fn of_peer(request: &Request) -> Self {
        let nobody = Peer(IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED));
        let Peer(address) = request.extensions().get::<Peer>().copied().unwrap_or(nobody);
        User::Address(address)
    }
}
