//! How the vendor ends a connection in place of a response, or in the middle of one.

/// The connection ends without another byte. As the error of a service or a body it reaches the code that
/// serves the connection, and ends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Abort {
    /// By a FIN.
    #[error("the connection is closed without a response")]
    Close,
    /// By a RST.
    #[error("the connection is reset")]
    Reset,
}
