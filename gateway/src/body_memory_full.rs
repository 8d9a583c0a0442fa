//! No memory for the body of a request.

/// The bodies of requests take all the memory that they may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyMemoryFull {
    /// Those of all users together.
    #[error("the bodies of all requests take too much memory")]
    All,
    /// Those of this user.
    #[error("the bodies of this user's requests take too much memory")]
    User,
}
