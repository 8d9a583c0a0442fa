//! Eight single streams, whose text is shown token by token.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::sleep;
use tokio_util::task::AbortOnDropHandle;

use super::shared::Shared;
use super::state::SingleState;
use crate::http::Endpoint;
use crate::measure::{StreamAnswer, StreamEnd, StreamListener, StreamLog, StreamNews};
use crate::traffic::{Exchange, Request};

/// How many there are.
pub const SINGLES: usize = 8;

/// Time for which an ended one can be read before another one takes its place.
const PAUSE: Duration = Duration::from_secs(2);

/// The single streams while they are wanted. Dropped, they are closed.
pub(super) struct Singles {
    _streams: Vec<AbortOnDropHandle<()>>,
}

impl Singles {
    /// Opens them at `server`, and counts them in `log`.
    pub(super) fn start(shared: &Arc<Shared>, server: &Endpoint, log: &Arc<StreamLog>) -> Self {
        let one = |stream| {
            let (shared, server, log) = (shared.clone(), server.clone(), log.clone());
            AbortOnDropHandle::new(tokio::spawn(follow(shared, stream, server, log)))
        };
        Singles { _streams: (0..SINGLES).map(one).collect() }
    }
}

/// Requests one stream after another, and publishes all that is new of them.
async fn follow(shared: Arc<Shared>, stream: usize, server: Endpoint, log: Arc<StreamLog>) {
    let listening = shared.clone();
    let listener = StreamListener::new(move |news| match news {
        StreamNews::Answered(200..=299) => listening.single(stream, SingleState::Open, None),
        StreamNews::Answered(_) => {}
        StreamNews::Token(text) => listening.single_token(stream, text),
    });
    let exchange = Exchange { listener: Some(listener), ..Exchange::new(server, Request::chat()) };
    loop {
        shared.single(stream, SingleState::Waiting, None);
        let answer = exchange.perform(Instant::now(), &log).await;
        match failure(&answer) {
            None => shared.single(stream, SingleState::Done, None),
            Some(reason) => shared.single(stream, SingleState::Failed, Some(reason)),
        }
        sleep(PAUSE).await;
    }
}

/// Why a stream failed, if it did.
fn failure(answer: &StreamAnswer) -> Option<String> {
    match answer.end {
        end if end.is_completed() => None,
        StreamEnd::Truncated => Some("it ended without [DONE]".to_owned()),
        end => Some(answer.explanation.clone().unwrap_or_else(|| end.to_string())),
    }
}
