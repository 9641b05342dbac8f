//! What a filter means, by the words of the documentation: a naive reading of all rows in memory. It shares nothing with
//! the SQL and the reading of values that it judges; of the catalogue it takes names and what a column's values are.

use std::cmp::Ordering;
use std::collections::HashMap;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan, tz::TimeZone};
use sal_query::catalogue::{self, Column, Meaning, Of, RowKind, Subject};
use sal_query::expr::{CastName, Compare, Expr, Op, Quantifier};
use tokio_postgres::types::Type;

use super::stage::Stage;

/// A value as the database has it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    Null,
    Text(String),
    Whole(i64),
    Moment(Timestamp),
    Flag(bool),
}

pub(super) type Row = HashMap<String, Cell>;

pub(super) struct Machine {
    id: i64,
    columns: Row,
    rows: HashMap<&'static str, Vec<Row>>,
    /// What quick search looks through beside the columns.
    cached: Vec<String>,
}

pub(super) struct World {
    pub(super) machines: Vec<Machine>,
    now: Timestamp,
}

impl World {
    pub(super) async fn read(stage: &Stage) -> Self {
        let mut machines: Vec<Machine> = read(MACHINES, stage)
            .await
            .into_iter()
            .map(|(id, columns)| Machine {
                id,
                columns,
                rows: HashMap::new(),
                cached: Vec::new(),
            })
            .collect();
        for (kind, sql) in ROWS {
            for (machine, row) in read(sql, stage).await {
                let owner = machines.iter_mut().find(|one| one.id == machine);
                if let Some(owner) = owner {
                    owner.rows.entry(kind).or_default().push(row);
                }
            }
            let has_rows = machines
                .iter()
                .any(|machine| machine.rows.contains_key(kind));
            assert!(has_rows, "nothing to ask of {kind}");
        }
        for (machine, row) in read(
            "SELECT machine_id, search_item FROM search_searchcache",
            stage,
        )
        .await
        {
            let owner = machines.iter_mut().find(|one| one.id == machine).unwrap();
            owner
                .cached
                .extend(text(&row["search_item"]).map(str::to_owned));
        }
        Self {
            machines,
            now: stage.now,
        }
    }

    /// The machines that fulfil a filter, by id.
    pub(super) fn ids(&self, expr: &Expr) -> Vec<i64> {
        let fitting = self
            .machines
            .iter()
            .filter(|machine| self.holds(expr, machine));
        let mut ids: Vec<i64> = fitting.map(|machine| machine.id).collect();
        ids.sort_unstable();
        ids
    }

    /// Where what was found is not what is meant.
    pub(super) fn difference(&self, expr: &Expr, found: &[i64], meant: &[i64]) -> Option<String> {
        let only = |these: &[i64], those: &[i64]| {
            let only = these.iter().filter(|id| !those.contains(id));
            only.take(5)
                .map(|id| self.describe(*id))
                .collect::<Vec<_>>()
        };
        (found != meant).then(|| {
            format!(
                "{expr}\nfound too many: {:?}\nnot found: {:?}",
                only(found, meant),
                only(meant, found)
            )
        })
    }

    fn describe(&self, id: i64) -> String {
        let machine = self
            .machines
            .iter()
            .find(|machine| machine.id == id)
            .unwrap();
        let columns = ["serial", "hostname", "operating_system"].map(|name| &machine.columns[name]);
        format!("{columns:?}")
    }

