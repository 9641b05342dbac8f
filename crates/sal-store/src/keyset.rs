//! Long lists, a page at a time: found by the row at the border of the page before, not by counting rows.
//!
//! A row that comes or goes meanwhile then moves nothing: whoever walks meets every other row once. One statement gives
//! the rows, how many lie before them, and how many there are, so that a page can say `101–150 of 227`. The list itself
//! is made once for that; what belongs to single rows is read for those of the page only ([`Listing::beside`]).
//! The list of machines, which has indexes for its orders, is in `devices::page`.

use jiff::Timestamp;
use sal_query::Parameter;
use tokio_postgres::{
    Row,
    types::{ToSql, Type},
};

use crate::{
    devices::Direction,
    error::StoreError,
    machine_query::typed,
    pool::{Executor, query_typed},
};

/// Where a page of a list is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// At the beginning.
    First,
    /// After this row.
    After(Border),
    /// Before this row. Where less than a page is left, it is the first page, whole.
    Before(Border),
    /// Behind so many rows, as older addresses have it; at the beginning, where there are no more.
    Skip(i64),
    /// Behind so many rows, as DataTables asks for it; nothing, where there are no more.
    Exactly(i64),
}

/// The values that sort a row, as text: all that is needed to find its place, whether it is still there or not.
///
/// It may come from anybody: one that is none of a list's order is not used, and the list begins at its beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Border(pub Vec<Option<String>>);

/// A page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct ListPage<T> {
    /// Its rows.
    pub rows: Vec<T>,
    /// How many rows of the list lie before them.
    pub before: i64,
    /// How many rows the list has.
    pub total: i64,
    /// Its first row.
    pub first: Option<Border>,
    /// Its last row.
    pub last: Option<Border>,
}

impl<T> ListPage<T> {
    /// No row of a list without any.
    pub(crate) const EMPTY: Self = Self {
        rows: Vec::new(),
        before: 0,
        total: 0,
        first: None,
        last: None,
    };
}

/// A value that sorts a list. Rows without one come last in both directions.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Key {
    value: &'static str,
    kind: Kind,
    direction: Direction,
    may_miss: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Integer,
    Time,
}

impl Key {
    /// A text.
    pub(crate) fn text(value: &'static str) -> Self {
        Self::of(value, Kind::Text)
    }

    /// A number.
    pub(crate) fn integer(value: &'static str) -> Self {
        Self::of(value, Kind::Integer)
    }

    /// A moment.
    pub(crate) fn time(value: &'static str) -> Self {
        Self::of(value, Kind::Time)
    }

    fn of(value: &'static str, kind: Kind) -> Self {
        Self {
            value,
            kind,
            direction: Direction::Ascending,
            may_miss: false,
        }
    }

    /// The same in this direction.
    pub(crate) fn going(self, direction: Direction) -> Self {
        Self { direction, ..self }
    }

    /// The same, where rows may be without it.
    pub(crate) fn that_may_miss(self) -> Self {
        Self {
            may_miss: true,
            ..self
        }
    }
}

impl Kind {
    /// The type that both sides of a comparison have.
    fn sql(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "bigint",
            Self::Time => "timestamptz",
        }
    }

    /// The value of a column as [`Kind::parse`] reads it: exact, whatever the session's settings are.
    fn as_text(self, column: &str) -> String {
        match self {
            Self::Text => column.to_owned(),
            Self::Integer => format!("{column}::text"),
            Self::Time => format!("(extract(epoch FROM {column}) * 1000000)::bigint::text"),
        }
    }

    fn parse(self, text: &str) -> Option<Parameter> {
        match self {
            Self::Text => (!text.contains('\0')).then(|| Parameter::Text(text.to_owned())),
            Self::Integer => text.parse().ok().map(Parameter::Integer),
            Self::Time => moment(text).map(Parameter::Time),
        }
    }
}

