//! Figures of a phase's table.

use super::{Figure, Place, Source};
use crate::result::{RunResult, TableRow, Unit};

/// A figure of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableFigure {
    /// Cells that are not as expected.
    WrongCells,
    /// Cases with such a cell.
    WrongCases,
    /// Cells.
    Cells,
    /// Cases that have run to their end.
    CasesRun,
}

impl TableFigure {
    /// Its value; `None` if there is no table, or if what was asked for could not be measured in one of its cells.
    fn of(self, table: &[TableRow]) -> Option<f64> {
        let wrong = || table.iter().map(TableRow::wrong_cells).collect::<Option<Vec<_>>>();
        let count = match self {
            _ if table.is_empty() => return None,
            TableFigure::WrongCells => wrong()?.iter().sum(),
            TableFigure::WrongCases => wrong()?.iter().filter(|wrong| **wrong > 0).count() as u64,
            TableFigure::Cells => table.iter().map(|row| row.cells.len() as u64).sum(),
            TableFigure::CasesRun => table.iter().filter(|row| row.has_run()).count() as u64,
        };
        Some(count as f64)
    }
}

impl Source for TableFigure {
    fn of(&self, place: &Place, result: &RunResult) -> Option<f64> {
        if place.phase.is_none() {
            let tables = place.arm_in(result)?.phases.iter().flat_map(|phase| phase.table.iter().cloned());
            return TableFigure::of(*self, &tables.collect::<Vec<_>>());
        }
        TableFigure::of(*self, &place.phase_in(result)?.table)
    }

    fn unit(&self) -> Unit {
        Unit::count(match self {
            TableFigure::WrongCells | TableFigure::Cells => "cells",
            TableFigure::WrongCases | TableFigure::CasesRun => "cases",
        })
    }
}

impl Place {
    /// A figure of the table of the phase's cases; of all tables for the whole run.
    #[must_use]
    pub fn table(self, what: TableFigure) -> Figure {
        Figure::new(self, what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::Cell;

    fn row(measured: [Option<&str>; 2]) -> TableRow {
        let cell = |measured: Option<&str>| {
            Cell::new("status", "502".into(), measured.map(str::to_owned), |measured| measured == "502")
        };
        TableRow { case: String::new(), cells: measured.map(cell).into() }
    }

    fn figures(table: &[TableRow]) -> [Option<f64>; 4] {
        [TableFigure::WrongCells, TableFigure::WrongCases, TableFigure::Cells, TableFigure::CasesRun]
            .map(|figure| TableFigure::of(figure, table))
    }

    #[test]
    fn wrong_cells_and_the_cases_that_have_them_are_counted() {
        let table = [row([Some("502"), Some("502")]), row([Some("200"), Some("500")])];
        assert_eq!(figures(&table), [Some(2.0), Some(1.0), Some(4.0), Some(2.0)]);
    }

    #[test]
    fn a_case_that_did_not_run_is_not_a_right_one() {
        let table = [row([Some("502"), Some("502")]), row([None, None])];
        assert_eq!(figures(&table), [None, None, Some(4.0), Some(1.0)]);
        assert_eq!(figures(&[]), [None; 4]);
    }
}
