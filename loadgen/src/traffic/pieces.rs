//! Streams of plain text: each piece that arrives at once is a token.

use super::body::BodyReader;
use super::events::whole;
use super::{Client, StreamFormat};
use crate::measure::{StreamEnd, StreamGuard};

/// Reads a stream to its end, or until its client disconnects. Tokens that arrive together count as one: the system does
/// not say where one ends.
pub(super) async fn read_pieces(body: &mut BodyReader<'_>, guard: &mut StreamGuard, client: &Client) -> StreamEnd {
    let mut tokens = 0_u32;
    while let Some(piece) = body.next(tokens, guard).await {
        match piece {
            Ok(piece) if piece.is_empty() => continue,
            Ok(piece) => {
                guard.format(StreamFormat::Text.name());
                guard.token();
                if guard.uses_text() {
                    guard.text(&String::from_utf8_lossy(&piece));
                }
            }
            Err(error) => return StreamEnd::Failed(error.cause()),
        }
        tokens += 1;
        if client.has_enough(tokens) {
            return StreamEnd::Disconnected;
        }
    }
    whole(guard, StreamEnd::Completed)
}
