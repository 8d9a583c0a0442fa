//! The files of a run where they cannot be written: a full disk, a folder that is closed or not there.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use crate::scripted::{CHECK_OK, Script, loadgen, serve};
use loadgen::result::{ResultFile, read};

const GOOD: Script = |mut request| Box::pin(async move { _ = request.tokens(100, Duration::from_millis(20)).await });

/// Linux has a device that is always full.
const FULL: &str = "/dev/full";

/// A folder of one test.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("written-{test}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Folder(folder)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    /// The names of all files in it.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = entries.map(|name| name.to_str().unwrap().to_owned()).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::set_permissions(&self.0, fs::Permissions::from_mode(0o755));
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// `run` for half a second on a good server. Whatever becomes of its files, it shows its figures.
async fn run(files: &[&str]) -> (i32, String) {
    let (server, _) = serve(GOOD, CHECK_OK).await;
    let url = format!("http://{server}");
    let load = ["run", "--url", &url, "--concurrency", "2", "--ramp", "0s", "--duration", "500ms"];
    let (code, said) = loadgen(&[&load[..], &["--baseline", "0s", "--probe", "health=/health"], files].concat()).await;
    assert!(said.contains("Not judged"), "{said}");
    (code, said)
}

fn is_page(path: &str) -> bool {
    fs::read_to_string(path).is_ok_and(|page| page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>\n"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_takes_only_the_file_that_is_on_it() {
    if !Path::new(FULL).exists() {
        return;
    }
    let folder = Folder::new("full");
    let (json, html) = (folder.path("a.json"), folder.path("a.html"));
    let (of_json, of_html) = (["--out", FULL, "--html", &html], ["--out", &json, "--html", FULL]);
    let ((of_json, said_of_json), (of_html, said_of_html)) = tokio::join!(run(&of_json), run(&of_html));
    for (code, said) in [(of_json, said_of_json), (of_html, said_of_html)] {
        assert!(code == 3 && said.contains("cannot write /dev/full: No space left on device"), "{code}: {said}");
    }
    assert!(is_page(&html));
    assert!(matches!(read(Path::new(&json)), Ok(ResultFile::Run(_))), "{:?}", read(Path::new(&json)));
    assert_eq!(folder.names(), ["a.html", "a.json"]);
}

/// `loadgen report` of a stored result, with these arguments.
fn report(result: &str, more: &[&str]) -> Output {
    shell(r#"exec "$@""#, result, more)
}

/// The same where no file can have more than a kilobyte: writing fails in the middle, as on a disk that fills up.
fn report_on_full_disk(result: &str, more: &[&str]) -> Output {
    // By default the signal ends a process that writes more.
    shell(r#"trap '' XFSZ; ulimit -f 1; exec "$@""#, result, more)
}

fn shell(script: &str, result: &str, more: &[&str]) -> Output {
    let stored = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/results").join(result);
    let mut command = Command::new("sh");
    command.args(["-c", script, "sh", env!("CARGO_BIN_EXE_loadgen"), "report"]).arg(stored).args(more);
    command.output().unwrap()
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_disk_that_fills_up_leaves_the_earlier_page_and_nothing_else() {
    let folder = Folder::new("fills");
    let (there, new) = (folder.path("there.html"), folder.path("new.html"));
    fs::write(&there, "an earlier page").unwrap();
    for (page, result) in [(&there, "demo.json"), (&new, "labs.json")] {
        let output = report_on_full_disk(result, &["--html", page]);
        let said = errors(&output);
        assert_eq!(output.status.code(), Some(3), "{said}");
        assert!(said.contains(&format!("cannot write {page}: ")) && said.lines().count() == 1, "{said}");
    }
    assert_eq!(fs::read_to_string(&there).unwrap(), "an earlier page");
    assert_eq!(folder.names(), ["there.html"]);
    let output = report("demo.json", &["--html", &there]);
    assert!(output.status.success() && is_page(&there), "{}", errors(&output));
}

#[test]
fn a_page_that_cannot_be_written_is_named_before_anything_is_done() {
    let folder = Folder::new("closed");
    let mut cases = vec![
        ("/nonexistent/folder/a.html".to_owned(), "the folder /nonexistent/folder does not exist"),
        (folder.path("."), "a directory"),
    ];
    let closed = folder.path("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o555)).unwrap();
    // Root may write there all the same.
    if fs::write(Path::new(&closed).join("a"), "").is_err() {
        cases.push((format!("{closed}/a.html"), "ermission denied"));
    }
    for (page, why) in cases {
        let output = report("demo.json", &["--html", &page]);
        let said = errors(&output);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(&format!("--html {page}")) && said.contains(why), "{said}");
    }
}

#[test]
fn a_file_that_is_no_result_is_named_and_no_page_is_written() {
    let folder = Folder::new("no-result");
    let (cut, page) = (folder.path("cut.json"), folder.path("a.html"));
    fs::write(&cut, "{\"schema_version\": 1, \"command\": \"ru").unwrap();
    let output = report(&cut, &["--html", &page]);
    let said = errors(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains(&format!("{cut}: it ends too early, at line 1")) && said.lines().count() == 1, "{said}");
    assert_eq!(folder.names(), ["cut.json"]);
}
