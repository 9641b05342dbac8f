//! Lines, heads and pages of the list as text.

use jiff::{Timestamp, tz::TimeZone};
use sal_query::Field;
use sal_store::devices::{Count, DevicePage, DeviceRow, Direction, MachineValues};

use super::{
    columns::{self, Chosen, Column, Content, SortColumn},
    cursor::Cursor,
    params::{ListParams, Position, SIZES},
};
use crate::{machine, wording};

/// A line.
pub(crate) struct Line {
    pub(crate) id: i64,
    pub(crate) href: String,
    pub(crate) name: String,
    /// The serial number, where it has no column of its own.
    pub(crate) sub: Option<String>,
    /// The cells behind the name.
    pub(crate) cells: Vec<CellView>,
}

/// A cell.
pub(crate) struct CellView {
    pub(crate) label: String,
    pub(crate) content: Content,
}

impl Line {
    pub(crate) fn new(
        row: &DeviceRow,
        chosen: &Chosen,
        values: &MachineValues,
        now: Timestamp,
        zone: &TimeZone,
    ) -> Self {
        let cell = |column: &Column| CellView {
            label: column.label().to_owned(),
            content: column.content(row, now, zone),
        };
        let own = values.get(&row.id).map(Vec::as_slice).unwrap_or_default();
        let asked = chosen
            .asked
            .iter()
            .enumerate()
            .map(|(place, asked)| CellView {
                label: asked.label.clone(),
                content: columns::text(own.get(place).and_then(Option::as_deref)),
            });
        Self {
            id: row.id.0,
            href: format!("/machine_detail/{}/", row.id),
            name: machine::name(&row.machine),
            sub: (!chosen.known.contains(&Column::Field(Field::Serial)))
                .then(|| row.machine.serial.clone()),
            cells: chosen
                .known
                .iter()
                .filter(|column| **column != Column::Field(Field::Hostname))
                .map(cell)
                .chain(asked)
                .collect(),
        }
    }
}

/// The head of a column.
pub(crate) struct Head {
    pub(crate) label: String,
    pub(crate) href: Option<String>,
    /// `ascending`, `descending` or `none`, for screen readers and the arrow.
    pub(crate) sorted: &'static str,
}

impl Head {
    /// The heads of a list.
    pub(crate) fn all(chosen: &Chosen, params: &ListParams) -> Vec<Self> {
        let known = chosen.known.iter().map(|column| {
            let sorts = column.sort().map(|_| SortColumn::Known(*column));
            Self::new(column.label(), sorts.as_ref(), params)
        });
        let asked = chosen.asked.iter().map(|asked| {
            let sorts = SortColumn::Asked(asked.clone());
            Self::new(&asked.label, Some(&sorts), params)
        });
        known.chain(asked).collect()
    }

    fn new(label: &str, sorts: Option<&SortColumn>, params: &ListParams) -> Self {
        let is_current = sorts == Some(&params.sorting_column());
        Self {
            label: label.to_owned(),
            href: sorts.map(|column| params.sorted_by(column).href()),
            sorted: match (is_current, params.direction()) {
                (false, _) => "none",
                (true, Direction::Ascending) => "ascending",
                (true, Direction::Descending) => "descending",
            },
        }
    }
}

/// A column that may be chosen.
pub(crate) struct ColumnChoice {
    pub(crate) key: String,
    pub(crate) label: String,
    pub(crate) chosen: bool,
}

impl ColumnChoice {
    /// All that may be chosen; the name is always there.
    pub(crate) fn all(chosen: &Chosen) -> Vec<Self> {
        let mut columns: Vec<Column> = Column::all()
            .filter(|column| *column != Column::NAME)
            .collect();
        // The boxes are sent in this order, and so are the columns: those that are shown in theirs, the others by name.
        columns.sort_by_key(|column| {
            let shown = chosen.known.iter().position(|shown| shown == column);
            (shown.unwrap_or(usize::MAX), column.label())
        });
        let known = columns.into_iter().map(|column| Self {
            key: column.key().to_owned(),
            label: column.label().to_owned(),
            chosen: chosen.known.contains(&column),
        });
        let asked = chosen.asked.iter().map(|asked| Self {
            key: asked.key(),
            label: asked.text.clone(),
            chosen: true,
        });
        known.chain(asked).collect()
    }
}