    /// Texts that occur in a column, a few.
    pub(super) fn texts(&self, kind: Option<&RowKind>, column: &str) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        for machine in &self.machines {
            let rows = match kind {
                None => std::slice::from_ref(&machine.columns),
                Some(kind) => machine.rows.get(kind.name).map_or(&[][..], Vec::as_slice),
            };
            let texts = rows
                .iter()
                .filter_map(|row| row.get(column))
                .map(|cell| match cell {
                    Cell::Null => String::new(),
                    Cell::Text(text) => text.clone(),
                    Cell::Whole(number) => number.to_string(),
                    Cell::Moment(moment) => moment.to_string(),
                    Cell::Flag(flag) => flag.to_string(),
                });
            for text in texts {
                if !found.contains(&text) {
                    found.push(text);
                }
            }
        }
        found
    }

    fn holds(&self, expr: &Expr, machine: &Machine) -> bool {
        match expr {
            Expr::All { all } => all.iter().all(|part| self.holds(part, machine)),
            Expr::Any { any } => any.iter().any(|part| self.holds(part, machine)),
            Expr::Not { not } => !self.holds(not, machine),
            Expr::Words { words } => words.iter().all(|word| quick_search(word, machine)),
            Expr::Rows(rows) => {
                let kind = catalogue::row_kind(&rows.rows).unwrap();
                let mut found = machine
                    .rows(kind)
                    .iter()
                    .map(|row| self.row(&rows.condition, kind, row));
                match rows.quantifier {
                    Quantifier::Any => found.any(|holds| holds),
                    Quantifier::No => !found.any(|holds| holds),
                    Quantifier::Every => found.all(|holds| holds),
                }
            }
            Expr::Compare(compare) => self.compare(compare, machine),
        }
    }

    fn row(&self, expr: &Expr, kind: &'static RowKind, row: &Row) -> bool {
        match expr {
            Expr::All { all } => all.iter().all(|part| self.row(part, kind, row)),
            Expr::Any { any } => any.iter().any(|part| self.row(part, kind, row)),
            Expr::Not { not } => !self.row(not, kind, row),
            Expr::Compare(compare) => {
                let column = kind.column(&compare.field).unwrap();
                self.value(compare, column, &row[column.name])
            }
            Expr::Words { .. } | Expr::Rows(_) => panic!("no condition on a row: {expr}"),
        }
    }

    fn compare(&self, compare: &Compare, machine: &Machine) -> bool {
        match catalogue::find(&compare.field).unwrap() {
            Subject::Column(column) => self.value(compare, column, &machine.column(column)),
            Subject::Single(kind, column) => self.some_row(compare, kind, column, machine),
            Subject::Rows(kind) => {
                let column = kind.column(kind.value).unwrap();
                self.some_row(compare, kind, column, machine)
            }
            Subject::Machine => {
                let (op, is_negated) = positive(compare.op);
                let names = match op {
                    Op::In => compare.values.clone().unwrap(),
                    _ => vec![compare.value.clone().unwrap()],
                };
                let is_named = names.iter().any(|name| {
                    text(&machine.columns["serial"]).is_some_and(|serial| same(serial, name))
                        || text(&machine.columns["hostname"]) == Some(name)
                });
                is_named != is_negated
            }
            Subject::Search | Subject::Widget => panic!("nothing is named"),
        }
    }

    /// Whether a row of a kind is meant and fulfils a comparison; negation is outside: no row is another value.
    fn some_row(
        &self,
        compare: &Compare,
        kind: &'static RowKind,
        column: &Column,
        machine: &Machine,
    ) -> bool {
        let (op, is_negated) = positive(compare.op);
        let positive = Compare {
            op,
            ..compare.clone()
        };
        let mut rows = machine
            .rows(kind)
            .iter()
            .filter(|row| is_meant(row, kind, compare.of.as_deref()));
        let found = rows.any(|row| {
            // A pending update is there whatever its name is; a fact is there when it has a value.
            let is_there = op == Op::Set
                && compare.cast.is_none()
                && !["fact", "plugin", "checkin", "group", "unit"].contains(&kind.name);
            is_there || self.value(&positive, column, &row[column.name])
        });
        found != is_negated
    }

    /// A comparison of one value.
    fn value(&self, compare: &Compare, column: &Column, cell: &Cell) -> bool {
        let (op, is_negated) = match compare.op {
            Op::Set => (Op::Empty, true),
            Op::Empty => (Op::Empty, false),
            op => positive(op),
        };
        let holds = match op {
            Op::Empty => matches!(cell, Cell::Null) || *cell == Cell::Text(String::new()),
            Op::In => compare
                .values
                .iter()
                .flatten()
                .any(|value| self.with(Op::Equal, value, compare, column, cell)),
            op => self.with(op, compare.value.as_deref().unwrap(), compare, column, cell),
        };
        holds != is_negated
    }

    fn with(&self, op: Op, value: &str, compare: &Compare, column: &Column, cell: &Cell) -> bool {
        let meaning = meaning(op, value, compare.cast, column);
        match meaning {
            Meaning::Text | Meaning::Untyped | Meaning::Name => {
                text(cell).is_some_and(|own| texts(op, own, value, meaning == Meaning::Name))
            }
            Meaning::Version => text(cell).is_some_and(|own| versions(op, own, value)),
            Meaning::Number => {
                let wanted = if compare.cast == Some(CastName::Size) {
                    bytes(value, 1000).map(|bytes| bytes.to_string())
                } else {
                    None
                };
                let wanted = decimal(wanted.as_deref().unwrap_or(value.trim())).unwrap();
                text(cell)
                    .and_then(|own| decimal(own.trim_matches(' ')))
                    .is_some_and(|own| ordered(op, own.partial_cmp(&wanted).unwrap()))
            }
            Meaning::Whole => {
                whole(cell).is_some_and(|own| ordered(op, own.cmp(&value.trim().parse().unwrap())))
            }
            Meaning::Bytes => whole(cell)
                .is_some_and(|own| ordered(op, i128::from(own).cmp(&bytes(value, 1000).unwrap()))),
            Meaning::Kibibytes => {
                let wanted = match value.trim().parse::<i128>() {
                    Ok(plain) => plain * 1024,
                    Err(_unit) => bytes(value, 1024).unwrap(),
                };
                whole(cell).is_some_and(|own| ordered(op, (i128::from(own) * 1024).cmp(&wanted)))
            }
            Meaning::Flag => {
                let own = match cell {
                    Cell::Flag(flag) => Some(*flag),
                    Cell::Text(text) => yes_or_no(text),
                    _ => None,
                };
                own.is_some() && own == yes_or_no(value.trim())
            }
            Meaning::Time => {
                let own = match cell {
                    Cell::Moment(moment) => Some(*moment),
                    Cell::Text(text) => moment_of(text),
                    _ => None,
                };
                own.is_some_and(|own| self.times(op, own, value.trim()))
            }
        }
    }

    fn times(&self, op: Op, own: Timestamp, value: &str) -> bool {
        if matches!(op, Op::Within | Op::OlderThan) {
            let unit = match value.chars().last().unwrap() {
                's' => 1,
                'm' => 60,
                'h' => 3_600,
                'd' => 86_400,
                _ => 7 * 86_400,
            };
            let number: i64 = value[..value.len() - 1].parse().unwrap();
            let border = self.now - SignedDuration::from_secs(number * unit);
            return if op == Op::Within {
                own >= border
            } else {
                own <= border
            };
        }
        // A day is all of its moments.
        let (begin, end) = match value.parse::<Date>() {
            Ok(day) if value.len() == 10 => {
                let begin = day.to_zoned(TimeZone::UTC).unwrap();
                let end = begin.checked_add(1.day()).unwrap();
                (
                    begin.timestamp(),
                    end.timestamp() - SignedDuration::from_micros(1),
                )
            }
            _ => {
                let at = moment_of(value).unwrap();
                (at, at)
            }
        };
        match op {
            Op::Less => own < begin,
            Op::LessOrEqual => own <= end,
            Op::Greater => own > end,
            Op::GreaterOrEqual => own >= begin,
            _ => begin <= own && own <= end,
        }
    }
}

