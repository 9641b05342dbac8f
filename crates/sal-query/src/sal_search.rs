//! Sal's saved searches: groups of rows, and what they mean here.
//!
//! Sal joins rows, and then groups, strictly from left to right: `A OR B AND C` is `(A OR B) AND C`; what the first row and
//! the first group are joined by does not count, a group without rows adds nothing, and a search without rows is every
//! machine. [`read`] makes an [`Expr`] of that, says where ours finds other machines on purpose, and what the original
//! cannot run. [`SalSearch::as_sal`] is the original's own meaning, accidents included. [`write`] is the way back, for a
//! Django Sal beside this server.

mod difference;
mod names;
mod orm;
mod row;
mod write;

use crate::expr::Expr;

pub use difference::Difference;
pub use orm::{SalMeaning, TooLarge};
pub use row::RowReading;
pub use write::{nothing, write};

/// A saved search as Sal keeps it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SalSearch {
    /// Its groups, in the order of their positions.
    pub groups: Vec<SalGroup>,
}

/// A group of a search.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SalGroup {
    /// How it is joined to the groups before it.
    pub joined: Joined,
    /// Its rows, in the order of their positions.
    pub rows: Vec<SalRow>,
}

/// A row of a group: one comparison.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SalRow {
    /// How it is joined to the rows before it.
    pub joined: Joined,
    /// What is compared: `Machine`, `Facter`, …
    pub model: String,
    /// Which of it: a column, a fact, `plugin=>row`, `name=>bundle`.
    pub field: String,
    /// `Contains`, `=`, `!=`, `<`, `<=`, `>` or `>=`.
    pub operator: String,
    /// What it is compared with.
    pub term: String,
}

/// How a row or a group is joined to what stands before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Joined {
    /// Both hold.
    #[default]
    And,
    /// One holds at least.
    Or,
}

impl Joined {
    /// Reads Sal's column.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match text {
            "OR" => Self::Or,
            _ => Self::And,
        }
    }

    /// As Sal writes it.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::And => "AND",
            Self::Or => "OR",
        }
    }
}

/// What a search of Sal's means here.
#[derive(Clone, Debug)]
pub struct Reading {
    /// Each group.
    pub groups: Vec<GroupReading>,
    /// Where ours finds other machines on purpose, each once.
    pub differences: Vec<Difference>,
}

/// What a group of a search means here.
#[derive(Clone, Debug)]
pub struct GroupReading {
    /// How it is joined to the groups before it.
    pub joined: Joined,
    /// Each of its rows.
    pub rows: Vec<RowReading>,
}

impl Reading {
    /// The filter; a sentence for each row that cannot be read.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub fn expr(&self) -> Result<Expr, Vec<String>> {
        let faults = self.faults(|row| row.expr.as_ref().err());
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(folded(&self.groups))
    }

    /// Why the original answers this search with an error, a sentence for each row that makes it do so.
    #[must_use]
    pub fn fails_in_sal(&self) -> Vec<String> {
        self.faults(|row| row.fails_in_sal.as_ref())
    }

    fn faults<'a>(&'a self, fault: impl Fn(&'a RowReading) -> Option<&'a String>) -> Vec<String> {
        let groups = self.groups.iter().enumerate();
        groups
            .flat_map(|(number, group)| {
                let rows = group.rows.iter().enumerate();
                rows.map(move |(row, reading)| (number, row, reading))
            })
            .filter_map(|(group, row, reading)| {
                let fault = fault(reading)?;
                Some(format!("group {}, row {}: {fault}", group + 1, row + 1))
            })
            .collect()
    }
}

/// Reads a search of Sal's.
#[must_use]
pub fn read(search: &SalSearch) -> Reading {
    let groups = search.groups.iter().map(|group| GroupReading {
        joined: group.joined,
        rows: group.rows.iter().map(RowReading::of).collect(),
    });
    let groups: Vec<GroupReading> = groups.collect();
    let mut differences: Vec<Difference> = Vec::new();
    let rows = groups.iter().flat_map(|group| &group.rows);
    let of_rows = rows.filter_map(|row| row.difference);
    for difference in of_rows.chain(search.accidents()) {
        if !differences.contains(&difference) {
            differences.push(difference);
        }
    }
    Reading {
        groups,
        differences,
    }
}

/// Joins rows to groups and groups to a filter.
fn folded(groups: &[GroupReading]) -> Expr {
    let groups = groups.iter().filter_map(|group| {
        let rows = group.rows.iter();
        let parts = rows.filter_map(|row| Some((row.joined, row.expr.clone().ok()?)));
        Some((group.joined, fold(parts)?))
    });
    fold(groups).unwrap_or_else(Expr::everything)
}

/// From left to right; what the first part is joined by does not count.
fn fold(parts: impl Iterator<Item = (Joined, Expr)>) -> Option<Expr> {
    parts.fold(None, |before: Option<Expr>, (joined, part)| {
        Some(match (before, joined) {
            (None, _) => part,
            (Some(Expr::All { mut all }), Joined::And) if all.len() > 1 => {
                all.push(part);
                Expr::All { all }
            }
            (Some(Expr::Any { mut any }), Joined::Or) if any.len() > 1 => {
                any.push(part);
                Expr::Any { any }
            }
            (Some(before), Joined::And) => Expr::all(vec![before, part]),
            (Some(before), Joined::Or) => Expr::any(vec![before, part]),
        })
    })
}

#[cfg(test)]
mod tests;
