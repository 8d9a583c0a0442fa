//! What `diagnose` writes: its exit code, the file, the page, and the same printed again from the file.

use std::path::{Path, PathBuf};

use futures_util::future::join;
use process::Launch;
use serde_json::Value;

use super::{CHECK, GOOD, TIMEOUT, command};
use crate::page_rules::check;
use crate::result_schema::ResultSchema;
use crate::scripted::{EVENTS, Script, serve};

/// Everything at once, after a while.
const COLLECTED: Script = |mut request| {
    Box::pin(async move {
        tokio::time::sleep(std::time::Duration::from_millis(800)).await;
        request.send(format!("{EVENTS}data: a\n\ndata: b\n\ndata: [DONE]\n\n")).await;
    })
};

/// The exit code of a diagnosis with two streams, what it printed, its file and its page.
async fn written(stream: Script, name: &str) -> (i32, String, PathBuf, String) {
    let (server, _) = serve(stream, CHECK).await;
    let file = |ending: &str| Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("diagnose-{name}.{ending}"));
    let (out, html, url) = (file("json"), file("html"), format!("http://{server}"));
    let files = ["--out", out.to_str().unwrap(), "--html", html.to_str().unwrap()];
    let args = [&["--url", &url, "--max-streams", "2", "--quiet"], &files[..]].concat();
    let (code, said) = command(&args).await;
    (code, said, out, std::fs::read_to_string(html).unwrap())
}

/// What `report` prints of a file.
async fn again(file: &Path) -> String {
    let launch = Launch::new(env!("CARGO_BIN_EXE_loadgen")).args(["report", file.to_str().unwrap()]);
    launch.output(TIMEOUT).await.unwrap().stdout
}

#[tokio::test(flavor = "multi_thread")]
async fn the_exit_code_the_file_and_the_page_say_the_same() {
    let (good, collected) = join(written(GOOD, "good"), written(COLLECTED, "collected")).await;
    for ((code, said, file, page), expected, kind, verdict) in
        [(good, 0, "none_found", "held"), (collected, 1, "not_streaming", "not held")]
    {
        assert_eq!(code, expected, "{said}");
        let result: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        ResultSchema::new().accepts(&result);
        assert_eq!((&result["diagnosis"]["kind"], &result["verdict"]["result"]), (&kind.into(), &verdict.into()));
        check(&page, &result);
        let unknown = &result["target"]["baseline"]["probes"]["unknown_path"];
        assert!(unknown["ok"].as_u64() > Some(5) && unknown["failed"] == 0, "404 is the right answer: {unknown}");
        let streams = result["target"]["streams"]["peak_active"].as_u64();
        assert_eq!(streams, Some(if kind == "none_found" { 2 } else { 0 }), "{}", result["target"]["streams"]);
        // Only the names of the files are printed beside it.
        let again = again(&file).await;
        assert!(said.starts_with(&again) && again.contains(kind), "{again}\n{said}");
        assert_eq!(said[again.len()..].lines().count(), 2, "{said}");
    }
}
