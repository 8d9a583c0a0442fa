//! A connection to the database that is held while the vendor works, or until a stream's body has been sent.

use std::time::Duration;

use super::common::{millis, secs};
use crate::lab::{
    Arm, BASELINE, ByHand, Claim, Group, HEALTH_ASYNC, LOADED, Lab, LedgerFigure, Load, MetricFigure, Phase, Probe,
    ProbeFigure, Profile, RequestFigure, VendorFigure, at, flags,
};
use crate::result::MetricName;
use crate::traffic::{DEMO_KEY, Request, Schedule};

pub(super) fn lab() -> Lab {
    Lab {
        name: "db-held-during-call",
        group: Group::Operations,
        mistake: "a request holds its connection to the database until the vendor has answered, or until its stream has \
                  ended: as many of them as the pool has connections, and all that needs the database hangs",
        fix: "a connection is taken for one statement, and given back before the vendor is called",
        fix_file: "fixed-server/src/sessions/database.rs",
        repair_file: "broken-server/src/mistakes/none.rs",
        proves_not: "that five connections are enough for every server: for statements of a millisecond they are; nor \
                     what happens to a database that has no connections left for its other clients",
        by_hand: ByHand::NeedsItsLab(
            "It shows when more calls with a key run at once than the pool has connections: its lab asks a route that \
             needs the database meanwhile.",
        ),
        normal: profile(&Numbers { idle: secs(1), tokens: 30, wait: secs(3), calls_hold: millis(4400), hold: secs(4) }),
        fast: profile(&Numbers {
            idle: millis(500),
            tokens: 15,
            wait: millis(1200),
            calls_hold: millis(1500),
            hold: millis(1100),
        }),
    }
}

struct Numbers {
    idle: Duration,
    /// Of each answer, which takes twice as long as the wait for a connection.
    tokens: u32,
    /// The longest wait for a connection: 30 s in SQLAlchemy.
    wait: Duration,
    /// While the calls are made. It ends a probe's time-out before they do.
    calls_hold: Duration,
    /// The same while the streams are open.
    hold: Duration,
}

/// Connections of each server: SQLAlchemy's pool, without its overflow of ten more.
const POOL: u32 = 5;
const REQUESTS: u32 = 2 * POOL;
const RAMP: Duration = millis(200);
const GAP: Duration = millis(200);
/// A cheap route for which the servers look a key up in their database.
const MODELS: Probe = Probe { key: Some(DEMO_KEY), ..Probe::new("models", "/v1/models") };
/// The form in which the framework ends the session.
const BODY: &str = "broken-body";
const STREAMS: &str = "streams";
const HEALTH: Probe = Probe { json_field: Some("/status"), ..Probe::new("health", "/health") };

fn profile(n: &Numbers) -> Profile {
    let wait = n.wait.as_millis();
    let pool = format!("--database-pool-size {POOL} --database-acquire-timeout {wait}ms");
    let takes = GAP * n.tokens;
    // The session is what fixed-server stores: it has no other use for its database during a call.
    let load = |name, request: Request| {
        Load::new(name, request.header("x-session-id", "lab")).schedule(Schedule::once(REQUESTS, RAMP))
    };
    Profile {
        vendor: flags(&format!(
            "--tokens {} --ttft {}ms --inter-token {}ms",
            n.tokens,
            GAP.as_millis(),
            GAP.as_millis()
        )),
        arms: vec![
            Arm::broken().flags(&pool),
            Arm::broken().named(BODY).flags(&pool).mistake_flags("--connection-until body"),
            Arm::control().flags(&pool),
            Arm::fixed().flags(&pool),
        ],
        phases: vec![
            Phase::new(BASELINE, "idle").hold(n.idle),
            Phase::new(LOADED, format!("{REQUESTS} calls"))
                .adds(load("calls", Request::completion()))
                .settle(millis(100))
                .hold(n.calls_hold),
            // Until the calls have ended.
            Phase::new("between", "calls over").hold(takes + millis(100) - n.calls_hold),
            Phase::new(STREAMS, format!("{REQUESTS} streams"))
                .adds(load("streams", Request::completion_stream()))
                .settle(millis(600))
                .hold(n.hold),
        ],
        probes: vec![MODELS, HEALTH, HEALTH_ASYNC],
        probe_rate: 10.0,
        probe_timeout: secs(1),
        drain: takes - n.hold,
        needs_database: true,
        claims: claims(),
        ..Profile::default()
    }
}

fn claims() -> Vec<Claim> {
    let answered = |arm, phase| at(arm, phase).probe(MODELS.name, ProbeFigure::AnsweredShare);
    let pool_timeouts =
        |arm, phase| at(arm, phase).metric(MetricName::new("database_acquire_timeouts_total"), MetricFigure::Increase);
    let in_flight = |arm, phase| at(arm, phase).vendor(VendorFigure::ActiveThroughout);
    let reached = |arm, phase| at(arm, phase).ledger(LedgerFigure::Started);
    let without = REQUESTS - POOL;
    let hangs = |arm, phase, what: &str, failed| {
        vec![
            Claim::at_most(10, format!("models answered in 1 s, {what}"), answered(arm, phase)),
            Claim::exactly(POOL, format!("{what} that reached the vendor"), reached(arm, phase)),
            Claim::exactly(without, format!("{what} without a connection, 503"), failed),
            Claim::at_least(without, format!("pool time-outs, {what}"), pool_timeouts(arm, phase)),
        ]
    };
    let green = |arm, phase| {
        let healthy = at(arm, phase).probe(HEALTH.name, ProbeFigure::FieldIs("healthy"));
        let loop_free = at(arm, phase).probe(HEALTH_ASYNC.name, ProbeFigure::AnsweredShare);
        vec![
            Claim::at_least(90, "/health says healthy meanwhile", healthy).condition(),
            Claim::exactly(100, "health-async answered: the loop is free", loop_free).condition(),
        ]
    };
    let clean = |arm, phase, what: &str, completed| {
        vec![
            Claim::exactly(100, format!("models answered in 1 s, {what}"), answered(arm, phase)),
            Claim::exactly(REQUESTS, format!("{what} completed"), completed),
            Claim::exactly(0, format!("pool time-outs, {what}"), pool_timeouts(arm, phase)),
        ]
    };
    let calls = |arm, what| at(arm, LOADED).calls(what);
    let streams = |arm, what| at(arm, STREAMS).streams(what);
    let all = |arm| {
        let of_calls = clean(arm, LOADED, "calls", calls(arm, RequestFigure::Completed));
        [of_calls, clean(arm, STREAMS, "streams", streams(arm, RequestFigure::Completed))].concat()
    };
    let pressure = |arm, phase, what: &str| {
        Claim::at_least(REQUESTS, format!("{what} at the vendor throughout"), in_flight(arm, phase)).pressure()
    };
    [
        hangs("broken", LOADED, "calls", calls("broken", RequestFigure::Status(503))),
        green("broken", LOADED),
        hangs(BODY, STREAMS, "streams", streams(BODY, RequestFigure::Status(503))),
        green(BODY, STREAMS),
        // Given back with the first token, a stream's connection is free for the rest of it.
        vec![Claim::exactly(100, "models answered in 1 s, streams", answered("broken", STREAMS)).condition()],
        all("fixed"),
        all("control").into_iter().map(Claim::control).collect(),
        vec![pressure("control", LOADED, "calls"), pressure("control", STREAMS, "streams")],
    ]
    .concat()
}
