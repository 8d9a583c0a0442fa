//! `loadgen diagnose`

mod view;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::pin::pin;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{MissedTickBehavior, interval};

use self::view::DiagnosisView;
use super::diagnose_options::options;
use super::so_far::SoFar;
use super::{CommandError, invocation, outputs};
use crate::cli::DiagnoseArgs;
use crate::diagnose::{DiagnoseNews, DiagnoseOptions, Diagnosed, diagnose};
use crate::environment::environment;
use crate::report::{self, Terminal};
use crate::result::RunResult;
use crate::verdict;

/// Time between two pictures of what is done.
const TICK: Duration = Duration::from_millis(250);

pub(super) async fn execute(args: &DiagnoseArgs, terminal: &Terminal) -> Result<u8, CommandError> {
    let terminal = &terminal.quiet(args.quiet);
    let options = options(args).await?;
    if args.insecure {
        terminal.line(
            "  Any certificate is accepted: whoever is between here and the server can read the key and the answers.",
        );
    }
    let found = watched(args, &options, &terminal.aside()).await?;
    let result = result(args, &options, found);
    terminal.aside().line("");
    report::diagnosis(terminal, &result);
    outputs::write(&result, &args.outputs, terminal)?;
    Ok(result.verdict.exit_code())
}

/// Diagnoses the server, and shows what is done meanwhile.
async fn watched(
    args: &DiagnoseArgs,
    options: &DiagnoseOptions,
    terminal: &Terminal,
) -> Result<Diagnosed, CommandError> {
    let mut so_far = SoFar::new(terminal);
    let wanted = !args.display.plain && !args.quiet;
    let view = RefCell::new(DiagnosisView::open(options, args.budget, wanted, terminal));
    let found = {
        let news = |news: DiagnoseNews<'_>| {
            if let DiagnoseNews::Level(level) = &news {
                so_far.level(level);
            }
            view.borrow_mut().news(&news);
        };
        let mut work = pin!(diagnose(options, news));
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                found = &mut work => break found,
                _ = tick.tick() => view.borrow_mut().tick(),
            }
        }
    };
    so_far.end();
    Ok(found?)
}

fn result(args: &DiagnoseArgs, options: &DiagnoseOptions, found: Diagnosed) -> RunResult {
    let Diagnosed { diagnosis, target, generator } = found;
    let result = RunResult::new("diagnose", environment(), parameters(args, options), generator);
    let mut result = RunResult { command_line: Some(invocation::command_line()), target: Some(target), ..result };
    result.verdict = verdict::of_diagnosis(&diagnosis, options.streams_max, &result);
    result.diagnosis = Some(diagnosis);
    result
}

/// The parameters, without headers, key and body, which may be secret.
fn parameters(args: &DiagnoseArgs, options: &DiagnoseOptions) -> BTreeMap<String, Value> {
    BTreeMap::from([
        ("url".into(), json!(args.url)),
        ("method".into(), json!(options.request.method)),
        ("stream_path".into(), json!(options.request.path)),
        ("health_path".into(), json!(options.health_path)),
        ("async_health_path".into(), json!(options.async_health_path)),
        ("pid".into(), json!(options.pid)),
        ("platform".into(), json!(options.platform.map(|platform| platform.name))),
        ("max_streams".into(), json!(options.streams_max)),
        ("budget_ms".into(), json!(args.budget.as_millis())),
    ])
}
