//! How long the requests of `run` took, and how many met what was required of each.

use super::with_calls::requests;
use super::{Paint, Terminal, wrap};
use crate::numbers::{count, number, short_millis};
use crate::result::{Quantiles, RunResult, StreamStats, TargetResult};

/// Columns of a label and of a quantile.
const LABEL: usize = 40;
const QUANTILE: usize = 8;

/// Prints the latencies of the requests of `run`, with goodput where something was required of each.
pub(super) fn request_times(terminal: &Terminal, result: &RunResult) {
    let Some((word, stats)) = requests(result).filter(|_| result.command == "run") else { return };
    let rows = rows(stats, word, result.parameters.get("rate").is_some_and(|rate| !rate.is_null()));
    if !rows.is_empty() {
        terminal.line("");
        let heads: String = ["p50", "p90", "p99", "max"].map(|head| format!("{head:>QUANTILE$}")).concat();
        let title = format!("time of {word}");
        terminal.line(terminal.paint(Paint::Bold, &format!(" {title:<LABEL$}{heads}")));
        rows.iter().for_each(|row| terminal.line(row));
    }
    if !stats.formats.is_empty() {
        let formats = stats.formats.iter().map(|(name, streams)| format!("{} {}", count(*streams), meaning(name)));
        let formats = formats.collect::<Vec<_>>().join(", ");
        terminal.line(wrap(" format of the tokens: ", &formats));
    }
    goodput(stats).into_iter().for_each(|(label, what)| terminal.line(wrap(&label, &what)));
    let servers = result.target.as_ref().map(|target| &target.targets[..]).unwrap_or_default();
    by_server(servers, word).into_iter().for_each(|line| terminal.line(line));
}

/// A row for each time. Of requests that came at a rate, those from when they were sent stand beside those from when they
/// were due: the difference is what this program itself was late by.
fn rows(stats: &StreamStats, word: &str, at_rate: bool) -> Vec<String> {
    let one = &word[..word.len() - 1];
    let mut rows = Vec::new();
    let mut add = |label: &str, times: Quantiles| {
        if times.max > 0.0 {
            let times = [times.p50, times.p90, times.p99, times.max].map(short_millis);
            let cells: String = times.map(|time| format!("{time:>QUANTILE$}")).concat();
            rows.push(format!(" {label:<LABEL$}{cells}"));
        }
    };
    if word == "streams" {
        add("first token, from due", stats.time_to_first_token_ms);
        if at_rate {
            add("  from sent", stats.time_to_first_token_from_sent_ms);
        }
        add("between two tokens", stats.inter_token_ms);
        add("per token, mean of a stream", stats.time_per_token_ms);
    }
    add(&format!("whole {one}, from due, if completed"), stats.latency_ms);
    if at_rate {
        add("  from sent", stats.latency_from_sent_ms);
    }
    add("rejection, from due", stats.rejection_latency_ms);
    rows
}

/// What a format is, for people.
fn meaning(format: &str) -> String {
    match format {
        "chat" => "{\"content\"} events (chat)".to_owned(),
        "openai" => "OpenAI chunks (openai)".to_owned(),
        "anthropic" => "Anthropic events (anthropic)".to_owned(),
        "responses" => "events of the Responses API (responses)".to_owned(),
        "sse" => "events of another kind (sse)".to_owned(),
        "jsonl" => "JSON lines (jsonl)".to_owned(),
        "text" => "pieces of text (text)".to_owned(),
        other => other.to_owned(),
    }
}

/// A line for each of several servers: of their figures together none shows which one is slow.
fn by_server(servers: &[TargetResult], word: &str) -> Vec<String> {
    const CELL: usize = 11;
    /// Probes that fit.
    const PROBES: usize = 2;
    let Some(first) = servers.first() else { return Vec::new() };
    let probes: Vec<_> = first.probes.keys().rev().take(PROBES).collect();
    let heads = [word, "lost", if word == "streams" { "token p99" } else { "call p99" }].map(str::to_owned);
    let heads = heads
        .into_iter()
        .chain(probes.iter().map(|name| format!("{:.6} p99", name.rsplit('_').next().unwrap_or(name))));
    let row = |label: &str, cells: Vec<String>| {
        let cells: String = cells.iter().map(|cell| format!("{cell:>CELL$}")).collect();
        format!(" {label:<21}{cells}")
    };
    let mut lines = vec![String::new(), row("by server", heads.collect())];
    for server in servers {
        let streams = &server.streams;
        let time = if word == "streams" { streams.time_to_first_token_ms } else { streams.latency_ms };
        let probes = probes.iter().map(|name| match server.probes.get(*name) {
            Some(probe) if probe.timed() > 0 => short_millis(probe.latency_ms.p99),
            _ => "-".to_owned(),
        });
        // Without a request that got so far, no time was measured.
        let time = if time.max > 0.0 { short_millis(time.p99) } else { "-".to_owned() };
        let own = [count(streams.requested), count(streams.lost()), time];
        lines.push(row(server.url.trim_start_matches("http://"), own.into_iter().chain(probes).collect()));
    }
    lines
}

