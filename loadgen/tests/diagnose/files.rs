//! The files of a diagnosis, and its exit code, on a server whose answer is there at once.

use std::path::Path;

use loadgen::result::{DiagnosisKind, ResultFile, read};

use super::{CHECK, command, sends};
use crate::scripted::serve;

const JSON: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
/// Linux has a device that is always full.
const FULL: &str = "/dev/full";

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_takes_only_the_file_that_is_on_it() {
    let (server, _) = serve(sends!(JSON), CHECK).await;
    let (url, file) = (format!("http://{server}"), format!("diagnose-files-{}.json", server.port()));
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(file);
    let (code, said) = command(&["--url", &url, "--out", file.to_str().unwrap()]).await;
    assert!(code == 1 && said.contains("not_streaming"), "{code}: {said}");
    let Ok(ResultFile::Run(result)) = read(&file) else { panic!("{said}") };
    assert_eq!(result.diagnosis.unwrap().kind, DiagnosisKind::NotStreaming);
    if Path::new(FULL).exists() {
        let args = ["--url", &url, "--out", FULL, "--html", file.to_str().unwrap()];
        let (code, said) = command(&args).await;
        assert!(code == 3 && said.contains("cannot write /dev/full: No space left on device"), "{code}: {said}");
        assert!(said.contains("not_streaming"), "what was found is shown: {said}");
        assert!(std::fs::read_to_string(&file).unwrap().ends_with("</html>\n"), "the page is written");
    }
    std::fs::remove_file(&file).unwrap();
}