impl Machine {
    fn rows(&self, kind: &RowKind) -> &[Row] {
        self.rows.get(kind.name).map_or(&[], Vec::as_slice)
    }

    fn column(&self, column: &Column) -> Cell {
        let own = |name: &str| text(&self.columns[name]).unwrap_or_default().to_owned();
        match column.name {
            "model" if own("machine_model_friendly").is_empty() => {
                self.columns["machine_model"].clone()
            }
            "model" => self.columns["machine_model_friendly"].clone(),
            "model_family" => match text(&self.columns["machine_model"]) {
                Some(model) => {
                    let family = model.split(',').next().unwrap_or_default();
                    let is_number = |c: char| c.is_ascii_digit() || c == ' ';
                    Cell::Text(family.trim_end_matches(is_number).to_owned())
                }
                None => Cell::Null,
            },
            name => self.columns[name].clone(),
        }
    }
}

/// What a value is read as.
fn meaning(op: Op, value: &str, cast: Option<CastName>, column: &Column) -> Meaning {
    let is_order = matches!(
        op,
        Op::Less | Op::LessOrEqual | Op::Greater | Op::GreaterOrEqual
    );
    let is_age = matches!(op, Op::Within | Op::OlderThan);
    match (cast, column.meaning) {
        (Some(CastName::Text), _) => Meaning::Text,
        (Some(CastName::Number | CastName::Size), _) => Meaning::Number,
        (Some(CastName::Version), _) => Meaning::Version,
        (Some(CastName::Date), _) => Meaning::Time,
        (Some(CastName::Boolean), _) => Meaning::Flag,
        (None, Meaning::Untyped) if is_age => Meaning::Time,
        (None, Meaning::Untyped) if is_order && decimal(value).is_some() => Meaning::Number,
        (None, Meaning::Untyped)
            if is_order && version(value).is_some_and(|(_, rest)| rest.is_empty()) =>
        {
            Meaning::Version
        }
        (None, Meaning::Untyped) if is_order => Meaning::Time,
        (None, Meaning::Untyped) => Meaning::Text,
        (None, meaning) => meaning,
    }
}