fn goodput(stats: &StreamStats) -> Vec<(String, String)> {
    let Some(goodput) = &stats.goodput else { return Vec::new() };
    let Some(percent) = goodput.percent() else { return Vec::new() };
    let met = format!(
        "{} of {} met all objectives for each request ({percent:.1} %), {} per second",
        count(goodput.met),
        count(goodput.of),
        number(goodput.per_second)
    );
    let mut lines = vec![(" goodput: ".to_owned(), met)];
    let failed = goodput.of.saturating_sub(stats.completed);
    let not_completed = (failed > 0).then(|| format!("{} not completed", count(failed)));
    let missed = goodput.missed.iter().filter(|(_, missed)| **missed > 0);
    let missed = missed.map(|(objective, missed)| format!("{} not {objective}", count(*missed)));
    let why: Vec<_> = missed.chain(not_completed).collect();
    if !why.is_empty() {
        lines.push(("   of the others: ".to_owned(), why.join(", ")));
    }
    lines
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::result::RequestGoodput;

    #[test]
    fn times_from_sent_are_shown_of_open_arrivals() {
        let times = |ms| Quantiles { p50: ms, p90: ms, p99: ms, max: ms };
        let stats = StreamStats {
            time_to_first_token_ms: times(12.0),
            time_to_first_token_from_sent_ms: times(11.0),
            latency_ms: times(2_500.0),
            latency_from_sent_ms: times(2_400.0),
            ..StreamStats::default()
        };
        let labels = |word, at_rate| -> Vec<String> {
            rows(&stats, word, at_rate).iter().map(|row| row[1..=LABEL].trim_end().to_owned()).collect()
        };
        assert_eq!(labels("streams", false), ["first token, from due", "whole stream, from due, if completed"]);
        assert_eq!(labels("streams", true)[1], "  from sent");
        assert_eq!(labels("calls", true), ["whole call, from due, if completed", "  from sent"]);
        let row = &rows(&stats, "streams", false)[1];
        assert!(row.ends_with("    2.5s    2.5s    2.5s    2.5s") && row.len() <= 80, "{row}");
    }

    #[test]
    fn a_server_that_answered_nothing_has_no_time() {
        let server = |stats: StreamStats| TargetResult { streams: stats, ..TargetResult::default() };
        let times = Quantiles { p50: 12.0, p90: 12.0, p99: 12.0, max: 12.0 };
        let failed = || server(StreamStats { requested: 40, failed: 40, ..StreamStats::default() });
        let last = |servers: &[TargetResult], word| -> Vec<String> {
            by_server(servers, word)[2..].iter().map(|line| line.split(' ').next_back().unwrap().to_owned()).collect()
        };
        let stream = server(StreamStats { requested: 40, time_to_first_token_ms: times, ..StreamStats::default() });
        let expected = [short_millis(12.0), "-".to_owned()];
        assert_eq!(last(&[stream, failed()], "streams"), expected);
        let call = server(StreamStats { requested: 40, latency_ms: times, ..StreamStats::default() });
        assert_eq!(last(&[call, failed()], "calls"), expected);
    }

    #[test]
    fn goodput_says_what_the_others_missed() {
        let missed = BTreeMap::from([("e2e<9s".to_owned(), 0), ("ttft<500ms".to_owned(), 10)]);
        let goodput = RequestGoodput { met: 80, of: 95, per_second: 8.0, missed };
        let stats = StreamStats { completed: 90, goodput: Some(goodput), ..StreamStats::default() };
        let said = super::goodput(&stats);
        assert_eq!(
            said.iter().map(|(label, what)| (&**label, &**what)).collect::<Vec<_>>(),
            [
                (" goodput: ", "80 of 95 met all objectives for each request (84.2 %), 8 per second"),
                ("   of the others: ", "10 not ttft<500ms, 5 not completed")
            ]
        );
        assert!(super::goodput(&StreamStats::default()).is_empty());
    }
}