/// Which part of the list is shown, and the way to the other parts.
pub(crate) struct Pager {
    /// `51–100 of 1,234`
    pub(crate) shown: String,
    pub(crate) steps: Vec<Step>,
    /// Lines per page, the link, and whether it is chosen.
    pub(crate) sizes: Vec<(usize, String, bool)>,
}

/// A way to another page.
pub(crate) struct Step {
    pub(crate) label: &'static str,
    /// None where the list ends.
    pub(crate) href: Option<String>,
    /// What the page is to this one, for browsers; empty where they have no word for it.
    pub(crate) rel: &'static str,
}

impl Pager {
    /// The pager of a page that was read at `position`.
    pub(crate) fn new(
        page: &DevicePage,
        position: &Position,
        total: Count,
        params: &ListParams,
    ) -> Self {
        let lines = i64::try_from(page.rows.len()).unwrap_or_default();
        let first_line = first_line(position, lines, total);
        let (is_at_start, is_at_end) = match position {
            Position::First => (true, !page.has_more),
            Position::After(_) => (false, !page.has_more),
            Position::Last => (!page.has_more, true),
            Position::Before(_) => (!page.has_more, false),
        };
        let at = |position: Position| params.at(&position).href();
        let sort = params.sort();
        let border =
            |row: Option<&DeviceRow>, line| row.and_then(|row| Cursor::at(row, line, &sort));
        let before = border(page.rows.first(), first_line);
        let after = border(page.rows.last(), first_line.map(|first| first + lines - 1));
        let previous = before.filter(|_| !is_at_start).map(Position::Before);
        let next = after.filter(|_| !is_at_end).map(Position::After);
        let step = |label, position: Option<Position>, rel| Step {
            label,
            href: position.map(at),
            rel,
        };
        Self {
            shown: shown(first_line, lines, total),
            steps: vec![
                step("First", (!is_at_start).then_some(Position::First), ""),
                step("Previous", previous, "prev"),
                step("Next", next, "next"),
                step("Last", (!is_at_end).then_some(Position::Last), ""),
            ],
            sizes: SIZES
                .into_iter()
                .map(|size| (size, params.sized(size).href(), size == params.size()))
                .collect(),
        }
    }
}

/// The number of the page's first line, from 1, where it is known.
fn first_line(position: &Position, lines: i64, total: Count) -> Option<i64> {
    let line = match position {
        Position::First => Some(1),
        Position::After(cursor) => cursor.line.map(|line| line + 1),
        Position::Before(cursor) => cursor.line.map(|line| line - lines),
        Position::Last => match total {
            Count::Exact(total) => Some(total - lines + 1),
            Count::About(_) => None,
        },
    };
    line.filter(|line| *line > 0)
}

fn shown(first: Option<i64>, lines: i64, total: Count) -> String {
    // The list may have grown since the border was written.
    let last = first.map(|first| first + lines - 1);
    let total = match total {
        Count::Exact(total) => wording::count(total.max(last.unwrap_or(lines))),
        Count::About(total) => format!("≈ {}", wording::count(total)),
    };
    match (first, last) {
        _ if lines == 0 => format!("0 of {total}"),
        (Some(first), Some(last)) => {
            format!(
                "{}–{} of {total}",
                wording::count(first),
                wording::count(last)
            )
        }
        _ => format!("{} of {total}", wording::count(lines)),
    }
}

/// A number of machines, `≈` before a guess.
pub(crate) fn machines(count: Count) -> String {
    let text = wording::count_of(count.number(), "machine", "machines");
    match count {
        Count::Exact(_) => text,
        Count::About(_) => format!("≈ {text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pager_says_where_it_is() {
        let exact = Count::Exact(10_000);
        assert_eq!(shown(Some(1), 50, exact), "1–50 of 10,000");
        assert_eq!(first_line(&Position::Last, 50, exact), Some(9_951));
        assert_eq!(shown(Some(9_951), 50, exact), "9,951–10,000 of 10,000");
        let about = Count::About(123_456);
        assert_eq!(first_line(&Position::Last, 50, about), None);
        assert_eq!(shown(None, 50, about), "50 of ≈ 123,456");
        assert_eq!(shown(Some(1), 0, Count::Exact(0)), "0 of 0");
        assert_eq!(machines(about), "≈ 123,456 machines");
    }
}
