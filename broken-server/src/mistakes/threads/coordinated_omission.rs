//! Mistake `coordinated-omission`.
//!
//! What is wrong: now and then something blocks each worker's event loop, and everything waits. Here it is a
//! job on a schedule; elsewhere it is a garbage collector, a log being flushed, or a large body being parsed.
//! Between the stalls nothing is wrong.
//! Symptom: hardly any, for a client that sends one request after another. During a stall it waits for one
//! answer and sends nothing, so a stall is one slow request among thousands: it vanishes from the mean and
//! from the 99th percentile. Users do not wait for each other.
//! Fix: fixed-server/src/api/health.rs, where work that blocks has its own thread. The measurement is fixed
//! in loadgen/src/measure/prober.rs: probes are due at fixed times and are timed from then.
//! Source: Gil Tene gave it the name. The validation of source 000 measures like this, and looks at the mean.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use actix_web::rt;
use tokio::time::{Instant, interval_at};

use crate::api::{self, Routes};
use crate::call_style::AsyncOnce;
use crate::mistake::{Group, Mistake};
use crate::settings::OwnFlags;

pub(crate) const ENTRY: Mistake = Mistake {
    name: "coordinated-omission",
    group: Group::Threads,
    symptom: "every --stall-every, everything stalls for --stall-for; requests sent one by one hardly show it",
    own_flags: &["stall_every", "stall_for"],
    routes: |settings| Ok(routes(&settings.own)),
    ..Mistake::USUAL
};

pub(crate) fn routes(flags: &OwnFlags) -> Routes {
    let (every, length) = (flags.stall_every, flags.stall_for);
    let routes = api::routes(AsyncOnce);
    Arc::new(move |config| {
        // On the event loop of the worker that registers its routes.
        rt::spawn(stall(every, length));
        routes(config);
    })
}

// ANCHOR: coordinated-omission
async fn stall(every: Duration, length: Duration) {
    let mut due = interval_at(Instant::now() + every - length, every);
    loop {
        due.tick().await;
        // MISTAKE coordinated-omission: this blocks the event loop's thread, and nothing else runs meanwhile.
        thread::sleep(length);
    }
}
// ANCHOR_END: coordinated-omission
