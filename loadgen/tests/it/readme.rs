//! Runs the commands of README.md, with programs on free ports instead of the fixed ones.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use clap::Parser;
use futures_util::future::join_all;
use loadgen::cli::Cli;
use process::{Launch, START_TIMEOUT, ServerProcess};

pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn readme() -> String {
    fs::read_to_string(repository().join("README.md")).unwrap()
}

/// The code blocks of this language.
pub(crate) fn blocks<'a>(readme: &'a str, language: &str) -> Vec<&'a str> {
    readme.split(&format!("```{language}\n")).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

/// A step of the reader.
#[derive(Debug, PartialEq)]
enum Step {
    /// `make up`, with this mistake.
    Up(String),
    /// Consecutive lines, as one script.
    Script(String),
}

/// The steps of the `sh` blocks without comments. Of the `make` targets only `make up` is included: the others take
/// minutes and are tested elsewhere.
fn steps(readme: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    for block in blocks(readme, "sh") {
        let mut together = false;
        for line in block.lines().map(|line| line.split(" #").next().unwrap().trim()).filter(|line| !line.is_empty()) {
            match (line.strip_prefix("make "), steps.last_mut()) {
                (Some(target), _) if target.starts_with("up") => {
                    let mistake = target.strip_prefix("up MISTAKE=").unwrap_or("pool-exhaustion");
                    steps.push(Step::Up(mistake.to_owned()));
                    together = false;
                }
                (Some(_), _) => together = false,
                (None, Some(Step::Script(script))) if together => *script += &format!("\n{line}"),
                (None, _) => {
                    steps.push(Step::Script(line.to_owned()));
                    // Independent commands are checked one by one.
                    together = line.ends_with('&') || line.ends_with("done)");
                }
            }
        }
    }
    steps
}

/// Runs a shell command, and repeats it if the generator's run is invalid because other tests keep the machine busy.
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
    let pages = ["README.md", "CONTRIBUTING.md", "workshop/README.md"];
    let pages = pages.map(|page| fs::read_to_string(repository().join(page)).unwrap());
    let words = pages.join(" ").replace(['`', '\n'], " ");
    let named: Vec<_> = words.split("make ").skip(1).filter_map(|rest| rest.split_whitespace().next()).collect();
    let targets = named
        .iter()
        .map(|word| word.trim_end_matches([':', '.', ',', ';']))
        .filter(|word| word.chars().all(|c| c.is_ascii_lowercase() || c == '-') && !["sure", "it"].contains(word));
    let mut seen = 0;
    for target in targets {
        assert!(makefile.contains(&format!("\n{target}:")), "there is no `make {target}`, which a page names");
        seen += 1;
    }
    assert!(seen >= 5, "only {seen} targets were found in the pages");
    for line in makefile.lines().filter(|line| line.starts_with(char::is_alphabetic) && line.contains(": ")) {
        assert!(line.contains("## ") || line.contains(":="), "`make help` does not list: {line}");
    }
}

#[test]
fn every_file_that_is_linked_is_there() {
    for name in [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "workshop/README.md",
        "workshop/src/diagnose.md",
        "workshop/src/several-machines.md",
    ] {
        let text = fs::read_to_string(repository().join(name)).unwrap();
        for target in text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
            let path = target.split('#').next().unwrap();
            assert!(
                path.starts_with("http") || repository().join(name).with_file_name(path).exists(),
                "{name} links to {target}"
            );
        }
    }
}

/// They are what `make pictures` writes of a run that held, and what their description says.
#[test]
fn the_page_begins_with_pictures_of_a_run() {
    let readme = readme();
    assert!(readme.starts_with("<picture>"), "it begins with:\n{}", &readme[..80]);
    let files = readme.split('"').filter(|word| word.starts_with("pictures/"));
    let mut seen = 0;
    for file in files {
        let text = fs::read_to_string(repository().join(file)).unwrap();
        assert!(text.starts_with("<!-- Made by `make pictures` from a run of `loadgen demo`: held."), "{file}");
        let picture = roxmltree::Document::parse(&text).unwrap();
        let says = |what: &str| picture.descendants().any(|node| node.text() == Some(what));
        assert!(says("40th stream") && says("collapse of broken") && !says("collapse of fixed"), "{file}");
        assert!(text.len() < 60_000, "{file} has {} bytes", text.len());
        seen += 1;
    }
    assert_eq!(seen, 2, "one for each scheme");
}

/// Each quoted block is in the file that was linked last before it.
#[test]
fn every_quoted_block_is_in_its_file() {
    let lines = |text: &str| text.lines().map(|line| line.trim().to_owned()).collect::<Vec<_>>();
    for (name, at_least) in [("README.md", 2), ("CONTRIBUTING.md", 4)] {
        let text = fs::read_to_string(repository().join(name)).unwrap();
        let cited = blocks(&text, "rust");
        assert!(cited.len() >= at_least, "only {} citations were found in {name}", cited.len());
        for block in cited {
            let before = text.split(block).next().unwrap();
            let file = before.rsplit("](").next().unwrap().split(')').next().unwrap();
            let (there, wanted) = (lines(&fs::read_to_string(repository().join(file)).unwrap()), lines(block.trim()));
            assert!(there.windows(wanted.len()).any(|window| window == wanted), "{file} does not say:\n{block}");
        }
    }
}

