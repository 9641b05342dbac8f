//! One row of Sal's searches: what it names, how it compares, and the same question in our words.

use super::{
    Difference, Joined, SalRow,
    names::{Nameless, SalColumn, SalKind, SalOp, Target, target},
};
use crate::{
    expr::{CastName, Compare, Expr, Op, Rows},
    related::{is_number, is_version},
};

/// What a row means.
#[derive(Clone, Debug)]
pub struct RowReading {
    /// How it is joined to the rows before it.
    pub joined: Joined,
    /// The same question in our words; why not, where there are none.
    pub expr: Result<Expr, String>,
    /// Where ours finds other machines on purpose.
    pub difference: Option<Difference>,
    /// Why the original answers a search with this row by an error.
    pub fails_in_sal: Option<String>,
}

impl RowReading {
    pub(super) fn of(row: &SalRow) -> Self {
        let read = |expr, difference, fails_in_sal| Self {
            joined: row.joined,
            expr,
            difference,
            fails_in_sal,
        };
        let op = match SalOp::parse(&row.operator) {
            Ok(op) => op,
            Err(message) => return read(Err(message.clone()), None, Some(message)),
        };
        let (target, fails) = match target(row) {
            Ok(target) => (target, None),
            Err(Nameless::OnlyHere(target, fails)) => (target, Some(fails)),
            Err(Nameless::Fails(message)) => {
                return read(Err(message.clone()), None, Some(message));
            }
            Err(Nameless::Elsewhere(message)) => {
                return read(Err(message), Some(Difference::NoSuchField), None);
            }
        };
        let fails = fails.or_else(|| super::orm::refused(&target, op, &row.term));
        let (expr, difference) = match target {
            Target::Machine(column) => on_machine(column, op, &row.term),
            Target::Fact(name) => on_fact(name, op, &row.term),
            Target::Script { plugin, row: name } => on_script((plugin, name), op, &row.term),
            Target::Application(column) => within("application", &[], column, op, &row.term),
            Target::Version { name, bundle } => {
                let which = [("name", name), ("bundle_id", bundle)];
                let (expr, found) = within("application", &which, &VERSION, op, &row.term);
                let many = (op == SalOp::NotEqual).then_some(Difference::UnequalToAny);
                (expr, many.or(found))
            }
            Target::Profile(column) if column.kind == SalKind::Key => on_profile_of(op, &row.term),
            Target::Profile(column) => within("profile", &[], column, op, &row.term),
            Target::Payload(column) => within("payload", &[], column, op, &row.term),
        };
        read(expr, difference, fails)
    }
}

const VERSION: SalColumn = SalColumn {
    name: "version",
    ours: "version",
    sql: "version",
    kind: SalKind::Version,
};

type Read = (Result<Expr, String>, Option<Difference>);

/// A comparison of a column, `!=` as its own: what it makes of the rows around it is the caller's.
fn on_machine(column: &'static SalColumn, op: SalOp, term: &str) -> Read {
    let (expr, difference) = positive(column, op, term);
    let is_denied = op == SalOp::NotEqual;
    (
        expr.map(|expr| if is_denied { expr.negate() } else { expr }),
        difference,
    )
}

/// A row of a kind; `!=` is "no such row".
fn within(
    rows: &str,
    which: &[(&str, &str)],
    column: &'static SalColumn,
    op: SalOp,
    term: &str,
) -> Read {
    let (expr, difference) = positive(column, op, term);
    let expr = expr.map(|expr| {
        let which = which
            .iter()
            .map(|(column, value)| Expr::compare(column, Op::Exactly, value));
        let found = Expr::Rows(Rows {
            rows: rows.to_owned(),
            quantifier: crate::expr::Quantifier::Any,
            condition: Box::new(Expr::all(which.chain([expr]).collect())),
        });
        if op == SalOp::NotEqual {
            found.negate()
        } else {
            found
        }
    });
    (expr, difference)
}

