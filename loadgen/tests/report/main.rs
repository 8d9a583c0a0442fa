//! Pages of results and the command `report`, from real result files: what stands on a page, that nothing on it comes
//! to life, what a comparison says and exits with, and what is not merged.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod comparing;
mod hostile;
mod merging;
#[path = "../page_rules/mod.rs"]
mod page_rules;
mod pages;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use loadgen::report;
use loadgen::result::{ResultFile, parse};
use serde_json::Value;

/// Results of real runs.
const STORED: [&str; 5] = ["demo", "run", "labs", "diagnose", "merged"];

/// A stored result.
fn stored(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/results").join(format!("{name}.json"));
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// The page of a result.
fn page(result: &Value) -> String {
    match parse(result.to_string().as_bytes()).unwrap_or_else(|error| panic!("{error}")) {
        ResultFile::Run(run) => report::page(&run),
        ResultFile::Labs(labs) => report::labs_page(&labs),
    }
}

/// A folder of one test.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("report-{test}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Folder(folder)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    fn write(&self, name: &str, result: &Value) -> String {
        fs::write(self.path(name), result.to_string()).unwrap();
        self.path(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// `loadgen report` with these arguments: its exit code, what it printed, and its errors.
fn run_report(args: &[&str]) -> (i32, String, String) {
    let output: Output = Command::new(env!("CARGO_BIN_EXE_loadgen")).arg("report").args(args).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}