/// The operator without its negation.
fn positive(op: Op) -> (Op, bool) {
    match op {
        Op::NotEqual => (Op::Equal, true),
        Op::NotContains => (Op::Contains, true),
        Op::NotIn => (Op::In, true),
        Op::Empty => (Op::Set, true),
        op => (op, false),
    }
}

/// Whether the text after a row kind's name means this row.
fn is_meant(row: &Row, kind: &RowKind, of: Option<&str>) -> bool {
    let Some(of) = of else {
        return true;
    };
    let is = |column: &str| text(&row[column]).is_some_and(|own| same(own, of));
    match kind.of {
        Of::Nothing => panic!("{} takes no name", kind.name),
        Of::Column(column) => is(column),
        Of::NameOrBundle => is("name") || is("bundle_id"),
        Of::SourceAndName => {
            let own = text(&row["name"]).unwrap();
            match of.split_once('/') {
                Some(("", name)) => own == name,
                Some((source, name)) => own == name && text(&row["source"]) == Some(source),
                None => own == of,
            }
        }
        Of::PluginAndRow => {
            let (plugin, name) = of.split_once('/').unwrap();
            text(&row["plugin"]) == Some(plugin) && text(&row["name"]) == Some(name)
        }
    }
}

fn quick_search(word: &str, machine: &Machine) -> bool {
    let columns = SEARCHED
        .iter()
        .filter_map(|column| text(&machine.columns[*column]));
    columns
        .chain(machine.cached.iter().map(String::as_str))
        .any(|own| lower(own).contains(&lower(word)))
}

fn texts(op: Op, own: &str, value: &str, is_name: bool) -> bool {
    match op {
        Op::Equal if is_name => own == value,
        Op::Equal => same(own, value),
        Op::Exactly => own == value,
        Op::Contains => lower(own).contains(&lower(value)),
        Op::StartsWith => lower(own).starts_with(&lower(value)),
        Op::Matches => matches(value, own),
        Op::Less => own < value,
        Op::LessOrEqual => own <= value,
        Op::Greater => own > value,
        Op::GreaterOrEqual => own >= value,
        op => panic!("text by {}", op.text()),
    }
}

/// As Postgres reads a pattern: a point is a line feed too.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let pattern = regex::RegexBuilder::new(pattern)
        .dot_matches_new_line(true)
        .build();
    pattern.unwrap().is_match(text)
}

fn versions(op: Op, own: &str, value: &str) -> bool {
    if matches!(
        op,
        Op::Exactly | Op::Contains | Op::StartsWith | Op::Matches
    ) {
        return texts(op, own, value, false);
    }
    let value = value.trim();
    if let Some(beginning) = value
        .strip_suffix(".*")
        .or_else(|| value.strip_suffix(".x"))
    {
        return same(own, beginning) || lower(own).starts_with(&lower(&format!("{beginning}.")));
    }
    match version(value) {
        Some((wanted, "")) => version(own).is_some_and(|(own, _)| ordered(op, own.cmp(&wanted))),
        _ => same(own, value),
    }
}

