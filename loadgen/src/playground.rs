//! The playground: a page on which a teacher drives the broken and the fixed server by hand, side by side.
//!
//! One run, which all pages show and drive. Nothing is stopped by closing a page.
//!
//! # The page's contract
//!
//! All routes are for callers on this machine: a foreign `Host` or `Origin` gets 403. Errors are `wire`'s error body,
//! `{"error":{"message","type","code","param"}}`. Nothing may be cached.
//!
//! | route | answer |
//! |---|---|
//! | `GET /`, `/app.css`, `/app.js`, ... | the files of `playground/page/` |
//! | `GET /api/catalogue` | the mistakes, whether each shows here, and how many streams this machine can hold (`catalogue.rs`) |
//! | `GET /api/code/MISTAKE` | `{"mistake":{"file","text","from","to"},"fix":{...}}`: whole files, and the lines of the marked part, counted from 1 |
//! | `GET /api/events` | the page's one stream of events, below |
//! | `POST /api/start` `{"mistake":name}` | starts both arms. While a run with this mistake is there, nothing changes; with another, 409 |
//! | `POST /api/stop` | stops everything, also what is still starting |
//! | `POST /api/mistake` `{"name"}` | chooses the mistake: restarts the broken arm if it runs |
//! | `POST /api/streams` `{"count":N}` | holds N streams on each arm, from 0 to `streams_max`: more is 422 |
//! | `POST /api/arms/ARM/start`, `/api/arms/ARM/stop` | one arm, `broken` or `fixed` |
//! | `POST /api/singles` `{"arm","on"}` | eight streams whose text is shown, on one arm |
//! | `POST /api/check` `{"arm"}` | sends one health check, `GET /debug/health-sync`; `{"id"}` |
//!
//! A `POST` has JSON, or no body in place of `{}`. It is answered 202 at once, with the state; what comes of it comes as
//! an event.
//!
//! # Events
//!
//! A browser opens six connections to one host, for all of its tabs together, and an event stream occupies one of them:
//! so a page has a single stream for everything. When it ends, the browser opens it again after `retry`, and is sent all
//! that a new page is sent: the state, a full frame, the texts of the streams.
//!
//! | event | data |
//! |---|---|
//! | `state` | [`SessionState`](crate::session::SessionState), and `"pages":{"open","dropped"}`: those that listen, and those that did not read what they were sent. On every change |
//! | `frame` | four times a second while an arm runs: a [`Frame`](crate::live::Frame) and `full`. If `full`, its rows are all there are; else only those that are new or have changed since the last frame, to be merged by `t_ms`. An arm whose `started_ms` has changed was started anew |
//! | `stream` | `{"stream":0..7,"state":"waiting"\|"open"\|"done"\|"failed","reason"}`; `waiting` begins anew, with no text |
//! | `token` | `{"stream":0..7,"text"}`, to be appended |
//! | `check` | `{"arm","id","state":"waiting"\|"answered"\|"timed_out"\|"failed","ms","reason"}`; `ms` is since it was sent |

mod body;
mod catalogue;
mod connections;
mod error;
mod event;
mod files;
mod guard;
mod page_events;
mod pages;
mod routes;

use std::convert::Infallible;
use std::future::{IntoFuture, pending};
use std::sync::Arc;

use tokio::net::TcpListener;

use self::connections::Connections;
use self::pages::Pages;
use self::routes::{Shared, router};
use crate::session::Session;

/// Serves the pages of `session` until this future is dropped, and with it the session.
pub async fn serve(listener: TcpListener, session: Session) -> Infallible {
    let (session, pages) = (Arc::new(session), Pages::default());
    let connections = Connections::new(listener, pages.clone());
    let shared = Shared { session: Arc::downgrade(&session), pages };
    // It ends only with an error that axum does not have: accepting is tried again.
    let _ = axum::serve(connections, router(shared)).into_future().await;
    pending().await
}
