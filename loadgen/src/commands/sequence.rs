//! `loadgen sequence`

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use serde_json::{Value, json};

use super::CommandError;
use super::invocation::command_line;
use super::outputs;
use super::preflight::check_reachable;
use super::target::target;
use crate::cli::SequenceArgs;
use crate::environment::environment;
use crate::measure::{StreamAnswer, StreamLog};
use crate::numbers::in_millis;
use crate::report::{self, Marks, Terminal};
use crate::result::{ArmResult, Generator, RunResult, SequenceCall, SequenceStats, Verdict};
use crate::traffic::{CYCLE, CycleCall, Exchange, ExpectedAnswer, Request};
use crate::verdict;

/// Default path of the calls.
const PATH: &str = "/api/v1/chat/completions";

/// The script of source 002 says that it sends 24,944 tokens, sends a fifth of the words, and prints a tick for every
/// answer, a 500 included. This command sends as many tokens as the table says, and a call has succeeded when its
/// answer is a chat completion. With `--as-in-source` it does what the script does, so that the two can be compared.
pub(super) async fn execute(args: &SequenceArgs, terminal: &Terminal) -> Result<u8, CommandError> {
    let (endpoint, path) = target(&args.url, args.path.as_deref(), PATH)?;
    check_reachable(&endpoint).await?;
    let exchange = Exchange { timeout: args.timeout, ..Exchange::new(endpoint, request(args, path)) };
    let (log, begun) = (Arc::new(StreamLog::default()), Instant::now());
    let sequence = make_calls(args, &exchange, &log, terminal).await;
    let streams = log.stats(begun.elapsed());
    report::sequence_summary(terminal, &sequence);
    let program = exchange.endpoint.to_string();
    let mut target = ArmResult { program, streams, ..ArmResult::default() };
    let verdict = verdict::of_sequence(&target, &sequence);
    report::verdict(terminal, &verdict);
    if args.as_in_source {
        let what = "whether a 200 was an answer of the model; and a tick says only that there was an answer";
        terminal.line(report::wrap("  Not judged:  ", what));
    }
    target.sequence = Some(sequence);
    let exit_code = verdict.exit_code();
    outputs::write(&result(args, exchange.request.path, target, verdict), &args.outputs, terminal)?;
    Ok(exit_code)
}

/// Makes the calls in order, each when the one before it has ended.
async fn make_calls(
    args: &SequenceArgs,
    exchange: &Exchange,
    log: &Arc<StreamLog>,
    terminal: &Terminal,
) -> SequenceStats {
    let marks = if args.as_in_source { Marks::AsInSource } else { Marks::Success };
    report::sequence_heading(terminal, &format!("{}{}", exchange.endpoint, exchange.request.path));
    let (mut calls, mut cumulative) = (Vec::new(), 0);
    for call in CYCLE.into_iter().take(args.calls as usize).map(|call| call.scaled(args.token_share)) {
        let prompt = if args.as_in_source { call.prompt_in_source() } else { call.prompt() };
        let request = exchange.request.clone().body(call.body(&args.model, &prompt));
        let answer = Exchange { request, ..exchange.clone() }.perform(Instant::now(), log).await;
        cumulative += u64::from(call.tokens());
        let row = row(call, cumulative, answer, args.as_in_source);
        report::sequence_call(terminal, &row, marks);
        calls.push(row);
    }
    SequenceStats::new(calls)
}

fn row(call: CycleCall, cumulative_tokens: u64, answer: StreamAnswer, as_in_source: bool) -> SequenceCall {
    let completed = answer.end.is_completed();
    let ok = if as_in_source { answer.status == Some(200) } else { completed };
    SequenceCall {
        call: call.number,
        request_tokens: call.request_tokens.into(),
        answer_tokens: call.answer_tokens.into(),
        cumulative_tokens,
        status: answer.status,
        duration_ms: in_millis(answer.took),
        ok,
        failure: (!completed).then(|| answer.explanation.unwrap_or_else(|| answer.end.to_string())),
        vendor_tokens: answer.tokens,
    }
}

fn request(args: &SequenceArgs, path: String) -> Request {
    let mut request = Request::post(path, "", ExpectedAnswer::Completion).key(&args.api_key);
    request.headers.extend(args.headers.iter().cloned());
    request
}

fn result(args: &SequenceArgs, path: String, target: ArmResult, verdict: Verdict) -> RunResult {
    let result = RunResult::new("sequence", environment(), parameters(args, path), Generator::default());
    RunResult { command_line: Some(command_line()), target: Some(target), verdict, ..result }
}

/// Without the key, which is nobody else's business.
fn parameters(args: &SequenceArgs, path: String) -> BTreeMap<String, Value> {
    BTreeMap::from([
        ("url".into(), json!(args.url)),
        ("path".into(), json!(path)),
        ("calls".into(), json!(args.calls)),
        ("model".into(), json!(args.model)),
        ("token_share".into(), json!(args.token_share)),
        ("timeout_ms".into(), json!(args.timeout.as_millis())),
        ("as_in_source".into(), json!(args.as_in_source)),
    ])
}
