//! The vendor's ledger, for each server.

use std::collections::BTreeMap;

use wire::ledger::Ledger;

use super::table::{Row, by_arm, row};
use super::writer::Html;
use crate::numbers::count;
use crate::result::{NamedArm, RunResult};

/// A count of the ledger: its label, and whether it is shown where it is 0 for all.
type Counted = (&'static str, bool, fn(&Ledger) -> u64);

const COUNTS: [Counted; 15] = [
    ("generations started", true, |ledger| ledger.started),
    ("  of them retried", false, |ledger| ledger.retried),
    ("  completed", true, |ledger| ledger.completed),
    ("    at the limit of their length", false, |ledger| ledger.completed_by_limit),
    ("  cancelled", true, |ledger| ledger.cancelled),
    ("  failed by a fault", false, |ledger| ledger.failed),
    ("  under way at the end", false, |ledger| ledger.active),
    ("generations at once, at most", true, |ledger| ledger.peak_active),
    ("rejected by a quota", false, |ledger| ledger.refused),
    ("came early, before Retry-After", false, |ledger| ledger.early),
    ("requests without an answer", false, |ledger| ledger.unanswered),
    ("prompt tokens", false, |ledger| ledger.prompt_tokens),
    ("tokens sent", true, |ledger| ledger.tokens_sent),
    ("tokens after disconnect", false, |ledger| ledger.tokens_after_disconnect),
    ("connections with requests", false, |ledger| ledger.client_connections),
];

/// Writes the ledger of the vendor behind each server.
pub(super) fn vendor(html: &mut Html, result: &RunResult) {
    let servers = result.servers();
    let ledgers: Vec<_> = servers.iter().map(|(_, arm)| arm.vendor.as_ref()).collect();
    if ledgers.iter().all(Option::is_none) {
        return;
    }
    let shown =
        COUNTS.iter().filter(|(_, always, of)| *always || ledgers.iter().flatten().any(|ledger| of(ledger) > 0));
    let mut rows: Vec<Row> =
        shown.map(|(label, _, of)| row(&servers, label, |arm| Some(count(of(arm.vendor.as_ref()?))))).collect();
    rows.extend(by_name(&servers, "answered with status ", |ledger| &ledger.requests_by_status));
    rows.extend(by_name(&servers, "fault injected: ", |ledger| &ledger.faults));
    by_arm(html, "What the vendor saw, over the whole run", &servers, &rows);
}

fn by_name(servers: &[NamedArm], prefix: &str, of: fn(&Ledger) -> &BTreeMap<String, u64>) -> Vec<Row> {
    let ledgers = servers.iter().filter_map(|(_, arm)| arm.vendor.as_ref());
    let mut names: Vec<_> = ledgers.flat_map(|ledger| of(ledger).keys()).collect();
    names.sort();
    names.dedup();
    let cell = |ledger: &Ledger, name: &String| count(*of(ledger).get(name).unwrap_or(&0));
    let row = |name| row(servers, &format!("{prefix}{name}"), |arm| Some(cell(arm.vendor.as_ref()?, name)));
    names.into_iter().map(row).collect()
}
