//! The lab about databases on PostgreSQL, with servers that are built with its feature: `make test-postgres`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::process::{Command, Output};

use conformance::postgres::Postgres;
use process::program_dir;

/// Exit codes of `loadgen lab`.
const HELD: i32 = 0;
const INVALID: i32 = 3;

fn lab(database_url: &str) -> Output {
    let mut command = Command::new(program_dir().unwrap().join("loadgen"));
    command.args(["lab", "db-held-during-call", "--fast", "--quiet"]).env("LOADGEN_DATABASE_URL", database_url);
    command.output().unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
#[ignore = "needs PostgreSQL, and servers that are built with it: make test-postgres"]
fn the_lab_about_databases_holds_on_postgresql() {
    let server = match Postgres::start() {
        Ok(server) => server,
        Err(why) => return println!("skipped, PostgreSQL cannot be started here: {why}"),
    };
    // On a busy machine a run may be invalid, but not every one.
    let mut output = lab(&server.url());
    for _ in 0..2 {
        if output.status.code() != Some(INVALID) {
            break;
        }
        output = lab(&server.url());
    }
    println!("{}", said(&output));
    assert_eq!(output.status.code(), Some(HELD), "{}", said(&output));

    // It is their database: without it no server starts.
    let elsewhere = server.url().replace("/postgres?", "/missing?");
    let output = lab(&elsewhere);
    let said = said(&output);
    assert_eq!(output.status.code(), Some(INVALID), "{said}");
    assert!(said.contains("cannot open the database postgres://tester@localhost/missing"), "{said}");
    assert!(said.contains("does not exist") && !said.contains("not-asked-for"), "{said}");
}