/// The numbers with dots between them at the beginning of a text, without zeros at the end, and the rest of it.
fn version(text: &str) -> Option<(Vec<u64>, &str)> {
    let mut numbers = Vec::new();
    let mut rest = text;
    loop {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        numbers.push(rest[..digits].parse().ok()?);
        rest = &rest[digits..];
        match rest.strip_prefix('.') {
            Some(more) if more.starts_with(|c: char| c.is_ascii_digit()) => rest = more,
            _ => break,
        }
    }
    while numbers.len() > 1 && numbers.last() == Some(&0) {
        numbers.pop();
    }
    Some((numbers, rest))
}

/// A decimal number; the tests have none that this does not hold.
fn decimal(text: &str) -> Option<f64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, rest) = digits.split_once('.').unwrap_or((digits, "0"));
    let fine = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if fine(whole) && fine(rest) {
        text.parse().ok()
    } else {
        None
    }
}

fn bytes(value: &str, base: i128) -> Option<i128> {
    let value = value.trim().to_uppercase().replace(' ', "");
    let digits = value.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = &value[digits.len()..];
    let base = if unit.ends_with("IB") { 1024 } else { base };
    let power = match unit.chars().next() {
        None | Some('B') => 0,
        Some('K') => 1,
        Some('M') => 2,
        Some('G') => 3,
        Some('T') => 4,
        _ => 5,
    };
    let (whole, rest) = digits.split_once('.').unwrap_or((digits, ""));
    let factor = base.pow(power);
    let part = if rest.is_empty() {
        0
    } else {
        rest.parse::<i128>().ok()? * factor / 10_i128.pow(rest.len().try_into().ok()?)
    };
    Some(whole.parse::<i128>().ok()? * factor + part)
}

fn yes_or_no(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" | "on" => Some(true),
        "false" | "no" | "0" | "off" => Some(false),
        _ => None,
    }
}

