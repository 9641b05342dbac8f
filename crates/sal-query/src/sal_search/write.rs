//! A filter as rows of Sal's, for a Django Sal that is used beside this server.
//!
//! Only a filter that Sal's rows can say is written: comparisons that are joined from left to right, where the original
//! finds the same machines. The one liberty is letter case: Sal's `=` is ours to the letter. Everything else becomes
//! [`nothing`], because a search without rows would be every machine there.

use super::{Joined, SalGroup, SalRow, SalSearch, read};
use crate::{
    catalogue::{self, Meaning, RowKind, Subject},
    expr::{Compare, Expr, Op, Quantifier, Rows},
};

/// The filter as a search of Sal's; `None` when Sal's rows cannot say it.
#[must_use]
pub fn write(expr: &Expr) -> Option<SalSearch> {
    let expr = ordered(expr, None);
    let groups = groups(&expr)?;
    let search = SalSearch { groups };
    // What was written must be read as what was asked, and the original must mean it so.
    let reading = read(&search);
    let is_same = reading.differences.is_empty()
        && reading.fails_in_sal().is_empty()
        && reading.expr().is_ok_and(|read| read == expr);
    is_same.then_some(search)
}

/// A search of Sal's that finds no machine: there is no machine with the id 0.
#[must_use]
pub fn nothing() -> SalSearch {
    let row = SalRow {
        joined: Joined::And,
        model: "Machine".to_owned(),
        field: "id".to_owned(),
        operator: "=".to_owned(),
        term: "0".to_owned(),
    };
    SalSearch {
        groups: vec![SalGroup {
            joined: Joined::And,
            rows: vec![row],
        }],
    }
}

/// The filter with text compared to the letter, and with what Sal can say only in front in front.
fn ordered(expr: &Expr, kind: Option<&RowKind>) -> Expr {
    match expr {
        Expr::All { all } => Expr::all(ordered_parts(all, kind)),
        Expr::Any { any } => Expr::any(ordered_parts(any, kind)),
        Expr::Not { not } => ordered(not, kind).negate(),
        Expr::Rows(rows) => {
            let Some(kind) = catalogue::row_kind(&rows.rows) else {
                return expr.clone();
            };
            let found = Expr::Rows(Rows {
                rows: kind.name.to_owned(),
                quantifier: Quantifier::Any,
                condition: Box::new(ordered(&rows.condition, Some(kind))),
            });
            match rows.quantifier {
                Quantifier::No => found.negate(),
                Quantifier::Any => found,
                Quantifier::Every => expr.clone(),
            }
        }
        Expr::Compare(compare) => exactly(compare, kind),
        Expr::Words { .. } => expr.clone(),
    }
}

/// Groups first, and what is denied last: a denied row in front would deny the others.
fn ordered_parts(parts: &[Expr], kind: Option<&RowKind>) -> Vec<Expr> {
    let mut parts: Vec<Expr> = parts.iter().map(|part| ordered(part, kind)).collect();
    if kind.is_some() {
        return parts;
    }
    parts.sort_by_key(|part| match part {
        Expr::All { .. } | Expr::Any { .. } => 0,
        Expr::Not { .. } => 2,
        _ => 1,
    });
    parts
}

/// As [`read`] would write it.
fn exactly(compare: &Compare, kind: Option<&RowKind>) -> Expr {
    let mut compare = compare.clone();
    let column = match kind {
        Some(kind) => kind.column(&compare.field),
        None => match catalogue::find(&compare.field) {
            Some(Subject::Column(column)) => Some(column),
            _ => None,
        },
    };
    if let Some(column) = column {
        compare.field = column.name.to_owned();
    }
    let is_text = column.is_none_or(|column| {
        matches!(
            column.meaning,
            Meaning::Text | Meaning::Version | Meaning::Number | Meaning::Untyped
        )
    });
    let equal = if is_text { Op::Exactly } else { Op::Equal };
    let with = |op| {
        Expr::Compare(Compare {
            op,
            ..compare.clone()
        })
    };
    match compare.op {
        Op::Equal | Op::Exactly => with(equal),
        Op::NotEqual => with(equal).negate(),
        _ => Expr::Compare(compare),
    }
}

