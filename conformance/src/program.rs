//! How the programs under test are run.

use anyhow::ensure;
use process::{Launch, program_dir};

/// The program `name`, with an empty environment. All of its log is kept, and shown when the test fails.
///
/// # Errors
/// When it is not built.
pub fn launch(name: &str) -> anyhow::Result<Launch> {
    let path = program_dir()?.join(name).with_extension(std::env::consts::EXE_EXTENSION);
    ensure!(
        path.exists(),
        "{} is not built: run `make test`, or `cargo build --workspace --bins` first",
        path.display()
    );
    Ok(Launch::new(path).empty_env().keep_lines(usize::MAX).echo())
}
