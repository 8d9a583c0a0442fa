//! Output: a line per second, tables and the verdict on the terminal, and the result file.

mod cases;
mod claims;
mod compared;
mod diagnosis;
mod file;
mod goodput;
mod html;
mod json;
mod labs;
mod letter;
mod live;
mod machines;
mod make_command;
mod matrix;
mod prose;
mod replay;
mod request_times;
mod sequence;
mod table;
mod terminal;
mod watch;
mod with_calls;
mod wrap;

pub use cases::case_tables;
pub use claims::verdict;
pub use compared::{compared, regressions};
pub use diagnosis::{DiagnosisLines, diagnosis, step_in_words};
pub use file::{check_writable, write_file};
pub use goodput::goodput;
pub use html::{comparison_page, labs_page, page};
pub use json::write_json;
pub use labs::labs_summary;
pub use live::{LiveLines, heading_of_one, second_of_one};
pub use make_command::make_command;
pub use matrix::matrices;
pub use prose::prose_summary;
use request_times::request_times;
use with_calls::with_calls;

pub use replay::{lab, one_server, replay, replay_labs};
pub use sequence::{Marks, sequence_call, sequence_heading, sequence_summary};
pub use table::{ARMS_MAX, comparison, single};
pub use terminal::{Paint, Terminal};
pub use watch::{WATCH_LINES, watch_heading, watch_line};
pub use wrap::{wrap, wrap_at};
