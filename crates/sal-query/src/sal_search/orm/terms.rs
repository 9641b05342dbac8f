//! Terms as the original reads them: a text, a number, a moment, yes or no.

use jiff::{Timestamp, civil, tz::TimeZone};

use super::tree::{Leaf, Lookup, Table};
use crate::{
    sal_search::names::{SalColumn, SalKind, SalOp, Target},
    sql::Parameter,
};

/// Why the original answers such a row with an error.
pub(in crate::sal_search) fn refused(target: &Target<'_>, op: SalOp, term: &str) -> Option<String> {
    let column = match target {
        Target::Machine(column)
        | Target::Application(column)
        | Target::Profile(column)
        | Target::Payload(column) => *column,
        Target::Fact(_) | Target::Script { .. } | Target::Version { .. } => return None,
    };
    let wanted = match column.kind {
        SalKind::Key if op == SalOp::Contains => {
            return Some(format!("Sal has no Contains for `{}`", column.name));
        }
        _ if op == SalOp::Contains => return None,
        SalKind::Text | SalKind::Version | SalKind::Percent => return None,
        SalKind::Number | SalKind::Key if number(term).is_none() => "a number",
        SalKind::Date if moment_text(term).is_none() => "a date",
        SalKind::Flag if flag(term).is_none() => "True, False, 1 or 0",
        _ => return None,
    };
    let short: String = term.chars().take(60).collect();
    Some(format!(
        "Sal wants {wanted} for `{}`, and `{short}` is none",
        column.name
    ))
}

/// The lookups of a row.
pub(super) fn leaves(
    target: &Target<'_>,
    op: SalOp,
    term: &str,
    zone: &TimeZone,
) -> Result<Vec<Leaf>, String> {
    let text = |table, place| leaf(table, place, of_text(op, term));
    let key = |table, place, text: &str| Leaf {
        is_key: true,
        ..leaf(table, place, of_text(SalOp::Equal, text))
    };
    let of = |table, alias, column: &SalColumn| {
        let place = (alias, column.sql);
        let lookup = lookup(column, op, term, zone)?;
        let is_time = column.kind == SalKind::Date;
        Ok::<_, String>(vec![Leaf {
            is_time,
            ..leaf(table, place, lookup)
        }])
    };
    Ok(match target {
        Target::Machine(column) => of(Table::Machine, "machine", column)?,
        Target::Fact(name) => vec![
            text(Table::Facts, ("fact", "fact_data")),
            key(Table::Facts, ("fact", "fact_name"), name),
        ],
        Target::Script { plugin, row } => {
            let name = format!("{plugin}: {row}");
            vec![
                text(Table::Scripts, ("script", "pluginscript_data")),
                key(
                    Table::Scripts,
                    ("script", "submission_and_script_name"),
                    &name,
                ),
            ]
        }
        Target::Application(column) => of(Table::Applications, "application", column)?,
        Target::Version { name, bundle } => vec![
            key(Table::Applications, ("application", "bundleid"), bundle),
            key(Table::Applications, ("application", "name"), name),
            text(Table::Applications, ("item", "version")),
        ],
        Target::Profile(column) => of(Table::Profiles, "profile", column)?,
        Target::Payload(column) => of(Table::Profiles, "payload", column)?,
    })
}

fn leaf(table: Table, place: (&'static str, &'static str), lookup: Lookup) -> Leaf {
    Leaf {
        table,
        place,
        lookup,
        is_time: false,
        is_key: false,
        is_of_joined_row: false,
    }
}

fn of_text(op: SalOp, term: &str) -> Lookup {
    match op {
        SalOp::Contains => Lookup::Contains(term.to_owned()),
        op => Lookup::Compare(operator(op), Parameter::Text(term.to_owned())),
    }
}

fn lookup(column: &SalColumn, op: SalOp, term: &str, zone: &TimeZone) -> Result<Lookup, String> {
    if op == SalOp::Contains {
        return Ok(Lookup::Contains(term.to_owned()));
    }
    let value = match column.kind {
        SalKind::Text | SalKind::Version | SalKind::Percent => {
            Some(Parameter::Text(term.to_owned()))
        }
        SalKind::Number | SalKind::Key => number(term).map(Parameter::Integer),
        SalKind::Date => moment(term, zone).map(Parameter::Time),
        SalKind::Flag => flag(term).map(Parameter::Boolean),
    };
    let value = value.ok_or_else(|| format!("`{term}` cannot be read"))?;
    Ok(Lookup::Compare(operator(op), value))
}

fn operator(op: SalOp) -> &'static str {
    match op {
        SalOp::Contains | SalOp::Equal | SalOp::NotEqual => "=",
        SalOp::Less => "<",
        SalOp::LessOrEqual => "<=",
        SalOp::Greater => ">",
        SalOp::GreaterOrEqual => ">=",
    }
}

/// Python's `int()`, as far as a search needs it.
fn number(term: &str) -> Option<i64> {
    term.trim().parse().ok()
}

fn flag(term: &str) -> Option<bool> {
    match term {
        "True" | "t" | "1" => Some(true),
        "False" | "f" | "0" => Some(false),
        _ => None,
    }
}

/// A date that Django reads, as our filters write it; one without a time has ten characters.
pub(in crate::sal_search) fn moment_text(term: &str) -> Option<String> {
    let term = term.trim();
    let (date, time) = match term.split_once(['T', ' ']) {
        Some((date, time)) => (date, Some(time.trim_start())),
        None => (term, None),
    };
    // `20250601`, which Python takes too.
    let is_plain = date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit());
    let dashed = match (is_plain, date.get(..4), date.get(4..6), date.get(6..)) {
        (true, Some(year), Some(month), Some(day)) => format!("{year}-{month}-{day}"),
        _ => date.to_owned(),
    };
    let mut numbers = dashed.split('-').map(|part| {
        let is_fine =
            (1..=4).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        is_fine.then(|| part.parse::<i16>().ok()).flatten()
    });
    let (year, month, day) = (numbers.next()??, numbers.next()??, numbers.next()??);
    if numbers.next().is_some() || year < 1900 {
        return None;
    }
    let day = civil::Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    let Some(time) = time else {
        return Some(day.to_string());
    };
    let hour = time.find(':')?;
    let text = format!("{day}T{}{time}", if hour == 1 { "0" } else { "" });
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at.to_string());
    }
    let is_zoned = time.contains(['+', '-', 'Z']);
    let at: civil::DateTime = text.parse().ok().filter(|_| !is_zoned)?;
    Some(at.to_string())
}

fn moment(term: &str, zone: &TimeZone) -> Option<Timestamp> {
    let text = moment_text(term)?;
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    let at: civil::DateTime = match text.parse::<civil::Date>() {
        Ok(day) if text.len() == 10 => day.at(0, 0, 0, 0),
        _ => text.parse().ok()?,
    };
    Some(at.to_zoned(zone.clone()).ok()?.timestamp())
}
