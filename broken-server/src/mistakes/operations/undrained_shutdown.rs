//! Mistake `undrained-shutdown`.
//!
//! What is wrong: nobody decided what becomes of open streams when the server is asked to stop, so its framework
//! does: it closes them at once, or it waits for their end, however long that takes.
//! Symptom: with `--on-stop close` every stream that is open at SIGTERM is cut in mid-sentence, and the exit code is
//! 0. With `--on-stop wait` one stream that never ends keeps the process alive until somebody kills it.
//! Fix: fixed-server/src/app.rs, where streams may go on for the shutdown grace, and the rest then end with an error
//! event.
//! Source: 002 gives its workers `--graceful-timeout 320` and calls that 20 s of grace; it is a deadline, but of 320 s
//! from the signal, and Kubernetes kills after 30. axum#2673 and hyper#2787 report servers that wait for their event
//! streams for ever; actix-web closes on SIGINT, and on SIGTERM after 30 s, without an error event.

use crate::mistake::{Group, Mistake};
use crate::settings::{OnStop, Settings};
use crate::shutdown::RunningServer;

pub(crate) const ENTRY: Mistake = Mistake {
    name: "undrained-shutdown",
    group: Group::Operations,
    symptom: "SIGTERM cuts every open stream, or with --on-stop wait never ends while one is stuck",
    own_flags: &["on_stop"],
    shutdown: |server, settings| Box::pin(stop(server, settings)),
    ..Mistake::USUAL
};

// ANCHOR: undrained-shutdown
async fn stop(mut server: RunningServer, settings: &Settings) {
    server.announce(settings).await;
    // MISTAKE undrained-shutdown: the first leaves streams no time, the second leaves them all the time there is.
    match settings.own.on_stop {
        OnStop::Close => server.close_connections(),
        OnStop::Wait => server.finish_connections(),
    }
    if let Err(error) = server.ended().await {
        tracing::warn!(%error, "the server did not stop in order");
    }
}
// ANCHOR_END: undrained-shutdown
