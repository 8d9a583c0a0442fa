//! A layer that holds the body of an answer until it is complete.

use std::time::Duration;

use super::common::millis;
use crate::lab::{
    Arm, BASELINE, ByHand, Claim, Group, HEALTH_ASYNC, LOADED, Lab, Load, MetricFigure, Phase, Profile, RequestFigure,
    at, flags,
};
use crate::result::{MetricName, Quantile};

pub(super) fn lab() -> Lab {
    Lab {
        name: "buffered-stream",
        group: Group::Calls,
        mistake: "a layer around all handlers compresses or collects the body of an answer: streams arrive at their end, in \
                  one burst",
        fix: "layers leave the body of a stream alone: it goes to the connection piece by piece, as the vendor sends it",
        fix_file: "fixed-server/src/observe.rs",
        repair_file: "broken-server/src/observe.rs",
        proves_not: "that streams can't be compressed (a layer that flushes after each event may do it), or what a proxy \
                     makes of X-Accel-Buffering: there is none in this lab",
        by_hand: ByHand::NeedsItsLab(
            "It shows in the time to the first token of clients that accept gzip, as browsers do. The clients here do not.",
        ),
        normal: profile(&Numbers { browsers: 20, others: 10, tokens: 100, gap: millis(30) }),
        fast: profile(&Numbers { browsers: 8, others: 4, tokens: 60, gap: millis(25) }),
    }
}

struct Numbers {
    /// Clients that accept gzip, as browsers do.
    browsers: u32,
    /// Clients that do not, such as curl.
    others: u32,
    tokens: u32,
    gap: Duration,
}

const FIRST_TOKEN: Duration = millis(100);
const BROWSERS: &str = "browsers";
const OTHERS: &str = "others";

impl Numbers {
    /// How long a whole answer takes.
    fn answer(&self) -> Duration {
        FIRST_TOKEN + self.gap * (self.tokens - 1)
    }
}

fn profile(n: &Numbers) -> Profile {
    let (ttft, gap) = (FIRST_TOKEN.as_millis(), n.gap.as_millis());
    let browsers = Load::streams(n.browsers).named(BROWSERS).header("accept-encoding", "gzip");
    Profile {
        vendor: flags(&format!("--tokens {} --ttft {ttft}ms --inter-token {gap}ms", n.tokens)),
        arms: vec![
            Arm::broken(),
            Arm::broken().named("broken-log").mistake_flags("--layer log"),
            Arm::control(),
            Arm::fixed(),
        ],
        phases: vec![
            Phase::new(BASELINE, "idle").hold(millis(500)),
            Phase::new(LOADED, "streams")
                .adds(browsers)
                .adds(Load::streams(n.others).named(OTHERS))
                .settle(millis(250))
                .hold(n.answer() * 3 / 5),
            Phase::new("ended", "ended").hold(n.answer() / 2),
        ],
        probes: vec![HEALTH_ASYNC],
        claims: claims(n),
        ..Profile::default()
    }
}

fn claims(n: &Numbers) -> Vec<Claim> {
    let streams = |arm, load, what| at(arm, LOADED).load(load).streams(what);
    let first_token = |arm, load| {
        streams(arm, load, RequestFigure::FirstToken(Quantile::P50)).in_units_of(n.answer(), "of an answer")
    };
    let burst = |arm| {
        let gaps = streams(arm, BROWSERS, RequestFigure::TokenGap(Quantile::P90)).in_units_of(n.gap, "gaps");
        Claim::at_most(0.1, "time between tokens, p90", gaps)
    };
    let late = |arm| Claim::at_least(0.8, "time to first token, p50", first_token(arm, BROWSERS));
    let soon = |arm| Claim::at_most(0.25, "time to first token, p50", first_token(arm, BROWSERS));
    let whole = |arm| {
        let completed = streams(arm, BROWSERS, RequestFigure::Completed);
        Claim::exactly(n.browsers, "streams completed", completed)
    };
    // Half a second and less: a bucket of its histogram.
    let in_time = MetricName::new("llm_time_to_first_token_seconds_bucket").with("le", "0.512");
    let by_its_own = |arm| {
        let counted = at(arm, "ended").metric(in_time.clone(), MetricFigure::Value);
        Claim::exactly(n.browsers + n.others, "first tokens in time, by its metrics", counted).condition()
    };
    vec![
        late("broken"),
        burst("broken"),
        late("broken-log"),
        burst("broken-log"),
        soon("fixed"),
        whole("fixed"),
        by_its_own("broken"),
        by_its_own("broken-log"),
        Claim::at_most(0.25, "the same without gzip, p50", first_token("broken", OTHERS)).condition(),
        whole("broken").condition(),
        whole("broken-log").condition(),
        soon("control").control(),
        whole("control").control(),
    ]
}