/// A list, and what is shown of its rows.
pub(crate) struct Listing<'a> {
    /// What sorts it. All keys together are another for each row.
    pub(crate) order: Vec<Key>,
    /// What each row of the list has, for `shown`.
    pub(crate) columns: &'a str,
    /// The list: from `FROM` on, unsorted.
    pub(crate) from: &'a str,
    /// What is read of the rows of the page, which are called `shown`; the row's reader finds it in this order.
    pub(crate) shown: &'a str,
    /// Joins to `shown` for what is read of the page's rows only; none of them may lose or double a row.
    pub(crate) beside: &'a str,
    /// The parameters of all these.
    pub(crate) parameters: Vec<(&'a (dyn ToSql + Sync), Type)>,
}

impl Listing<'_> {
    /// Reads a page of at most so many rows; all that are left without a limit.
    pub(crate) async fn read<T>(
        &self,
        start: &Start,
        limit: Option<i64>,
        row: fn(&Row) -> Result<T, StoreError>,
        db: &impl Executor,
    ) -> Result<ListPage<T>, StoreError> {
        let page = self.part(start, limit, row, db).await?;
        let rows = i64::try_from(page.rows.len()).unwrap_or(i64::MAX);
        let is_astray = match start {
            Start::First | Start::Exactly(_) => false,
            Start::After(_) | Start::Skip(_) => rows == 0 && page.total > 0,
            Start::Before(_) => limit.is_some_and(|limit| rows < limit) && rows < page.total,
        };
        match is_astray {
            true => self.part(&Start::First, limit, row, db).await,
            false => Ok(page),
        }
    }

    async fn part<T>(
        &self,
        start: &Start,
        limit: Option<i64>,
        row: fn(&Row) -> Result<T, StoreError>,
        db: &impl Executor,
    ) -> Result<ListPage<T>, StoreError> {
        let reading = Reading::of(start, &self.order);
        let values: Vec<&Parameter> = reading.values.iter().flatten().collect();
        let sql = self.sql(&reading, values.len());
        let mut parameters = self.parameters.clone();
        parameters.extend(values.into_iter().map(typed));
        parameters.push((&limit, Type::INT8));
        parameters.push((&reading.skip, Type::INT8));
        let found = query_typed(&sql, &parameters, db).await?;
        let Some(first) = found.first() else {
            return Ok(ListPage::EMPTY);
        };
        let (total, counted): (i64, i64) =
            (first.try_get("list_total")?, first.try_get("list_before")?);
        // Behind the last page there is a row without anything but the counts.
        let is_there: bool = first.try_get("list_has_rows")?;
        let rows = found.iter().filter(|_| is_there);
        let rows = rows.map(row).collect::<Result<Vec<T>, _>>()?;
        let before = match reading.way {
            Way::Forward => counted + reading.skip.min(total),
            Way::Back => counted - i64::try_from(rows.len()).unwrap_or(counted),
        };
        let border = |row: Option<&Row>| row.filter(|_| is_there).map(|row| self.border(row));
        Ok(ListPage {
            first: border(found.first()).transpose()?,
            last: border(found.last()).transpose()?,
            rows,
            before,
            total,
        })
    }

    /// The statement; so many values of the border stand between the list's own parameters and the page's.
    fn sql(&self, reading: &Reading, values: usize) -> String {
        let first = self.parameters.len() + 1;
        let (limit, skip) = (first + values, first + values + 1);
        let beyond = reading.beyond(&self.order, first);
        let here = beyond.as_deref().unwrap_or("TRUE");
        let before = match (&beyond, reading.way) {
            (None, _) => "0::bigint".to_owned(),
            (Some(behind), Way::Forward) => format!("count(*) FILTER (WHERE NOT {behind})"),
            (Some(before), Way::Back) => format!("count(*) FILTER (WHERE {before})"),
        };
        let keys = join(&self.order, |key, column| {
            format!("({})::{} AS {column}", key.value, key.kind.sql())
        });
        let texts = join(&self.order, |key, column| {
            let text = key.kind.as_text(&format!("shown.{column}"));
            format!("{text} AS {column}_text")
        });
        let (read, sorted) = (
            join(&self.order, |key, column| key.sorted(column, reading.way)),
            join(&self.order, |key, column| {
                key.sorted(&format!("shown.{column}"), Way::Forward)
            }),
        );
        let page = match self.beside {
            "" => "shown".to_owned(),
            joins => format!("(shown {joins})"),
        };
        format!(
            "WITH listed AS MATERIALIZED (SELECT {columns}, {keys} {from}),
             shown AS (SELECT TRUE AS is_there, listed.* FROM listed WHERE {here}
                       ORDER BY {read} LIMIT ${limit} OFFSET ${skip})
             SELECT {shown}, {texts}, counted.list_total, counted.list_before, shown.is_there IS TRUE AS list_has_rows
             FROM (SELECT count(*) AS list_total, {before} AS list_before FROM listed) counted
             LEFT JOIN {page} ON TRUE ORDER BY {sorted}",
            columns = self.columns,
            from = self.from,
            shown = self.shown,
        )
    }

    fn border(&self, row: &Row) -> Result<Border, StoreError> {
        let texts = (0..self.order.len()).map(|number| {
            let name = format!("key_{number}_text");
            Ok(row.try_get(name.as_str())?)
        });
        texts.collect::<Result<_, StoreError>>().map(Border)
    }
}

