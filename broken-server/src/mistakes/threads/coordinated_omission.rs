//! Mistake `coordinated-omission`.
//!
//! What is wrong: now and then something blocks each worker's event loop, and everything waits for it:
//! here a job on a schedule, elsewhere a collector of garbage, a log that is flushed, a large body that
//! is parsed. Between the stalls nothing is wrong.
//! How it shows: to whoever measures with one request after the other, hardly. During a stall he waits
//! for the one answer and sends nothing, so a stall is one slow request among thousands: it vanishes
//! from the mean and from the 99th percentile. Users come when they come.
//! Where the fix is: in fixed-server/src/api/health.rs, where work that blocks goes to a thread of its
//! own. That of the measuring is in loadgen/src/measure/prober.rs: probes are due at fixed times and are
//! timed from then.
//! Who says so: Gil Tene gave it the name. Source 000's validation measures like this, and looks at the
//! mean.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use actix_web::rt;
use tokio::time::{Instant, interval_at};

use crate::api::{self, Routes};
use crate::call_style::AsyncOnce;
use crate::mistake::{Group, Mistake};
use crate::settings::{BLOCKING_THREADS, OwnFlags};

pub(crate) const ENTRY: Mistake = Mistake {
    name: "coordinated-omission",
    group: Group::Threads,
    symptom: "everything stalls for --stall-for in every --stall-every; one request after the other hardly sees it",
    file: "src/mistakes/threads/coordinated_omission.rs",
    blocking_threads: BLOCKING_THREADS,
    limits: false,
    own_flags: &["stall_every", "stall_for"],
    routes: |settings| Ok(routes(&settings.own)),
};

pub(crate) fn routes(flags: &OwnFlags) -> Routes {
    let (every, length) = (flags.stall_every, flags.stall_for);
    let routes = api::routes(AsyncOnce);
    Arc::new(move |config| {
        // In the worker's own thread, on its event loop.
        rt::spawn(stall(every, length));
        routes(config);
    })
}

// ANCHOR: coordinated-omission
async fn stall(every: Duration, length: Duration) {
    let mut due = interval_at(Instant::now() + every - length, every);
    loop {
        due.tick().await;
        // MISTAKE coordinated-omission: this is the event loop's thread, and nothing else runs on it meanwhile.
        thread::sleep(length);
    }
}
// ANCHOR_END: coordinated-omission
