//! The loads of an arm, phase by phase, and what is counted of them: for each load, each phase, and the arm.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;

use crate::http::Endpoint;
use crate::lab::{Load, Phase};
use crate::measure::{LagLog, StreamLog};
use crate::result::StreamStats;
use crate::traffic::{Exchange, LoadPlan, RunningLoad, Schedule, asked};

/// The requests of an arm.
#[derive(Debug, Clone, Default)]
pub(super) struct ArmLogs {
    /// Of the phases that all arms have.
    pub(super) shared: RequestLogs,
    /// Of the phases of this arm alone.
    pub(super) own: RequestLogs,
}

/// Some requests, by the kind of their answers.
#[derive(Debug, Clone, Default)]
pub(super) struct RequestLogs {
    pub(super) streams: Arc<StreamLog>,
    /// Those with a whole answer.
    pub(super) calls: Arc<StreamLog>,
}

impl ArmLogs {
    /// Tokens received so far.
    pub(super) fn tokens(&self) -> u64 {
        self.all().iter().map(|log| log.tokens()).sum()
    }

    /// All of them.
    pub(super) fn all(&self) -> Vec<Arc<StreamLog>> {
        let logs = [&self.shared, &self.own].into_iter();
        logs.flat_map(|logs| [logs.streams.clone(), logs.calls.clone()]).collect()
    }
}

impl RequestLogs {
    fn part_of(totals: &RequestLogs) -> Self {
        let part_of = |total: &Arc<StreamLog>| Arc::new(StreamLog::part_of(total.clone()));
        RequestLogs { streams: part_of(&totals.streams), calls: part_of(&totals.calls) }
    }

    fn of(&self, load: &Load) -> &Arc<StreamLog> {
        if load.is_stream() { &self.streams } else { &self.calls }
    }
}

/// The loads of one phase of an arm.
pub(super) struct PhaseLoads {
    logs: RequestLogs,
    by_name: BTreeMap<String, Arc<StreamLog>>,
    running: Vec<RunningLoad>,
}

impl PhaseLoads {
    /// Starts the loads of `phase`, `later` than the phase. Those of one name are counted together.
    pub(super) fn start(phase: &Phase, later: Duration, endpoint: &Endpoint, arm: &ArmLogs, lag: &Arc<LagLog>) -> Self {
        let totals = if phase.only.is_some() { &arm.own } else { &arm.shared };
        let (logs, mut by_name) = (RequestLogs::part_of(totals), BTreeMap::<_, Arc<StreamLog>>::new());
        let start = |(load, seed): (&Load, u64)| {
            let new = || Arc::new(StreamLog::part_of(logs.of(load).clone()));
            let log = by_name.entry(load.name.clone()).or_insert_with(new);
            let exchange = Exchange { client: load.client, ..Exchange::new(endpoint.clone(), load.request.clone()) };
            let plan = LoadPlan { seed, delay: later, ..LoadPlan::new(exchange, load.schedule.clone()) };
            RunningLoad::start(plan, log.clone(), lag.clone())
        };
        let running = phase.loads.iter().zip(1..).map(start).collect();
        PhaseLoads { logs, by_name, running }
    }

    /// How many streams and calls the loads of `phase` ask for now, `since` the start of the phase. Once the phase
    /// `is_over`, they replace none that has ended.
    pub(super) fn asked(&self, phase: &Phase, since: Duration, is_over: bool) -> u64 {
        let of_name = |(name, log): (&String, &Arc<StreamLog>)| {
            let loads = || phase.loads.iter().filter(|load| load.name == *name);
            let users = if is_over { 0 } else { loads().map(|load| load.schedule.users_at(since)).sum() };
            // A rejected call has been answered; a rejected stream is missing. A rate asks for no number of them.
            let is_number = |load: &Load| load.is_stream() && matches!(load.schedule, Schedule::Once { .. });
            asked(log, users, !is_over && loads().all(is_number))
        };
        self.by_name.iter().map(of_name).sum()
    }

    /// Whether every load that ends by itself has ended.
    pub(super) fn are_done(&self) -> bool {
        self.running.iter().all(|load| !load.ends() || load.has_ended())
    }

    /// Sends nothing more.
    pub(super) fn stop(&self) {
        self.running.iter().for_each(RunningLoad::stop);
    }

    /// Waits until all requests have ended, at most for `limit`.
    pub(super) async fn wait(&self, limit: Duration) {
        join_all(self.running.iter().map(|load| load.wait(limit))).await;
    }

    /// Closes all connections.
    pub(super) async fn disconnect(&self) {
        join_all(self.running.iter().map(RunningLoad::disconnect)).await;
    }

    /// Its streams, if it has any.
    pub(super) fn streams(&self, phase: &Phase, window: &Window) -> Option<StreamStats> {
        phase.streams().next().map(|_| window.stats(&self.logs.streams))
    }

    /// Its calls with a whole answer, if it has any.
    pub(super) fn calls(&self, phase: &Phase, window: &Window) -> Option<StreamStats> {
        phase.calls().next().map(|_| window.stats(&self.logs.calls))
    }

    /// Each of its loads.
    pub(super) fn each(&self, window: &Window) -> BTreeMap<String, StreamStats> {
        self.by_name.iter().map(|(name, log)| (name.clone(), window.stats(log))).collect()
    }
}

/// When a run began, and how long it took.
#[derive(Debug, Clone, Copy)]
pub(super) struct RunTime {
    pub(super) origin: Instant,
    pub(super) elapsed: Duration,
}

/// When a phase was measured.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    from: Instant,
    to: Instant,
    /// Duration of the whole run.
    elapsed: Duration,
}

impl RunTime {
    /// Between these times since the start of the run.
    pub(super) fn window(self, from: Duration, to: Duration) -> Window {
        Window { from: self.origin + from, to: self.origin + to, elapsed: self.elapsed }
    }
}

impl Window {
    /// The figures of all requests, with those completed per second in the window alone.
    fn stats(&self, log: &StreamLog) -> StreamStats {
        let completed_per_second = log.completed_per_second(self.from, self.to);
        StreamStats { completed_per_second, ..log.stats(self.elapsed) }
    }
}
