//! Eight single streams, whose text is shown token by token.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::sleep;
use tokio_util::task::AbortOnDropHandle;

use super::state::SingleState;
use crate::http::Endpoint;
use crate::measure::{StreamAnswer, StreamEnd, StreamListener, StreamLog, StreamNews};
use crate::traffic::{Exchange, Request};

/// How many there are.
pub const SINGLES: usize = 8;

/// Time for which an ended one can be read before another one takes its place.
const PAUSE: Duration = Duration::from_secs(2);

/// What is new of a single stream.
pub(super) enum SingleNews<'a> {
    /// It is in another state; the reason is that of a failure.
    State(SingleState, Option<String>),
    /// A token with this text has arrived.
    Token(&'a str),
}

/// Is called with what is new of a single stream, by its number.
pub(super) type Publish = Arc<dyn Fn(usize, SingleNews<'_>) + Send + Sync>;

/// The single streams while they are wanted. Dropped, they are closed.
pub(super) struct Singles {
    _streams: Vec<AbortOnDropHandle<()>>,
}

impl Singles {
    /// Opens them at `server`, and counts them in `log`.
    pub(super) fn start(server: &Endpoint, log: &Arc<StreamLog>, publish: &Publish) -> Self {
        let one = |stream| {
            let (server, log, publish) = (server.clone(), log.clone(), publish.clone());
            AbortOnDropHandle::new(tokio::spawn(follow(stream, server, log, publish)))
        };
        Singles { _streams: (0..SINGLES).map(one).collect() }
    }
}

/// Requests one stream after another, and publishes all that is new of them.
async fn follow(stream: usize, server: Endpoint, log: Arc<StreamLog>, publish: Publish) {
    let heard = publish.clone();
    let listener = StreamListener::new(move |news| match news {
        StreamNews::Answered(200..=299) => heard(stream, SingleNews::State(SingleState::Open, None)),
        StreamNews::Answered(_) => {}
        StreamNews::Token(text) => heard(stream, SingleNews::Token(text)),
    });
    let exchange = Exchange { listener: Some(listener), ..Exchange::new(server, Request::chat()) };
    loop {
        publish(stream, SingleNews::State(SingleState::Waiting, None));
        let answer = exchange.perform(Instant::now(), &log).await;
        let reason = failure(&answer);
        let state = if reason.is_none() { SingleState::Done } else { SingleState::Failed };
        publish(stream, SingleNews::State(state, reason));
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
