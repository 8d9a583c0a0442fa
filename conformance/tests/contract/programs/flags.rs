//! Flags: what is rejected, and what `--help` shows.

use std::collections::BTreeSet;

use anyhow::{Context, ensure};
use conformance::listed;
use conformance::program::launch;
use conformance::servers::Server;
use conformance::vendor::ClosedPort;
use conformance::wait::TIMEOUT;
use process::Output;

use super::{ALL, Facts};

/// Rejected by every program.
const REFUSED_BY_ALL: [(&[&str], &str); 4] = [
    (&["--listen", "nonsense"], "--listen"),
    (&["--listen", "127.0.0.1:70000"], "--listen"),
    (&["--no-such-flag"], "--no-such-flag"),
    (&["--log-format", "xml"], "--log-format"),
];

/// Rejected by every program with a vendor.
const REFUSED_UPSTREAMS: [&str; 3] = ["nonsense", "ftp://127.0.0.1:9000", "http://"];

#[tokio::test]
async fn an_invalid_flag_or_value_is_named_and_exits_with_2() -> anyhow::Result<()> {
    let mut failures = Vec::new();
    for facts in ALL {
        for (args, named) in facts.refused.iter().chain(&REFUSED_BY_ALL) {
            failures.extend(refused(facts, args, named).await.err());
        }
        for upstream in REFUSED_UPSTREAMS.into_iter().filter(|_| facts.has_upstream) {
            failures.extend(refused(facts, &["--upstream", upstream], "--upstream").await.err());
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
    Ok(())
}

async fn refused(facts: &Facts, args: &[&str], named: &str) -> anyhow::Result<()> {
    let port = ["--listen", "127.0.0.1:0"];
    let launch = if args.contains(&"--listen") { launch(facts.program)? } else { launch(facts.program)?.args(port) };
    let what = || format!("{} {}", facts.program, args.join(" "));
    let ended = launch.args(args.iter().copied()).output(TIMEOUT).await.with_context(what)?;
    ensure!(ended.code() == Some(2), "{}: exit {:?}: {}", what(), ended.code(), ended.stderr);
    ensure!(ended.stderr.contains(named), "{}: does not name {named}: {}", what(), ended.stderr);
    ensure!(!ended.stderr.contains("panicked"), "{}: {}", what(), ended.stderr);
    if let Some(value) = args.get(1) {
        ensure!(ended.stderr.contains(value), "{}: does not say the value: {}", what(), ended.stderr);
    }
    Ok(())
}

#[tokio::test]
async fn a_port_in_use_is_one_error_line_and_exit_1() -> anyhow::Result<()> {
    let nobody = ClosedPort::take()?;
    for facts in ALL {
        let first = facts.launch(&nobody)?.start(TIMEOUT).await?;
        let taken = first.addr().to_string();
        let ended = launch(facts.program)?.args(["--listen", &taken]).output(TIMEOUT).await?;
        assert_eq!(ended.code(), Some(1), "{}: {}", facts.program, ended.stderr);
        let lines: Vec<_> = ended.stderr.lines().filter(|line| !line.trim().is_empty()).collect();
        assert_eq!(lines.len(), 1, "{}: {lines:#?}", facts.program);
        assert!(lines[0].contains(&taken) && lines[0].contains("in use"), "{}: {}", facts.program, lines[0]);
    }
    Ok(())
}

#[tokio::test]
async fn an_unknown_mistake_lists_all_and_suggests_the_nearest() -> anyhow::Result<()> {
    let with = async |mistake: &str| -> anyhow::Result<Output> {
        Ok(launch("broken-server")?.args(["--mistake", mistake]).output(TIMEOUT).await?)
    };
    let nonsense = with("nonsense").await?;
    for name in listed::of_broken_server()?.filter_map(Server::mistake) {
        assert!(nonsense.stderr.contains(name), "{name} is not in the list: {}", nonsense.stderr);
    }
    for (typed, meant) in
        [("pool-exhaustoin", "pool-exhaustion"), ("pool_per_chunk", "pool-per-chunk"), ("nome", "none")]
    {
        let output = with(typed).await?;
        assert_eq!(output.code(), Some(2), "{typed}");
        let stderr = output.stderr;
        let suggestion = stderr.lines().find(|line| line.contains("did you mean") || line.contains("similar"));
        assert!(suggestion.is_some_and(|line| line.contains(meant)), "{typed}: no suggestion of {meant}: {stderr}");
    }
    Ok(())
}

#[tokio::test]
async fn every_mistake_is_listed_in_its_group_with_its_symptom() -> anyhow::Result<()> {
    let list = launch("broken-server")?.args(["--list"]).output(TIMEOUT).await?;
    assert_eq!(list.code(), Some(0), "{}", list.stderr);
    let (mut group, mut there) = ("", BTreeSet::new());
    for line in list.stdout.lines() {
        let Some((name, symptom)) = line.strip_prefix("  ").and_then(|entry| entry.split_once(' ')) else {
            group = line;
            continue;
        };
        assert!(["control", "threads", "calls", "operations"].contains(&group), "{name} in '{group}'");
        assert!(symptom.split_whitespace().count() >= 3, "{name} without its symptom: {}", list.stdout);
        there.insert(name);
    }
    // A new mistake must keep the contract too, except for what it breaks on purpose.
    assert_eq!(there, listed::of_broken_server()?.filter_map(Server::mistake).collect(), "{}", list.stdout);
    Ok(())
}

#[tokio::test]
async fn help_and_version_are_exit_0() -> anyhow::Result<()> {
    for facts in ALL {
        let version = launch(facts.program)?.args(["--version"]).output(TIMEOUT).await?;
        assert_eq!(version.code(), Some(0), "{}", facts.program);
        assert!(version.stdout.starts_with(&format!("{} ", facts.program)), "{}", version.stdout);
        let help = launch(facts.program)?.args(["--help"]).output(TIMEOUT).await?;
        assert_eq!(help.code(), Some(0), "{}", facts.program);
        for (flag, default) in facts.flags {
            let said = help_of(&help.stdout, flag).with_context(|| format!("{} has no {flag}", facts.program))?;
            assert!(said.contains(&format!("[default: {default}]")), "{} {flag}: not {default}: {said}", facts.program);
        }
    }
    Ok(())
}

#[tokio::test]
async fn every_flag_has_an_environment_variable() -> anyhow::Result<()> {
    for facts in ALL {
        let help = launch(facts.program)?.args(["--help"]).output(TIMEOUT).await?.stdout;
        let flags: Vec<_> =
            help.lines().filter_map(flag_of).filter(|flag| !["--help", "--version", "--list"].contains(flag)).collect();
        assert!(flags.len() >= facts.flags.len(), "{}: {flags:?}", facts.program);
        for flag in flags {
            let variable = format!("{}{}", facts.prefix, flag.trim_start_matches('-').replace('-', "_").to_uppercase());
            let said = help_of(&help, flag).context("just seen")?;
            // A secret's value is not shown, so neither is the `=` in front of it.
            let named =
                [format!("[env: {variable}="), format!("[env: {variable}]")].iter().any(|env| said.contains(env));
            assert!(named, "{} {flag}: no {variable}: {said}", facts.program);
        }
    }
    Ok(())
}

/// The flag that a line of `--help` is about.
fn flag_of(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let starts = line.starts_with('-');
    line.split([' ', ',', '=']).find(|word| starts && word.starts_with("--"))
}

/// The help of a flag: its line and those up to the next flag.
fn help_of(help: &str, flag: &str) -> Option<String> {
    let mut lines = help.lines().skip_while(|line| flag_of(line) != Some(flag));
    let first = lines.next()?;
    Some(std::iter::once(first).chain(lines.take_while(|line| flag_of(line).is_none())).collect::<Vec<_>>().join("\n"))
}