/// The comparison, with `=` for `!=`.
fn positive(column: &'static SalColumn, op: SalOp, term: &str) -> Read {
    let compare = |op: Op| Compare::new(column.ours, op).value(term);
    let is_equality = matches!(op, SalOp::Equal | SalOp::NotEqual);
    match column.kind {
        SalKind::Text | SalKind::Version | SalKind::Percent => {
            let exact = is_equality.then_some(Op::Exactly);
            let mut compare = compare(exact.unwrap_or(op.ours()));
            let difference = match column.kind {
                SalKind::Version if op.is_order() && is_version(term) => {
                    Some(Difference::VersionAsText)
                }
                SalKind::Percent if op.is_order() && is_number(term) => {
                    Some(Difference::NumberAsText)
                }
                _ => None,
            };
            if difference.is_none() && (op.is_order() || column.kind == SalKind::Percent) {
                compare.cast = Some(CastName::Text);
            }
            (Ok(Expr::Compare(compare)), difference)
        }
        SalKind::Number | SalKind::Key if op == SalOp::Contains => {
            let message = format!("`{}` is a number, which contains nothing", column.name);
            let is_key = column.kind == SalKind::Key;
            let difference = (!is_key).then_some(Difference::ContainsDigits);
            (Err(message), difference)
        }
        SalKind::Number | SalKind::Key => match term.trim().parse::<i64>() {
            Ok(number) => {
                let op = if is_equality { Op::Equal } else { op.ours() };
                (
                    Ok(Expr::compare(column.ours, op, &number.to_string())),
                    None,
                )
            }
            Err(_no_number) => (Err(not_a(term, column, "a whole number")), None),
        },
        SalKind::Date if op == SalOp::Contains => on_part_of_date(column, term),
        SalKind::Date => match super::orm::moment_text(term) {
            None => (Err(not_a(term, column, "a date, such as 2025-01-31")), None),
            Some(text) => {
                let begins = matches!(op, SalOp::Less | SalOp::GreaterOrEqual);
                let is_day = text.len() == 10 && !begins;
                let op = if is_equality { Op::Equal } else { op.ours() };
                (
                    Ok(Expr::compare(column.ours, op, &text)),
                    is_day.then_some(Difference::DayAsMidnight),
                )
            }
        },
        SalKind::Flag => on_flag(column, op, term),
    }
}

/// The original compares flags as numbers, and looks for the term in the words true and false.
fn on_flag(column: &SalColumn, op: SalOp, term: &str) -> Read {
    let Some(wanted) = flag(term).or((op == SalOp::Contains).then_some(true)) else {
        return (Err(not_a(term, column, "True or False")), None);
    };
    let fulfils = |is: bool| match op {
        SalOp::Contains => is.to_string().contains(&term.to_lowercase()),
        SalOp::Equal | SalOp::NotEqual => is == wanted,
        SalOp::Less => !is & wanted,
        SalOp::LessOrEqual => is <= wanted,
        SalOp::Greater => is & !wanted,
        SalOp::GreaterOrEqual => is >= wanted,
    };
    let is = |word| Expr::compare(column.ours, Op::Equal, word);
    let expr = match (fulfils(true), fulfils(false)) {
        (true, true) => Expr::everything(),
        (true, false) => is("true"),
        (false, true) => is("false"),
        (false, false) => Expr::Any { any: Vec::new() },
    };
    (Ok(expr), None)
}

/// What the original reads as yes or no, and what else can only be meant so.
fn flag(term: &str) -> Option<bool> {
    match term.trim().to_ascii_lowercase().as_str() {
        "true" | "t" | "1" | "yes" => Some(true),
        "false" | "f" | "0" | "no" => Some(false),
        _ => None,
    }
}

/// `Contains` with a year, a month or a day is that time; more of a date's text is nobody's question.
fn on_part_of_date(column: &SalColumn, term: &str) -> Read {
    let difference = Some(Difference::ContainsDigits);
    let digits = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'-')
    };
    let months = || {
        let (year, month) = term.split_once('-').unwrap_or((term, ""));
        let year: u16 = year
            .parse()
            .ok()
            .filter(|year| (1900..=2900).contains(year))?;
        let month: Option<u8> = match month {
            "" => None,
            month => Some(
                month
                    .parse()
                    .ok()
                    .filter(|month| (1..=12).contains(month))?,
            ),
        };
        let first = format!("{year}-{:02}-01", month.unwrap_or(1));
        let next = match month {
            Some(month) if month < 12 => format!("{year}-{:02}-01", month + 1),
            _ => format!("{}-01-01", year + 1),
        };
        Some(Expr::all(vec![
            Expr::compare(column.ours, Op::GreaterOrEqual, &first),
            Expr::compare(column.ours, Op::Less, &next),
        ]))
    };
    let expr = match term.len() {
        10 if super::orm::moment_text(term).is_some() => {
            Some(Expr::compare(column.ours, Op::Equal, term))
        }
        4 | 7 if digits(term) => months(),
        _ => None,
    };
    let message = || {
        format!(
            "`{}` is a date: compare it by < or >, or look for a year, a month or a day",
            column.name
        )
    };
    (expr.ok_or_else(message), difference)
}

