use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use fastrand::Rng;

use crate::recorder::Recorder;
use crate::settings::Settings;
use crate::text::mix;

/// What all requests share.
#[derive(Debug)]
pub(crate) struct Vendor {
    pub(crate) settings: Settings,
    pub(crate) recorder: Arc<Recorder>,
    requests: AtomicU64,
}

impl Vendor {
    pub(crate) fn new(settings: Settings) -> Arc<Self> {
        Arc::new(Vendor { settings, recorder: Arc::default(), requests: AtomicU64::new(0) })
    }

    /// The number of the next request, from 0. It names the request's random choices.
    pub(crate) fn next_request(&self) -> u64 {
        self.requests.fetch_add(1, Ordering::Relaxed)
    }

    /// The random choices of request `number`: a function of it and the seed alone, so that what
    /// else goes on does not change them.
    pub(crate) fn rng(&self, number: u64) -> Rng {
        Rng::with_seed(mix(self.settings.seed ^ mix(number)))
    }

    /// Forgets what was seen; the next request is number 0 again.
    pub(crate) fn reset(&self) {
        self.recorder.reset();
        self.requests.store(0, Ordering::Relaxed);
    }
}
