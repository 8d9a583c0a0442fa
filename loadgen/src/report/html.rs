//! Results as a page: it loads nothing, needs no script, and explains its words.

mod about;
mod cases;
mod charts;
mod claims;
mod compared;
mod diagnosis;
mod labs;
mod latency;
mod lead;
mod machines;
mod page;
mod process;
mod run;
mod sections;
mod streams;
mod table;
mod terms;
mod vendor;
mod writer;

pub use compared::comparison_page;
pub use labs::labs_page;
pub use run::page;
