//! Whose request it is.

use std::net::IpAddr;

use axum::extract::Request;

use crate::sessions::KeyId;

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
    pub(crate) fn of_peer(request: &Request) -> Self {
        let nobody = Peer(IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED));
        let Peer(address) = request.extensions().get::<Peer>().copied().unwrap_or(nobody);
        User::Address(address)
    }
}
