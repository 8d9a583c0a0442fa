//! Output: a line per second, tables and the verdict on the terminal, and the result file.

mod cases;
mod claims;
mod json;
mod live;
mod matrix;
mod prose;
mod sequence;
mod table;
mod terminal;
mod watch;
mod wrap;

pub use cases::case_tables;
pub use claims::verdict;
pub use json::{check_writable, write_json};
pub use live::{LiveLines, heading_of_one, second_of_one};
pub use matrix::matrices;
pub use prose::prose_summary;
pub use sequence::{Marks, sequence_call, sequence_heading, sequence_summary};
pub use table::{ARMS_MAX, comparison, single};
pub use terminal::{Paint, Terminal};
pub use watch::{WATCH_LINES, watch_heading, watch_line};
pub use wrap::wrap;
