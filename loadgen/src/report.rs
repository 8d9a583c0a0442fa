//! What people see: a line a second, tables, the verdict; and the file for programs.

/// The verdict and its claims.
mod claims;
/// The result file.
mod json;
/// A line a second while a lab runs.
mod live;
/// Numbers as people read them.
mod numbers;
/// A run in three sentences.
mod spoken;
/// The table of figures.
mod table;
/// Writing to the terminal, with colour where it is wanted.
mod terminal;
/// Lines of `loadgen watch`.
mod watch;
/// Prose in 80 columns.
mod wrap;

pub use claims::verdict;
pub use json::{check_writable, write_json};
pub use live::{LiveLines, heading_of_one, second_of_one};
pub use numbers::{bytes, count, millis, short_millis};
pub use spoken::spoken;
pub use table::{comparison, single};
pub use terminal::{Paint, Terminal};
pub use watch::{WATCH_LINES, watch_heading, watch_line};
pub use wrap::wrap;
