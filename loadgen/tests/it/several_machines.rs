//! Runs of several machines: the commands of workshop/src/several-machines.md, with `ssh`, `scp` and `kubectl` that work
//! on this machine, and what is merged of what they wrote.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use futures_util::future::join_all;
use process::{Launch, START_TIMEOUT, ServerProcess};
use serde_json::Value;

use crate::diagnose::own_address;
use crate::page_rules;
use crate::readme::{blocks, programs, repository};
use crate::result_schema::ResultSchema;

const PAGE: &str = "workshop/src/several-machines.md";

/// `ssh HOST COMMAND`, `scp FROM TO` and `kubectl logs POD`, here. The others of `kubectl` do nothing.
const HERE: [(&str, &str); 3] = [
    ("ssh", "shift; exec sh -c \"$*\""),
    // All hosts are one here: what another may run at the moment is replaced at once, by a whole file.
    (
        "scp",
        "from=${2#*:} to=${3#*:}; [ -d \"$to\" ] && exec cp \"$from\" \"$to\"; cp \"$from\" \"$to.$$\" && exec mv -f \"$to.$$\" \"$to\"",
    ),
    ("kubectl", "case $1 in get) echo \"pod-${6##*=}\" ;; logs) exec cat \"$2\" ;; apply) cat > applied.yaml ;; esac"),
];

fn page() -> String {
    fs::read_to_string(repository().join(PAGE)).unwrap()
}

/// The only block in this language, or the one with `word` in it.
fn block(language: &str, word: &str) -> String {
    let page = page();
    let found: Vec<_> = blocks(&page, language).into_iter().filter(|block| block.contains(word)).collect();
    let [block] = found[..] else { panic!("{} blocks of {language} have {word}", found.len()) };
    block.to_owned()
}

/// A folder of one test, with a server in it to load.
struct Place {
    folder: PathBuf,
    _vendor: ServerProcess,
    server: ServerProcess,
}

impl Place {
    async fn new(test: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("machines-{test}-{}", std::process::id()));
        fs::create_dir_all(folder.join("bin")).unwrap();
        fs::create_dir_all(folder.join("tmp")).unwrap();
        symlink(env!("CARGO_BIN_EXE_loadgen"), folder.join("loadgen")).unwrap();
        for (name, script) in HERE {
            let path = folder.join("bin").join(name);
            fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let start = async |name: &str, args: &[&str]| {
            let launch = Launch::new(programs().join(name)).on_free_port().args(args.iter().copied());
            launch.start(START_TIMEOUT).await.unwrap()
        };
        let vendor = start("mock-llm", &["--tokens", "4"]).await;
        let server = start("fixed-server", &["--upstream", &format!("http://{}", vendor.addr())]).await;
        Place { folder, _vendor: vendor, server }
    }

    /// Runs a block in the folder, with the server's address and short times in place of its own.
    async fn run(&self, block: &str) -> Output {
        let address = self.server.addr().to_string();
        let script = block
            .replace("127.0.0.1:8001", &address)
            .replace("chat.example:8000", &address)
            .replace("chat.shop.svc:8000", &address)
            .replace("--concurrency 500 --duration 60s", "--concurrency 5 --duration 1s --ramp 200ms --baseline 200ms")
            .replace("--concurrency 20 --duration 3s", "--concurrency 20 --duration 2s --ramp 200ms --baseline 200ms")
            .replace("+ 20 ))", "+ 1 ))")
            .replace("target/release/", "./")
            .replace("target/", "")
            .replace("/tmp/", "./tmp/");
        let before = std::env::var("PATH").unwrap();
        let path = format!("{}:{}:{before}", self.folder.join("bin").display(), programs().display());
        let mut command = Command::new("sh");
        command.args(["-c", &script]).current_dir(&self.folder).env("PATH", path);
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }

    fn json(&self, name: &str) -> Value {
        let path = self.folder.join(name);
        let json = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        serde_json::from_slice(&json).unwrap()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Said where the loads of a merged file did not overlap enough.
const APART: &str = "on at once";

/// What was printed, if the run is worth looking at: on a busy machine the generator may have lagged.
fn said(output: &Output) -> String {
    let text = [&output.stdout[..], &output.stderr].map(String::from_utf8_lossy).concat();
    assert!(matches!(output.status.code(), Some(0 | 3)), "{text}");
    assert!(output.status.success() || text.contains("lagged") || text.contains(APART), "{text}");
    text
}

/// Whether the counts of the merged file are those of the others together.
fn adds_up(place: &Place, files: &[&str]) {
    let merged = place.json("merged.json");
    let parts: Vec<_> = files.iter().map(|file| place.json(file)).collect();
    for field in ["streams/requested", "streams/chunks", "streams/completed", "probes/health_sync/sent"] {
        let of = |result: &Value| result.pointer(&format!("/target/{field}")).and_then(Value::as_u64).unwrap();
        assert_eq!(of(&merged), parts.iter().map(of).sum::<u64>(), "{field}");
    }
    let longest = |result: &Value| result["target"]["streams"]["time_to_first_token_ms"]["max"].as_f64().unwrap();
    assert_eq!(longest(&merged), parts.iter().map(longest).fold(0.0, f64::max));
    assert_eq!(merged["machines"].as_array().unwrap().len(), files.len());
    ResultSchema::new().accepts(&merged);
    parts.iter().for_each(|part| ResultSchema::new().accepts(part));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_runs_here_are_merged_as_the_page_says() {
    let place = Place::new("here").await;
    let mut text = said(&place.run(&block("sh", "--merge")).await);
    // On a busy machine the two loads may hardly have been on at the same time.
    for _ in 0..4 {
        if !text.contains(APART) {
            break;
        }
        text = said(&place.run(&block("sh", "--merge")).await);
    }
    assert!(!text.contains(APART), "the machine is too busy: {text}");
    assert!(text.contains("2 machines") && text.contains("they started within"), "{text}");
    adds_up(&place, &["machine-1.json", "machine-2.json"]);
    let merged = place.json("merged.json");
    page_rules::check(&fs::read_to_string(place.folder.join("merged.html")).unwrap(), &merged);
    let open = merged["target"]["streams"]["peak_active"].as_u64().unwrap();
    assert!((21..=40).contains(&open), "{open} were open at once");
    let again = place.run("target/release/loadgen report --merge target/merged.json target/machine-2.json").await;
    let text = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(again.status.code() == Some(2) && text.contains("it has the same run as merged.json"), "{text}");
    assert!(place.run("target/release/loadgen report target/merged.json").await.status.success());
}

/// An address of this machine that is not loopback stands for that of another.
#[test]
fn another_machine_is_loaded_only_by_its_owner() {
    let Some(address) = own_address() else { return eprintln!("skipped: this machine has no network") };
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://{address}:{closed}");
    let run = |more: &[&str]| {
        let output =
            Command::new(env!("CARGO_BIN_EXE_loadgen")).args(["run", "--url", &url]).args(more).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, said) = run(&[]);
    assert!(code == Some(2) && said.contains("--i-own-this-server"), "{code:?}: {said}");
    let (code, said) = run(&["--i-own-this-server"]);
    assert!(code == Some(3) && said.contains(&format!("no server answers at {url}")), "{code:?}: {said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn machines_that_are_reached_with_ssh_start_together() {
    let place = Place::new("ssh").await;
    let text = said(&place.run(&block("bash", "ssh ")).await);
    assert!(text.contains("3 machines"), "{text}");
    adds_up(&place, &["loadgen-0.json", "loadgen-1.json", "loadgen-2.json"]);
}

/// What a pod does is taken from the manifest, which Python reads.
#[tokio::test(flavor = "multi_thread")]
async fn the_manifest_is_yaml_and_its_pods_do_what_the_page_says() {
    const READ: &str = "import sys, yaml, json; print(json.dumps(yaml.safe_load(sys.argv[1])))";
    let manifest = block("yaml", "kind: Job");
    let read = Command::new("python3").args(["-c", READ, &manifest]).output();
    let Some(read) = read.ok().filter(|read| !String::from_utf8_lossy(&read.stderr).contains("No module named")) else {
        return eprintln!("skipped: python3 with yaml is not installed");
    };
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    let job: Value = serde_json::from_slice(&read.stdout).unwrap();
    let spec = &job["spec"];
    assert_eq!(
        (&job["kind"], &spec["completionMode"], &spec["completions"]),
        (&"Job".into(), &"Indexed".into(), &3.into())
    );
    let container = &spec["template"]["spec"]["containers"][0];
    let script = container["args"][0].as_str().unwrap();

    let place = Place::new("pods").await;
    let outputs = (0..3).map(|pod| {
        let prints =
            format!("START=0 JOB_COMPLETION_INDEX={pod}\n{}", script.replace("/tmp/", &format!("/tmp/{pod}-")));
        let place = &place;
        async move { place.run(&prints.replace("sleep", "true")).await }
    });
    for (pod, output) in join_all(outputs).await.into_iter().enumerate() {
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.starts_with('{'), "{text}");
        fs::write(place.folder.join(format!("pod-{pod}")), &output.stdout).unwrap();
    }
    fs::write(place.folder.join("loadgen-job.yaml"), &manifest).unwrap();
    said(&place.run(&block("bash", "kubectl ")).await);
    let applied = fs::read_to_string(place.folder.join("applied.yaml")).unwrap();
    assert!(applied.contains("value: \"1") && !applied.contains("@START@"), "{applied}");
    adds_up(&place, &["loadgen-0.json", "loadgen-1.json", "loadgen-2.json"]);
}