fn groups(expr: &Expr) -> Option<Vec<SalGroup>> {
    if let Some(rows) = rows(expr, Joined::And) {
        return Some(vec![SalGroup {
            joined: Joined::And,
            rows,
        }]);
    }
    let (parts, joined) = parts(expr)?;
    let groups = parts.iter().map(|part| {
        Some(SalGroup {
            joined,
            rows: rows(part, Joined::And)?,
        })
    });
    groups.collect()
}

fn parts(expr: &Expr) -> Option<(&[Expr], Joined)> {
    match expr {
        Expr::All { all } if !all.is_empty() => Some((all, Joined::And)),
        Expr::Any { any } if !any.is_empty() => Some((any, Joined::Or)),
        _ => None,
    }
}

/// Rows that fold to the filter: its first part may be joined of parts itself.
fn rows(expr: &Expr, joined: Joined) -> Option<Vec<SalRow>> {
    if let Some(row) = row(expr, joined) {
        return Some(vec![row]);
    }
    let (parts, joined) = parts(expr)?;
    let (first, rest) = parts.split_first()?;
    let mut found = rows(first, Joined::And)?;
    for part in rest {
        found.push(row(part, joined)?);
    }
    Some(found)
}

/// A comparison as a row, as far as names and operators go; reading it back decides.
fn row(expr: &Expr, joined: Joined) -> Option<SalRow> {
    let (expr, is_denied) = match expr {
        Expr::Not { not } => (not.as_ref(), true),
        other => (other, false),
    };
    let (model, field, compare) = match expr {
        Expr::Compare(compare) => of_compare(compare)?,
        Expr::Rows(rows) if rows.quantifier == Quantifier::Any => {
            of_rows(&rows.rows, &rows.condition)?
        }
        _ => return None,
    };
    let operator = match (compare.op, is_denied) {
        (Op::Equal | Op::Exactly, true) => "!=",
        (Op::Equal | Op::Exactly, false) => "=",
        (Op::Contains, false) => "Contains",
        (Op::Less | Op::LessOrEqual | Op::Greater | Op::GreaterOrEqual, false) => compare.op.text(),
        _ => return None,
    };
    let term = match (compare.value.as_deref()?, field.as_str()) {
        ("true", "deployed" | "broken_client") => "True",
        ("false", "deployed" | "broken_client") => "False",
        (term, _) => term,
    };
    let fits = |text: &str| text.chars().count() <= MOST_CHARACTERS;
    let is_fine = fits(term) && fits(&field) && !term.is_empty();
    is_fine.then(|| SalRow {
        joined,
        model: model.to_owned(),
        field,
        operator: operator.to_owned(),
        term: term.to_owned(),
    })
}

fn of_compare(compare: &Compare) -> Option<(&'static str, String, &Compare)> {
    let of = compare.of.as_deref();
    Some(match (compare.field.as_str(), of) {
        ("fact", Some(of)) => {
            let name = of.strip_prefix('/').unwrap_or(of);
            ("Facter", name.to_owned(), compare)
        }
        ("plugin", Some(of)) => {
            let (plugin, row) = of.split_once('/')?;
            ("External Script", format!("{plugin}=>{row}"), compare)
        }
        (_, Some(_)) => return None,
        ("machine_group_id", None) => ("Machine", "machine_group".to_owned(), compare),
        (field, None) => ("Machine", field.to_owned(), compare),
    })
}

fn of_rows<'e>(kind: &str, condition: &'e Expr) -> Option<(&'static str, String, &'e Compare)> {
    let value = |expr: &'e Expr, column: &str| match expr {
        Expr::Compare(compare) if compare.field == column && compare.op == Op::Exactly => {
            compare.value.as_deref()
        }
        _ => None,
    };
    match (kind, condition) {
        ("application", Expr::All { all }) => match all.as_slice() {
            [name, bundle, Expr::Compare(compare)] if compare.field == "version" => {
                let field = format!("{}=>{}", value(name, "name")?, value(bundle, "bundle_id")?);
                Some(("Application Version", field, compare))
            }
            _ => None,
        },
        (_, Expr::Compare(compare)) => {
            let (model, field) = super::names::of_column(kind, &compare.field)?;
            Some((model, field.to_owned(), compare))
        }
        _ => None,
    }
}

/// What a column of Sal's rows holds.
const MOST_CHARACTERS: usize = 254;