/// The answer that the page shows is that of a real run, as it is printed now.
#[test]
fn the_answer_of_diagnose_is_that_of_the_stored_result() {
    let readme = readme();
    let block =
        blocks(&readme, "text").into_iter().find(|block| block.starts_with("$ target/release/loadgen diagnose "));
    let (command, answer) = block.unwrap().split_once('\n').unwrap();
    let words = command.trim_start_matches("$ ").split(' ');
    let parsed = Cli::try_parse_from(words).unwrap_or_else(|error| panic!("{error}"));
    assert!(matches!(parsed.command, loadgen::cli::Command::Diagnose(_)));
    let stored = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/results/diagnose.json");
    let shown = Command::new(env!("CARGO_BIN_EXE_loadgen")).arg("report").arg(stored).output().unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert_eq!(answer, shown, "write what `loadgen report loadgen/tests/results/diagnose.json` prints:\n{shown}");
}

#[test]
fn python_blocks_parse() {
    let check = "import ast, sys; ast.parse(sys.argv[1])";
    for block in blocks(&readme(), "python") {
        match Command::new("python3").args(["-c", check, block]).output() {
            Ok(output) => assert!(output.status.success(), "{block}\n{}", String::from_utf8_lossy(&output.stderr)),
            Err(_) => eprintln!("skipped: python3 is not installed"),
        }
    }
}

#[test]
fn steps_are_read_from_sh_blocks() {
    let readme = "```sh\nmake up MISTAKE=none  # why\ncurl a &\ncurl b\nmake stop\nx\ny\n```\n```text\nz\n```";
    let script = |text: &str| Step::Script(text.to_owned());
    assert_eq!(steps(readme), [Step::Up("none".to_owned()), script("curl a &\ncurl b"), script("x"), script("y")]);
}

/// The programs that `make up` starts, on free ports, with a vendor whose streams take six seconds.
struct Up {
    vendor: ServerProcess,
    broken: ServerProcess,
    fixed: ServerProcess,
}

/// Duration of a stream, in seconds.
const STREAM_SECONDS: f64 = 24.0 * 0.25;

impl Up {
    async fn with(mistake: &str) -> Self {
        let start = async |name: &str, args: &[&str]| {
            let launch = Launch::new(programs().join(name)).on_free_port().args(args.iter().copied());
            launch.start(START_TIMEOUT).await.unwrap()
        };
        let vendor = start("mock-llm", &["--tokens", "24"]).await;
        let upstream = format!("http://{}", vendor.addr());
        let broken = start("broken-server", &["--upstream", &upstream, "--mistake", mistake]).await;
        let fixed = start("fixed-server", &["--upstream", &upstream]).await;
        Up { vendor, broken, fixed }
    }

    /// The command with the addresses of these programs.
    fn here(&self, command: &str) -> String {
        command
            .replace("127.0.0.1:9000", &self.vendor.addr().to_string())
            .replace("127.0.0.1:8000", &self.broken.addr().to_string())
            .replace("127.0.0.1:8001", &self.fixed.addr().to_string())
            .replace("target/release/", &format!("{}/", programs().display()))
            .replace("target/result.json", concat!(env!("CARGO_TARGET_TMPDIR"), "/readme-result.json"))
    }
}

pub(crate) fn programs() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_loadgen")).parent().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_works() {
    let mut parts = vec![("pool-exhaustion".to_owned(), Vec::new())];
    for step in steps(&readme()) {
        match step {
            Step::Up(mistake) => parts.push((mistake, Vec::new())),
            Step::Script(script) => parts.last_mut().unwrap().1.push(script),
        }
    }
    parts.retain(|(_, scripts)| !scripts.is_empty());
    // At the same time: each has programs of its own.
    let ran: usize = join_all(parts.iter().map(|(mistake, scripts)| run_part(mistake, scripts))).await.iter().sum();
    assert!(ran >= 8, "only {ran} commands were run");
}

/// Runs the commands between two starts of the programs, and returns how many were run.
async fn run_part(mistake: &str, scripts: &[String]) -> usize {
    let has_curl = Command::new("curl").arg("--version").output().is_ok();
    let (up, mut ran) = (Up::with(mistake).await, 0);
    for script in scripts {
        if script.contains("curl") && !has_curl {
            eprintln!("skipped: curl is not installed: {script}");
            continue;
        }
        let here = up.here(script);
        let output = tokio::task::spawn_blocking(move || run(&here)).await.unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "`{script}` failed:\n{said}");
        assert!(!said.trim().is_empty(), "`{script}` says nothing");
        assert!(!said.contains(r#""error""#), "`{script}` answers with an error:\n{said}");
        health_waits_as_the_readme_has_it(mistake, &said);
        ran += 1;
    }
    ran
}

/// A health check that hangs waits for most of a stream, and one that does not for a small part of it.
fn health_waits_as_the_readme_has_it(mistake: &str, said: &str) {
    let seconds = |kind: &str| {
        let rest = said.split(&format!("{kind} after ")).nth(1)?;
        rest.split(' ').next().unwrap().parse::<f64>().ok()
    };
    let hangs = |kind: &str| mistake == "blocked-executor" || kind == "health-sync";
    for kind in ["health-sync", "health-async"] {
        if let Some(seconds) = seconds(kind) {
            assert_eq!(seconds > STREAM_SECONDS / 3.0, hangs(kind), "{mistake}: {kind} took {seconds} s:\n{said}");
        }
    }
}
