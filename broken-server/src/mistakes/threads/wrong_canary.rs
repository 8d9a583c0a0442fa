//! Mistake `wrong-canary`.
//!
//! What is wrong: the health check times its work in another pool than the one that the streams fill, and
//! has no timeout: if that pool were full, the check would hang.
//! Symptom: `/health` says healthy, in about 10 ms, while `/debug/health-sync` hangs. Those who watch the
//! first do not believe those who report the second.
//! Fix: fixed-server/src/api/health.rs, which probes the pool that the server itself uses, with a timeout.
//! Source: 000, step 1. `run_in_executor(None, ...)` is asyncio's default executor, with min(32, cores + 4)
//! threads; FastAPI runs `def` endpoints in AnyIO's pool of 40.

use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Instant;
use std::{io, thread};

use actix_web::web::Json;
use tokio::sync::oneshot;
use wire::health::HealthReport;

use crate::api::{self, Checks, PROBE_WORK, Routes};
use crate::errors::{ErrorResponse, Failure};
use crate::mistake::{Group, Mistake};
use crate::mistakes::threads::pool_exhaustion::PoolExhaustion;

pub(crate) const ENTRY: Mistake = Mistake {
    name: "wrong-canary",
    group: Group::Threads,
    symptom: "from as many streams as pool threads on, /health says healthy while /debug/health-sync hangs",
    routes: |_| Ok(routes()?),
    ..Mistake::USUAL
};

pub(crate) fn routes() -> io::Result<Routes> {
    let executor = Arc::new(Executor::new()?);
    Ok(api::routes_with(PoolExhaustion, Checks::default().health(move || report(Arc::clone(&executor)))))
}

// ANCHOR: wrong-canary
async fn report(executor: Arc<Executor>) -> Result<Json<HealthReport>, ErrorResponse> {
    let asked = Instant::now();
    // MISTAKE wrong-canary: these threads are always free, because nothing else uses them.
    executor.run(|| thread::sleep(PROBE_WORK)).await?;
    Ok(Json(HealthReport::completed_in(asked.elapsed().as_secs_f64())))
}
// ANCHOR_END: wrong-canary

type Work = Box<dyn FnOnce() + Send>;

/// Threads that share a queue, like Python's ThreadPoolExecutor. They are the standard library's, because a second
/// tokio runtime must not be dropped on an event loop, where this is. They end when it is dropped.
struct Executor {
    queue: mpsc::Sender<Work>,
}

impl Executor {
    /// As many threads as asyncio's default executor has.
    fn new() -> io::Result<Self> {
        let threads = (thread::available_parallelism()?.get() + 4).min(32);
        let (queue, queued) = mpsc::channel::<Work>();
        let queued = Arc::new(Mutex::new(queued));
        for number in 0..threads {
            let queued = Arc::clone(&queued);
            let next = move || queued.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let run_queue = move || {
                while let Ok(work) = next() {
                    work();
                }
            };
            thread::Builder::new().name(format!("executor-{number}")).spawn(run_queue)?;
        }
        Ok(Executor { queue })
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
        const GONE: Failure = Failure::Internal("the executor's threads have ended");
        let (result, waiting) = oneshot::channel();
        let work = Box::new(move || {
            // Sending fails if the client disconnected meanwhile.
            let _ = result.send(work());
        });
        self.queue.send(work).map_err(|_| GONE)?;
        waiting.await.map_err(|_| GONE)
    }
}
