//! What is shown of a server that this program did not start: a dashboard where there is a screen for it, otherwise a line
//! per second.

use std::sync::Arc;
use std::time::Duration;

use super::stage::Stage;
use crate::dashboard::draw;
use crate::engine::Tick;
use crate::http::Endpoint;
use crate::lab::LOADED;
use crate::live::{ArmNow, Plan, TargetFrames};
use crate::measure::{ProbeLog, ServerSamples, StreamLog};
use crate::numbers::count;
use crate::report::{self, Terminal};
use crate::traffic::{Schedule, asked};
use crate::vendor::LatestCounts;

/// What is shown of a server that this program did not start.
pub(super) struct TargetView<'a> {
    terminal: &'a Terminal,
    server: String,
    /// The phases of the run, if it has any.
    plan: Plan,
    /// Requests with which the run ends, if it ends with a number of them.
    requests: Option<u64>,
    dashboard: Option<(Stage, TargetFrames)>,
    /// The phase that is under way, and when it began.
    phase: (usize, Duration),
    /// The requests of the load, once it has begun.
    requested: Option<Arc<StreamLog>>,
    /// The load that is on, and when it began.
    load: Option<(Schedule, Duration)>,
    /// What its vendor has seen, if that is known.
    vendor: Option<LatestCounts>,
    /// Whether the heading of the lines has been printed.
    has_heading: bool,
}

impl<'a> TargetView<'a> {
    /// Lines.
    pub(super) fn lines(server: &Endpoint, terminal: &'a Terminal) -> Self {
        let (server, dashboard, phase) = (server.to_string(), None, (0, Duration::ZERO));
        TargetView {
            terminal,
            server,
            plan: Plan::default(),
            requests: None,
            dashboard,
            phase,
            requested: None,
            load: None,
            vendor: None,
            has_heading: false,
        }
    }

    /// A dashboard for a run of these phases, if it is wanted and there is a screen for it; otherwise lines.
    pub(super) fn open(title: &str, server: &Endpoint, plan: Plan, wanted: bool, terminal: &'a Terminal) -> Self {
        let stage = Stage::open(title, wanted, terminal);
        let dashboard = stage.map(|stage| (stage, TargetFrames::start(server, plan.clone())));
        TargetView { dashboard, plan, ..Self::lines(server, terminal) }
    }

    /// The same of a run that ends with this many requests, if it does.
    pub(super) fn of_requests(self, requests: Option<u64>) -> Self {
        TargetView { requests, ..self }
    }

    /// The phase with this index begins.
    pub(super) fn phase(&mut self, index: usize, now: Duration) {
        self.phase = (index, now);
    }

    /// The vendor behind the server is watched.
    pub(super) fn vendor(&mut self, counts: LatestCounts) {
        self.vendor = Some(counts);
    }

    /// A load begins, whose requests are counted in `requested`.
    pub(super) fn load(&mut self, schedule: Schedule, now: Duration, requested: Arc<StreamLog>) {
        self.requested = Some(requested);
        self.load = Some((schedule, now));
    }

    /// The load replaces none of its requests any more.
    pub(super) fn load_stops(&mut self) {
        self.load = None;
    }

    /// Prints the heading of the lines, unless a dashboard takes their place.
    pub(super) fn head(&mut self, probes: &[Arc<ProbeLog>]) {
        if !self.has_dashboard() && !std::mem::replace(&mut self.has_heading, true) {
            report::heading_of_one(self.terminal, &self.server, probes);
        }
    }

    /// Prints a line about the run, unless a dashboard takes its place.
    pub(super) fn line(&self, text: impl AsRef<str>) {
        if !self.has_dashboard() {
            self.terminal.line(text);
        }
    }

    /// A tick has passed: draws the dashboard, or prints the line of a whole second.
    pub(super) fn tick(&mut self, tick: Tick, server: &ServerSamples, probes: &[Arc<ProbeLog>]) {
        self.draw(tick, server, probes);
        if self.has_dashboard() {
            return;
        }
        self.head(probes);
        if let Some(second) = tick.second() {
            let left = self.left(second, server);
            report::second_of_one(self.terminal, second, server.active(), probes, &left);
        }
    }

    /// Draws the dashboard, if there is one.
    pub(super) fn draw(&mut self, tick: Tick, server: &ServerSamples, probes: &[Arc<ProbeLog>]) {
        let users = self.load.as_ref().map_or(0, |(load, begun)| load.users_at(tick.at().saturating_sub(*begun)));
        let Some((stage, frames)) = self.dashboard.as_mut().filter(|(stage, _)| stage.is_on()) else { return };
        let asked = self.requested.as_ref().map_or(0, |log| asked(log, users, false));
        let vendor = self.vendor.as_ref().and_then(LatestCounts::get);
        let arm = ArmNow { server, probes, asked, pool: None, vendor };
        let frame = frames.at(tick.at(), Some(self.phase), arm).clone();
        stage.show(false, move |screen, look| draw(&frame, screen, look));
    }

    /// What is left of the run: nothing if that is not known.
    fn left(&self, now: Duration, server: &ServerSamples) -> String {
        match (self.requests, self.plan.at(self.phase.0, self.phase.1, now)) {
            (Some(requests), Some(phase)) if phase.name == LOADED => {
                format!("{} of {} ended", count(server.ended()), count(requests))
            }
            (None, Some(phase)) if phase.run_left_ms > 0.0 => {
                format!("{} s left", (phase.run_left_ms / 1000.0).round() as u64)
            }
            _ => String::new(),
        }
    }

    fn has_dashboard(&self) -> bool {
        self.dashboard.as_ref().is_some_and(|(stage, _)| stage.is_on())
    }
}
