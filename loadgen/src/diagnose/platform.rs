//! Platforms whose limits are known when nobody has set them: one table, as data. A row whose number could not be read in
//! the platform's documentation or source is not in it.

mod clients;
mod compiled;
mod jvm;
mod known;
mod proxies;
mod python;
mod recognise;
mod row;
mod scripting;
mod table;

pub use known::{Known, KnownBy, known};
pub use recognise::{Recognised, recognise};
pub use row::{DefaultNumber, Limit, Platform, Serving};
pub use table::{ALL, find};
