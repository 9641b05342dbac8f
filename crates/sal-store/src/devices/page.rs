//! One page of the list, found by the key of the machine next to it.
//!
//! Machines without a sort value come last in both directions. They are a section of their own: within a section the
//! order is one that an index has, and `(value, id) > (…)` finds the place; NULLs would break that comparison.

use jiff::Timestamp;
use sal_query::{Condition, Fragment, Parameter};

use super::{
    row::{DeviceRow, MESSAGES, UNIT_OF_MACHINE, device_columns, device_row},
    sort::{Direction, SortBy, SortKey},
    value_sort::Beside,
};
use crate::{
    error::StoreError,
    ids::MachineId,
    machine_query::{FIRST_PARAMETER, MACHINES_IN_SCOPE, add, run},
    pool::Executor,
    scope::Scope,
};

/// What a page of the list shows.
#[derive(Debug, Clone)]
pub struct PageQuery {
    /// Which machines.
    pub filter: Condition,
    /// Sorted by this, then by id.
    pub sort: SortBy,
    /// Direction of sorting.
    pub direction: Direction,
    /// Where the page is.
    pub start: Start,
    /// How many machines.
    pub limit: usize,
}

/// Where a page is.
#[derive(Debug, Clone, PartialEq)]
pub enum Start {
    /// At the beginning of the list.
    First,
    /// At its end.
    Last,
    /// After this machine.
    After(SortKey),
    /// Before this machine.
    Before(SortKey),
}

/// A page.
#[derive(Debug, Clone, PartialEq)]
pub struct DevicePage {
    /// Its machines, in the order of the list.
    pub rows: Vec<DeviceRow>,
    /// Whether there are more in the direction of reading: behind the page, or before it for [`Start::Last`] and
    /// [`Start::Before`].
    pub has_more: bool,
}

impl DeviceRow {
    /// Its sort value as text, for [`SortKey::new`].
    #[must_use]
    pub fn sort_text(&self) -> Option<&str> {
        self.sort_text.as_deref()
    }
}

/// A part of the list: machines with a sort value, and those without behind them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Section {
    Valued,
    Missing,
}

/// Reads a page.
///
/// # Errors
/// When the database cannot be asked.
pub async fn read_page(
    query: &PageQuery,
    now: Timestamp,
    scope: &Scope,
    db: &impl Executor,
) -> Result<DevicePage, StoreError> {
    let (forward, key) = match &query.start {
        Start::First => (true, None),
        Start::After(key) => (true, Some(key)),
        Start::Last => (false, None),
        Start::Before(key) => (false, Some(key)),
    };
    // One more tells whether there are more.
    let wanted = query.limit + 1;
    let mut rows: Vec<DeviceRow> = Vec::new();
    // At most two statements, and the second only where the sections meet.
    for (section, key) in sections(&query.sort, forward, key) {
        let sql = SectionQuery {
            query,
            section,
            direction: if forward {
                query.direction
            } else {
                query.direction.reversed()
            },
            key,
            limit: wanted - rows.len(),
        };
        rows.extend(sql.read(now, scope, db).await?);
        if rows.len() >= wanted {
            break;
        }
    }
    let has_more = rows.len() > query.limit;
    rows.truncate(query.limit);
    if !forward {
        rows.reverse();
    }
    Ok(DevicePage { rows, has_more })
}

/// The sections in the order of reading, from the one of the key on; the key counts in its own section.
fn sections<'k>(
    sort: &SortBy,
    forward: bool,
    key: Option<&'k SortKey>,
) -> Vec<(Section, Option<&'k SortKey>)> {
    let mut order = vec![Section::Valued];
    if sort.is_nullable() {
        order.push(Section::Missing);
    }
    if !forward {
        order.reverse();
    }
    let Some(key) = key else {
        return order.into_iter().map(|section| (section, None)).collect();
    };
    let home = if key.value.is_some() {
        Section::Valued
    } else {
        Section::Missing
    };
    order
        .into_iter()
        .skip_while(|section| *section != home)
        .map(|section| (section, (section == home).then_some(key)))
        .collect()
}