/// Profiles by the id of their machine.
fn on_profile_of(op: SalOp, term: &str) -> Read {
    const ID: SalColumn = SalColumn {
        name: "machine",
        ours: "id",
        sql: "id",
        kind: SalKind::Key,
    };
    let (expr, difference) = positive(&ID, op, term);
    let expr = expr.map(|expr| {
        let has_one = Expr::Rows(Rows {
            rows: "profile".to_owned(),
            quantifier: crate::expr::Quantifier::Any,
            condition: Box::new(Expr::everything()),
        });
        let found = Expr::all(vec![expr, has_one]);
        if op == SalOp::NotEqual {
            found.negate()
        } else {
            found
        }
    });
    (expr, difference)
}

fn on_fact(name: &str, op: SalOp, term: &str) -> Read {
    // A name with a slash would be a source and a name.
    let of = if name.contains('/') {
        format!("/{name}")
    } else {
        name.to_owned()
    };
    let (compare, difference) = untyped(&Compare::new("fact", Op::Equal).of(&of), name, op, term);
    let many = (op == SalOp::NotEqual).then_some(Difference::UnequalToAny);
    (Ok(denied(Expr::Compare(compare), op)), many.or(difference))
}

fn on_script((plugin, name): (&str, &str), op: SalOp, term: &str) -> Read {
    let many = (op == SalOp::NotEqual).then_some(Difference::UnequalToAny);
    if !plugin.contains('/') {
        let base = Compare::new("plugin", Op::Equal).of(&format!("{plugin}/{name}"));
        let (compare, difference) = untyped(&base, name, op, term);
        return (Ok(denied(Expr::Compare(compare), op)), many.or(difference));
    }
    let (value, difference) = untyped(&Compare::new("value", Op::Equal), name, op, term);
    let found = Expr::Rows(Rows {
        rows: "plugin".to_owned(),
        quantifier: crate::expr::Quantifier::Any,
        condition: Box::new(Expr::all(vec![
            Expr::compare("plugin", Op::Exactly, plugin),
            Expr::compare("name", Op::Equal, name),
            Expr::Compare(value),
        ])),
    });
    (Ok(denied(found, op)), many.or(difference))
}

fn denied(expr: Expr, op: SalOp) -> Expr {
    if op == SalOp::NotEqual {
        expr.negate()
    } else {
        expr
    }
}

/// A comparison of text that may be anything; `!=` becomes `==`, for the caller to deny.
fn untyped(base: &Compare, name: &str, op: SalOp, term: &str) -> (Compare, Option<Difference>) {
    let with = |op, cast, term: &str| Compare {
        op,
        cast,
        ..base.clone().value(term)
    };
    if !op.is_order() {
        let op = match op {
            SalOp::Contains => Op::Contains,
            _ => Op::Exactly,
        };
        return (with(op, None, term), None);
    }
    let op = op.ours();
    if is_version(term) && name.to_lowercase().contains("vers") {
        let cast = Some(CastName::Version);
        return (with(op, cast, term), Some(Difference::VersionAsText));
    }
    if is_number(term) {
        return (with(op, None, term), Some(Difference::NumberAsText));
    }
    if is_version(term) {
        return (with(op, None, term), Some(Difference::VersionAsText));
    }
    match super::orm::moment_text(term) {
        Some(moment) => (with(op, None, &moment), Some(Difference::DateAsText)),
        None => (with(op, Some(CastName::Text), term), None),
    }
}

fn not_a(term: &str, column: &SalColumn, wanted: &str) -> String {
    let short: String = term.chars().take(60).collect();
    format!(
        "`{}` is compared with {wanted}; `{short}` is none",
        column.name
    )
}
