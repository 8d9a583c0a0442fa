//! The table of a phase: cases, and what was expected and measured of each.

use serde::{Deserialize, Serialize};

/// A row of the table: one request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TableRow {
    /// Its name.
    pub case: String,
    /// What was looked at.
    pub cells: Vec<Cell>,
}

/// A cell of the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Cell {
    /// Its column: `status`, `attempts`, `outcome`, `retry_after`.
    pub name: String,
    /// What was expected: `502`.
    pub expected: String,
    /// What was measured; absent if it could not be measured.
    pub measured: Option<String>,
    /// Whether what was measured is not what was expected.
    pub wrong: bool,
}

impl Cell {
    /// A cell of this column. `is_right` judges what was measured.
    #[must_use]
    pub fn new(name: &str, expected: String, measured: Option<String>, is_right: impl FnOnce(&str) -> bool) -> Self {
        let wrong = measured.as_deref().is_some_and(|measured| !is_right(measured));
        Cell { name: name.to_owned(), expected, measured, wrong }
    }
}

impl TableRow {
    /// Whether the request was made and something was measured of it.
    #[must_use]
    pub fn has_run(&self) -> bool {
        self.cells.iter().any(|cell| cell.measured.is_some())
    }

    /// Its wrong cells; `None` if one of its cells could not be measured.
    #[must_use]
    pub fn wrong_cells(&self) -> Option<u64> {
        let measured = self.cells.iter().all(|cell| cell.measured.is_some());
        measured.then(|| self.cells.iter().filter(|cell| cell.wrong).count() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(measured: [Option<&str>; 2]) -> TableRow {
        let cell = |measured: Option<&str>| {
            Cell::new("status", "502".into(), measured.map(str::to_owned), |measured| measured == "502")
        };
        TableRow { case: "status=500".into(), cells: measured.map(cell).into() }
    }

    #[test]
    fn a_cell_is_wrong_if_it_is_not_what_was_expected() {
        assert_eq!(row([Some("502"), Some("502")]).wrong_cells(), Some(0));
        assert_eq!(row([Some("200"), Some("502")]).wrong_cells(), Some(1));
        assert_eq!(row([Some("200"), Some("none")]).wrong_cells(), Some(2));
    }

    #[test]
    fn what_could_not_be_measured_is_neither_right_nor_wrong() {
        let row = row([Some("502"), None]);
        assert_eq!((row.cells[1].wrong, row.wrong_cells()), (false, None));
    }
}