/// In which direction a page is read from its border.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Forward,
    Back,
}

/// Where to read, for the statement.
struct Reading {
    way: Way,
    /// The values of the border; none at the beginning.
    values: Vec<Option<Parameter>>,
    skip: i64,
}

impl Reading {
    fn of(start: &Start, order: &[Key]) -> Self {
        let (way, values, skip) = match start {
            Start::First => (Way::Forward, None, 0),
            Start::After(border) => (Way::Forward, border.values(order), 0),
            Start::Before(border) => (Way::Back, border.values(order), 0),
            Start::Skip(rows) | Start::Exactly(rows) => (Way::Forward, None, (*rows).max(0)),
        };
        match values {
            Some(values) => Self { way, values, skip },
            None => Self {
                way: Way::Forward,
                values: Vec::new(),
                skip,
            },
        }
    }

    /// The condition that rows beyond the border fulfill; none where there is no border. Never NULL.
    fn beyond(&self, order: &[Key], first_parameter: usize) -> Option<String> {
        let mut parameters = first_parameter..;
        let keys: Vec<(String, String)> = self
            .values
            .iter()
            .zip(order)
            .enumerate()
            .map(|(number, (value, key))| {
                let column = format!("key_{number}");
                let border = value.as_ref().and_then(|_| parameters.next());
                let border = border.map(|place| format!("${place}::{}", key.kind.sql()));
                key.beyond(&column, border.as_deref(), self.way)
            })
            .collect();
        let last_first = keys.into_iter().rev();
        last_first.fold(None, |rest, (farther, same)| {
            Some(match rest {
                None => farther,
                Some(rest) => format!("({farther} OR ({same} AND {rest}))"),
            })
        })
    }
}

impl Key {
    /// What sorts by it in the direction of reading.
    fn sorted(&self, column: &str, way: Way) -> String {
        let (direction, nulls) = match way {
            Way::Forward => (self.direction, "LAST"),
            Way::Back => (self.direction.reversed(), "FIRST"),
        };
        format!("{column} {} NULLS {nulls}", direction.sql().0)
    }

    /// The conditions that a row is farther in the direction of reading than a border, and that it is equal to it.
    fn beyond(&self, column: &str, border: Option<&str>, way: Way) -> (String, String) {
        let Some(border) = border else {
            // Rows without the value are the last.
            let farther = match way {
                Way::Forward => "FALSE".to_owned(),
                Way::Back => format!("{column} IS NOT NULL"),
            };
            return (farther, format!("{column} IS NULL"));
        };
        let direction = match way {
            Way::Forward => self.direction,
            Way::Back => self.direction.reversed(),
        };
        let (_, after) = direction.sql();
        let farther = match way {
            Way::Forward => format!("(({column} {after} {border}) IS NOT FALSE)"),
            Way::Back => format!("(({column} {after} {border}) IS TRUE)"),
        };
        (farther, format!("(({column} = {border}) IS TRUE)"))
    }
}