struct SectionQuery<'a> {
    query: &'a PageQuery,
    section: Section,
    /// Direction of reading.
    direction: Direction,
    key: Option<&'a SortKey>,
    limit: usize,
}

impl SectionQuery<'_> {
    async fn read(
        &self,
        now: Timestamp,
        scope: &Scope,
        db: &impl Executor,
    ) -> Result<Vec<DeviceRow>, StoreError> {
        let mut fragment = self.query.filter.to_sql(now, FIRST_PARAMETER);
        let sort = &self.query.sort;
        let beside = Beside::of(sort, scope, &mut fragment);
        let place = self.place(&mut fragment);
        let (word, _) = self.direction.sql();
        // Both directions in the form that an index has, where there is one: without NULLS LAST.
        let inner_order = match self.section {
            Section::Valued => format!("{} {word}, machine.id {word}", sort.expression()),
            Section::Missing => format!("machine.id {word}"),
        };
        // Where other tables decide, all machines that fit are found first, as for their number. Along an index of
        // machines each would be asked by itself, which takes seconds when few fit.
        let filter = if self.query.filter.asks_rows() {
            format!(
                "machine.id IN (SELECT machine.id FROM server_machine machine WHERE {} OFFSET 0)",
                fragment.text
            )
        } else {
            fragment.text.clone()
        };
        let Beside { with, join } = beside;
        let sql = format!(
            "{with}SELECT {columns} FROM ( \
                 SELECT machine.*, machine_group.name AS group_name, business_unit.name AS unit_name, \
                        {value} AS sort_value, {text} AS sort_text \
                 FROM {MACHINES_IN_SCOPE} {UNIT_OF_MACHINE} {join} WHERE {filter} AND {place} \
                 ORDER BY {inner_order} LIMIT {limit} \
             ) machine {MESSAGES} ORDER BY machine.sort_value {word}, machine.id {word}",
            columns = device_columns(),
            value = sort.expression(),
            text = sort.as_text(),
            limit = self.limit,
        );
        let rows = run(&sql, &[&fragment], scope, db).await?;
        rows.iter().map(device_row).collect()
    }

    /// Which rows of the list belong to the section and lie behind the key.
    fn place(&self, fragment: &mut Fragment) -> String {
        let sort = &self.query.sort;
        let (value, plain) = (sort.expression(), sort.plain());
        let mut parts = Vec::new();
        if sort.is_nullable() {
            parts.push(match self.section {
                Section::Valued => format!("{plain} IS NOT NULL"),
                Section::Missing => format!("{plain} IS NULL"),
            });
        }
        if let Some(key) = self.key {
            let (_, after) = self.direction.sql();
            match &key.value {
                Some(border) => {
                    let border = add(border.clone(), fragment);
                    let id = add(Parameter::Integer(key.id.0), fragment);
                    parts.push(format!(
                        "({value}, machine.id) {after} ({}, {id}::bigint)",
                        sort.border(&border)
                    ));
                }
                None => {
                    let id = add(Parameter::Integer(key.id.0), fragment);
                    parts.push(format!("machine.id {after} {id}::bigint"));
                }
            }
        }
        if parts.is_empty() {
            return "TRUE".to_owned();
        }
        parts.join(" AND ")
    }
}

/// The ids of all machines of a list, in its order.
///
/// # Errors
/// When the database cannot be asked.
pub async fn device_ids(
    filter: &Condition,
    sort: impl Into<SortBy>,
    direction: Direction,
    now: Timestamp,
    scope: &Scope,
    db: &impl Executor,
) -> Result<Vec<MachineId>, StoreError> {
    let sort = sort.into();
    let mut fragment = filter.to_sql(now, FIRST_PARAMETER);
    let (word, _) = direction.sql();
    let Beside { with, join } = Beside::of(&sort, scope, &mut fragment);
    let sql = format!(
        "{with}SELECT machine.id FROM {MACHINES_IN_SCOPE} {UNIT_OF_MACHINE} {join} WHERE {} \
         ORDER BY {} {word} NULLS LAST, machine.id {word}",
        fragment.text,
        sort.expression(),
    );
    let rows = run(&sql, &[&fragment], scope, db).await?;
    let ids = rows.iter().map(|row| Ok(row.try_get(0)?));
    ids.collect()
}