/// A date, a date with a time, or seconds since 1970; what has no zone is in UTC.
fn moment_of(text: &str) -> Option<Timestamp> {
    if let Ok(seconds) = text.parse::<i64>() {
        return ((9..=10).contains(&text.len())).then(|| Timestamp::from_second(seconds).unwrap());
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    if let Ok(at) = Timestamp::strptime("%Y-%m-%d %H:%M:%S %z", text) {
        return Some(at);
    }
    let at = text.parse::<jiff::civil::DateTime>().ok()?;
    Some(at.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

fn ordered(op: Op, own: Ordering) -> bool {
    match op {
        Op::Equal => own.is_eq(),
        Op::Less => own.is_lt(),
        Op::LessOrEqual => own.is_le(),
        Op::Greater => own.is_gt(),
        Op::GreaterOrEqual => own.is_ge(),
        op => panic!("an order by {}", op.text()),
    }
}

fn text(cell: &Cell) -> Option<&str> {
    match cell {
        Cell::Text(text) => Some(text),
        _ => None,
    }
}

fn whole(cell: &Cell) -> Option<i64> {
    match cell {
        Cell::Whole(number) => Some(*number),
        _ => None,
    }
}

fn lower(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

fn same(one: &str, other: &str) -> bool {
    lower(one) == lower(other)
}

/// Rows of a statement whose first column is the machine.
async fn read(sql: &str, stage: &Stage) -> Vec<(i64, Row)> {
    let rows = stage.db.query(sql, &[]).await.unwrap();
    let of = |row: &tokio_postgres::Row| {
        let cells = row.columns().iter().enumerate().map(|(place, column)| {
            let cell = match *column.type_() {
                Type::INT8 => row.get::<_, Option<i64>>(place).map(Cell::Whole),
                Type::INT4 => row
                    .get::<_, Option<i32>>(place)
                    .map(|number| Cell::Whole(number.into())),
                Type::BOOL => row.get::<_, Option<bool>>(place).map(Cell::Flag),
                Type::TIMESTAMPTZ => row.get::<_, Option<Timestamp>>(place).map(Cell::Moment),
                _ => row.get::<_, Option<String>>(place).map(Cell::Text),
            };
            (column.name().to_owned(), cell.unwrap_or(Cell::Null))
        });
        (row.get(0), cells.collect())
    };
    rows.iter().map(of).collect()
}

/// What Sal's quick search looks through.
const SEARCHED: &[&str] = &[
    "sal_version",
    "serial",
    "hostname",
    "operating_system",
    "console_user",
    "machine_model",
    "machine_model_friendly",
    "os_family",
    "munki_version",
    "manifest",
];

const MACHINES: &str = "SELECT * FROM server_machine";

/// The kinds of rows, with the names that filters have for their columns.
const ROWS: &[(&str, &str)] = &[
    ("group", "SELECT m.id, g.name, g.id AS id FROM server_machine m JOIN server_machinegroup g ON g.id = m.machine_group_id"),
    ("unit", "SELECT m.id, u.name, u.id AS id FROM server_machine m JOIN server_machinegroup g ON g.id = m.machine_group_id
              JOIN server_businessunit u ON u.id = g.business_unit_id"),
    ("checkin", "SELECT machine_id, client, address, body_bytes AS size, milliseconds FROM salrs_checkin"),
    ("inventory", "SELECT machine_id, datestamp AS recorded FROM inventory_inventory"),
    ("fact", "SELECT f.machine_id, s.name AS source, f.fact_name AS name, f.fact_data AS value
              FROM server_fact f LEFT JOIN server_managementsource s ON s.id = f.management_source_id"),
    ("fact_history", "SELECT f.machine_id, s.name AS source, f.fact_name AS name, f.fact_data AS value, f.fact_recorded AS recorded
              FROM server_historicalfact f LEFT JOIN server_managementsource s ON s.id = f.management_source_id"),
    ("plugin", "SELECT p.machine_id, p.plugin, r.pluginscript_name AS name, r.pluginscript_data AS value, p.recorded
              FROM server_pluginscriptrow r JOIN server_pluginscriptsubmission p ON p.id = r.submission_id"),
    ("application", "SELECT i.machine_id, a.name, a.bundleid AS bundle_id, a.bundlename AS bundle_name, i.version, i.path
              FROM inventory_inventoryitem i JOIN inventory_application a ON a.id = i.application_id"),
    ("item", "SELECT i.machine_id, s.name AS source, i.name, i.status, i.date_managed AS since
              FROM server_manageditem i JOIN server_managementsource s ON s.id = i.management_source_id"),
    ("pending", "SELECT i.machine_id, s.name AS source, i.name, i.status, i.date_managed AS since
              FROM server_manageditem i JOIN server_managementsource s ON s.id = i.management_source_id WHERE i.status = 'PENDING'"),
    ("item_history", "SELECT i.machine_id, s.name AS source, i.name, i.status, i.recorded
              FROM server_manageditemhistory i JOIN server_managementsource s ON s.id = i.management_source_id"),
    ("message", "SELECT x.machine_id, s.name AS source, x.message_type AS level, x.text, x.date
              FROM server_message x LEFT JOIN server_managementsource s ON s.id = x.management_source_id"),
    ("error", "SELECT x.machine_id, s.name AS source, x.message_type AS level, x.text, x.date
              FROM server_message x LEFT JOIN server_managementsource s ON s.id = x.management_source_id WHERE x.message_type = 'ERROR'"),
    ("warning", "SELECT x.machine_id, s.name AS source, x.message_type AS level, x.text, x.date
              FROM server_message x LEFT JOIN server_managementsource s ON s.id = x.management_source_id WHERE x.message_type = 'WARNING'"),
    ("profile", "SELECT machine_id, identifier, display_name AS name, description, organization, uuid, verification_state,
              install_date AS installed FROM profiles_profile"),
    ("payload", "SELECT p.machine_id, l.identifier, l.payload_type AS type, l.uuid, p.identifier AS profile, l.profile_id
              FROM profiles_payload l JOIN profiles_profile p ON p.id = l.profile_id"),
    ("refusal", "SELECT m.id, j.reason, j.route, j.client, j.address, j.last_at AS date
              FROM salrs_journal j JOIN server_machine m ON m.serial = j.serial WHERE j.outcome = 'refused'"),
];