impl Border {
    /// Its values, if it is one of this order.
    fn values(&self, order: &[Key]) -> Option<Vec<Option<Parameter>>> {
        if self.0.len() != order.len() {
            return None;
        }
        let values = self.0.iter().zip(order).map(|(text, key)| match text {
            Some(text) => key.kind.parse(text).map(Some),
            None => key.may_miss.then_some(None),
        });
        values.collect()
    }
}

/// Something for each key and the column that has it.
fn join(order: &[Key], each: impl Fn(&Key, &str) -> String) -> String {
    let parts = order.iter().enumerate();
    let parts: Vec<String> = parts
        .map(|(number, key)| each(key, &format!("key_{number}")))
        .collect();
    parts.join(", ")
}

/// Reads a moment of a border: microseconds since 1970, none that Postgres would refuse.
pub(crate) fn moment(text: &str) -> Option<Timestamp> {
    let microseconds = text.parse().ok().filter(|at| *at >= POSTGRES_BEGINS)?;
    Timestamp::from_microsecond(microseconds).ok()
}

/// The year 1. Postgres refuses moments before 4713 BC, and no machine has one before this.
const POSTGRES_BEGINS: i64 = -62_135_596_800_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn order() -> Vec<Key> {
        vec![
            Key::time("m.last_checkin")
                .going(Direction::Descending)
                .that_may_miss(),
            Key::text("m.name"),
            Key::integer("m.id"),
        ]
    }

    fn border(texts: [Option<&str>; 3]) -> Border {
        Border(texts.map(|text| text.map(str::to_owned)).to_vec())
    }

    #[test]
    fn a_border_that_is_none_of_the_order_is_the_beginning() {
        for good in [
            [Some("1700000000000000"), Some(""), Some("7")],
            [None, Some("ü"), Some("-9223372036854775808")],
        ] {
            assert!(border(good).values(&order()).is_some(), "{good:?}");
        }
        for bad in [
            [Some("yesterday"), Some("a"), Some("7")],
            [Some("9223372036854775807"), Some("a"), Some("7")],
            // The year -9999, which jiff has and Postgres has not.
            [Some("-377705023201000000"), Some("a"), Some("7")],
            [None, Some("a\0b"), Some("7")],
            [None, None, Some("7")],
            [None, Some("a"), None],
            [None, Some("a"), Some("9223372036854775808")],
            [None, Some("a"), Some("1.5")],
        ] {
            let border = border(bad);
            assert_eq!(border.values(&order()), None, "{bad:?}");
            let reading = Reading::of(&Start::Before(border), &order());
            assert_eq!(
                (reading.way, reading.beyond(&order(), 1)),
                (Way::Forward, None)
            );
        }
        assert_eq!(Border(vec![None]).values(&order()), None);
        assert_eq!(Border(vec![]).values(&order()), None);
    }

    #[test]
    fn rows_beyond_a_border_are_compared_key_by_key() {
        let beyond = |start: Start| Reading::of(&start, &order()).beyond(&order(), 4).unwrap();
        assert_eq!(
            beyond(Start::After(border([Some("5"), Some("a"), Some("7")]))),
            "(((key_0 < $4::timestamptz) IS NOT FALSE) OR (((key_0 = $4::timestamptz) IS TRUE) AND \
             (((key_1 > $5::text) IS NOT FALSE) OR (((key_1 = $5::text) IS TRUE) AND \
             ((key_2 > $6::bigint) IS NOT FALSE)))))"
        );
        // A value that is missing takes no parameter.
        assert_eq!(
            beyond(Start::Before(border([None, Some("a"), Some("7")]))),
            "(key_0 IS NOT NULL OR (key_0 IS NULL AND (((key_1 < $4::text) IS TRUE) OR \
             (((key_1 = $4::text) IS TRUE) AND ((key_2 < $5::bigint) IS TRUE)))))"
        );
    }
}
