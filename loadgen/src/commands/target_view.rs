//! What is shown of a server that this program did not start: a dashboard where there is a screen for it, otherwise a line
//! per second.

use std::sync::Arc;
use std::time::Duration;

use super::stage::Stage;
use crate::dashboard::draw;
use crate::engine::Tick;
use crate::http::Endpoint;
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
    /// Requests with which the load ends, if it ends with a number of them, and the most that it takes.
    requests: Option<(u64, Duration)>,
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
        let dashboard = stage.map(|stage| (stage, TargetFrames::start(server)));
        TargetView { dashboard, plan, ..Self::lines(server, terminal) }
    }

    /// The same of several servers.
    pub(super) fn of_servers(self, servers: &[Endpoint]) -> Self {
        TargetView { server: servers.iter().map(Endpoint::to_string).collect::<Vec<_>>().join(", "), ..self }
    }

    /// The same of a load that ends with this many requests, if it does, and after this time at the latest.
    pub(super) fn of_requests(self, requests: Option<u64>, at_most: Duration) -> Self {
        TargetView { requests: requests.map(|requests| (requests, at_most)), ..self }
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
        self.plan_anew(tick.at());
        self.draw(tick, server, probes);
        if self.has_dashboard() {
            return;
        }
        self.head(probes);
        if let Some(second) = tick.second() {
            let left = self.left(second);
            report::second_of_one(self.terminal, second, server.active(), probes, &left);
        }
    }

    /// Draws the dashboard, if there is one.
    pub(super) fn draw(&mut self, tick: Tick, server: &ServerSamples, probes: &[Arc<ProbeLog>]) {
        let phase = self.plan.at(self.phase.0, self.phase.1, tick.at());
        let users = self.load.as_ref().map_or(0, |(load, begun)| load.users_at(tick.at().saturating_sub(*begun)));
        let Some((stage, frames)) = self.dashboard.as_mut().filter(|(stage, _)| stage.is_on()) else { return };
        let asked = self.requested.as_ref().map_or(0, |log| asked(log, users, false));
        let vendor = self.vendor.as_ref().and_then(LatestCounts::get);
        let arm = ArmNow { server, probes, asked, pool: None, vendor };
        let frame = frames.at(tick.at(), phase, arm).clone();
        stage.show(false, move |screen, look| draw(&frame, screen, look));
    }

    /// Plans the phase under load as long as its requests take at the pace so far, if the run ends with their number.
    fn plan_anew(&mut self, now: Duration) {
        let Some((requests, at_most)) = self.requests else { return };
        if let (Some(log), Some((_, began))) = (&self.requested, &self.load) {
            let (ended, elapsed) = (log.ended().min(requests), now.saturating_sub(*began));
            // Until one has ended, as much again as has passed.
            let whole = elapsed.mul_f64(if ended == 0 { 2.0 } else { requests as f64 / ended as f64 });
            self.plan.plan_anew(self.phase.0, whole.min(at_most));
        }
    }

    /// What is left of the run: nothing if that is not known.
    fn left(&self, now: Duration) -> String {
        let Some(phase) = self.plan.at(self.phase.0, self.phase.1, now) else { return String::new() };
        let left = format!("{} s left", (phase.run_left_ms / 1000.0).round() as u64);
        match (self.requests, &self.requested) {
            (None, _) => left,
            // Nobody knows yet how fast they are answered.
            (Some(_), None) => String::new(),
            (Some((requests, _)), Some(log)) => match log.ended() {
                0 => format!("0 of {} ended", count(requests)),
                ended => format!("{} of {} ended, about {left}", count(ended), count(requests)),
            },
        }
    }

    fn has_dashboard(&self) -> bool {
        self.dashboard.as_ref().is_some_and(|(stage, _)| stage.is_on())
    }
}
