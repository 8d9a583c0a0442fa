//! The commands of README.md, run as they stand there: against programs on free ports in place of
//! the fixed ones, which a test must not take.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use loadgen::stand::{Program, START_TIMEOUT};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn readme() -> String {
    fs::read_to_string(repository().join("README.md")).unwrap()
}

/// The lines of the blocks marked `sh`, without their comments.
fn commands(readme: &str) -> Vec<String> {
    let blocks = readme.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let lines = blocks.flat_map(str::lines).map(|line| line.split(" #").next().unwrap().trim());
    lines.filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// Runs a command of the shell. A run of the generator that calls itself invalid, because other tests
/// keep the machine busy, says nothing of the README: it is run again.
fn run(command: &str) -> Output {
    let once = || Command::new("sh").args(["-c", command]).current_dir(repository()).output().unwrap();
    let lagged = |output: &Output| String::from_utf8_lossy(&output.stdout).contains("the generator itself lagged");
    let mut output = once();
    for _ in 0..5 {
        if !lagged(&output) {
            break;
        }
        output = once();
    }
    output
}

#[test]
fn every_make_target_is_there_and_is_listed() {
    let makefile = fs::read_to_string(repository().join("Makefile")).unwrap();
    let words = readme().replace(['`', '\n'], " ");
    let named: Vec<_> = words.split("make ").skip(1).filter_map(|rest| rest.split_whitespace().next()).collect();
    let targets = named
        .iter()
        .map(|word| word.trim_end_matches([':', '.', ',', ';']))
        .filter(|word| word.chars().all(|c| c.is_ascii_lowercase() || c == '-') && !["sure", "it"].contains(word));
    let mut seen = 0;
    for target in targets {
        assert!(makefile.contains(&format!("\n{target}:")), "README names `make {target}`");
        seen += 1;
    }
    assert!(seen >= 5, "only {seen} targets were found in README");
    for line in makefile.lines().filter(|line| line.starts_with(char::is_alphabetic) && line.contains(": ")) {
        assert!(line.contains("## ") || line.contains(":="), "`make help` does not list: {line}");
    }
}

#[test]
fn every_file_that_is_linked_is_there() {
    for name in ["README.md", "ARCHITECTURE.md"] {
        let text = fs::read_to_string(repository().join(name)).unwrap();
        for target in text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
            let path = target.split('#').next().unwrap();
            assert!(path.starts_with("http") || repository().join(path).exists(), "{name} links to {target}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_does_what_it_should() {
    let programs = Path::new(env!("CARGO_BIN_EXE_loadgen")).parent().unwrap();
    let start = async |name: &str, args: &[&str]| {
        let args: Vec<_> = args.iter().map(|arg| (*arg).to_owned()).collect();
        Program::start(programs, name, &args, START_TIMEOUT).await.unwrap()
    };
    let vendor = start("mock-llm", &[]).await;
    let upstream = format!("http://{}", vendor.addr());
    let broken = start("broken-server", &["--upstream", &upstream]).await;
    let fixed = start("fixed-server", &["--upstream", &upstream]).await;
    let has_curl = Command::new("curl").arg("--version").output().is_ok();

    let mut ran = 0;
    for command in commands(&readme()).into_iter().filter(|command| !command.starts_with("make ")) {
        if command.starts_with("curl") && !has_curl {
            eprintln!("not run, there is no curl here: {command}");
            continue;
        }
        let here = command
            .replace("127.0.0.1:9000", &vendor.addr().to_string())
            .replace("127.0.0.1:8000", &broken.addr().to_string())
            .replace("127.0.0.1:8001", &fixed.addr().to_string())
            .replace("target/release/", &format!("{}/", programs.display()))
            .replace("target/result.json", concat!(env!("CARGO_TARGET_TMPDIR"), "/readme-result.json"));
        let output = tokio::task::spawn_blocking(move || run(&here)).await.unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "`{command}` failed:\n{said}");
        assert!(!said.trim().is_empty(), "`{command}` says nothing");
        assert!(!said.contains(r#""error""#), "`{command}` answers with an error:\n{said}");
        ran += 1;
    }
    assert!(ran >= 4, "only {ran} commands were run");
}
