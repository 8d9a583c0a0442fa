//! What `loadgen watch` shows: a dashboard where there is a screen for it, otherwise a line per second.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::commands::hint;
use crate::commands::stage::Stage;
use crate::dashboard::draw;
use crate::engine::Tick;
use crate::http::Endpoint;
use crate::live::{ArmNow, ProbeFrame, TargetFrames, latest};
use crate::measure::{ProbeLog, Sampler, ServerSamples};
use crate::report::{self, Terminal};

/// Older answers are dropped, so that memory stays bounded.
const KEPT: Duration = Duration::from_secs(60);
/// A check that waits for this long hangs.
const HANGS_MS: f64 = 1_000.0;

/// What is shown. Dropped, it leaves the last line of a dashboard on the ordinary screen.
pub(super) struct View<'a> {
    terminal: &'a Terminal,
    server: String,
    probes: &'a [Arc<ProbeLog>],
    frames: TargetFrames,
    dashboard: Option<Dashboard>,
    /// Lines below the last heading.
    lines: u64,
    /// The last whole second.
    second: Option<Duration>,
    /// The server as it was named.
    url: &'a str,
    /// The path of the first check that hung, if one did.
    hung: Option<&'a str>,
}

/// The dashboard, and the samples that are its time axis.
struct Dashboard {
    stage: Stage,
    samples: Arc<ServerSamples>,
    _sampler: Sampler,
}

impl<'a> View<'a> {
    /// Shows `probes` of `server`, which began at `origin`; as a dashboard, if it is wanted.
    pub(super) async fn open(
        url: &'a str,
        server: &Endpoint,
        origin: Instant,
        probes: &'a [Arc<ProbeLog>],
        wanted: bool,
        terminal: &'a Terminal,
    ) -> Self {
        let frames = TargetFrames::endless(server);
        frames.gauges().first().await;
        let dashboard = Stage::open("watch", wanted, terminal).map(|stage| {
            let stage = stage.of_probes_only();
            let samples = Arc::new(ServerSamples::new(None, Vec::new()));
            Dashboard { stage, _sampler: Sampler::start(origin, vec![samples.clone()]), samples }
        });
        View {
            terminal,
            server: server.to_string(),
            probes,
            frames,
            dashboard,
            lines: 0,
            second: None,
            url,
            hung: None,
        }
    }

    /// A tick has passed: draws the dashboard, or prints the line of a whole second.
    pub(super) fn tick(&mut self, tick: Tick) {
        self.second = tick.second().or(self.second);
        self.hung = self.hung.or_else(|| self.hangs(tick.at()));
        match self.dashboard.as_ref().filter(|dashboard| dashboard.stage.is_on()) {
            Some(dashboard) => {
                let (server, probes) = (&*dashboard.samples, self.probes);
                let arm = ArmNow { server, probes, asked: 0, pool: None, vendor: None };
                let mut frame = self.frames.at(tick.at(), None, arm).clone();
                // Nobody here knows how many streams there were.
                let collapses = frame.arms.iter_mut().filter_map(|arm| arm.collapse.as_mut());
                collapses.for_each(|collapse| "collapse".clone_into(&mut collapse.label));
                dashboard.stage.show(false, move |screen, look| draw(&frame, screen, look));
                dashboard.samples.forget(tick.at().saturating_sub(KEPT));
            }
            None if tick.second().is_some() => self.line(),
            None => {}
        }
        self.probes.iter().for_each(|log| log.forget(tick.at().saturating_sub(KEPT)));
    }

    /// The path of a check that has no answer now, and has waited for as long as somebody notices.
    fn hangs(&self, now: Duration) -> Option<&'a str> {
        let hangs = |log: &&Arc<ProbeLog>| match latest(log, now.saturating_sub(Duration::from_secs(1)), now) {
            ProbeFrame::Waiting { ms } | ProbeFrame::TimedOut { ms } => ms >= HANGS_MS,
            _ => false,
        };
        let probes = self.probes;
        probes.iter().find(hangs).map(|log| log.kind.path.as_str())
    }

    /// Prints the line of the last second, and a heading where the last one may be out of sight.
    fn line(&mut self) {
        let Some(second) = self.second else { return };
        let gauges = self.frames.gauges();
        if self.lines.is_multiple_of(report::WATCH_LINES) {
            report::watch_heading(self.terminal, &self.server, self.probes, gauges.available());
        }
        report::watch_line(self.terminal, second, self.probes, &gauges.text());
        self.lines += 1;
    }
}

impl Drop for View<'_> {
    fn drop(&mut self) {
        let had_dashboard = self.dashboard.take().is_some_and(|dashboard| dashboard.stage.is_on());
        if had_dashboard {
            self.line();
        }
        if let Some(path) = self.hung {
            self.terminal.line(hint::to_diagnose(self.url, None, path));
        }
    }
}
