//! Filters of any shape: every field, every operator, with values that occur and values that do not.

use jiff::tz::TimeZone;
use proptest::prelude::*;
use proptest::sample::select;
use sal_query::catalogue::{self, Column, Meaning, Of, RowKind};
use sal_query::check::{NothingNamed, check_expr};
use sal_query::expr::{CastName, Compare, Expr, Op, Quantifier, Rows, Takes};

use super::oracle::World;

/// Something to compare.
#[derive(Clone, Debug)]
struct Asked {
    field: &'static str,
    of: Option<String>,
    cast: Option<CastName>,
    /// The rows whose parenthesis it stands in.
    inside: Option<&'static RowKind>,
    kind: Option<&'static RowKind>,
    column: &'static Column,
}

impl Asked {
    fn compare(&self, op: Op) -> Compare {
        let mut compare = Compare::new(self.field, op);
        compare.of.clone_from(&self.of);
        compare.cast = self.cast;
        compare
    }
}

/// Everything that can be compared: with names after it where it takes some, and read in every way.
fn subjects(world: &World) -> Vec<Asked> {
    let mut all = Vec::new();
    for column in catalogue::machine_columns() {
        let plain = Asked {
            field: column.name,
            of: None,
            cast: None,
            inside: None,
            kind: None,
            column,
        };
        all.push(plain);
    }
    for kind in catalogue::row_kinds() {
        let value = kind.column(kind.value).unwrap();
        let names = names(kind, world);
        // Those of which there is one are asked by name alone.
        let field = kind.name;
        for of in names {
            all.push(Asked {
                field,
                of,
                cast: None,
                inside: None,
                kind: Some(kind),
                column: value,
            });
        }
        for column in kind.columns {
            all.push(Asked {
                field: column.name,
                of: None,
                cast: None,
                inside: Some(kind),
                kind: Some(kind),
                column,
            });
        }
        if value.meaning == Meaning::Untyped {
            for cast in CastName::ALL {
                all.push(Asked {
                    field,
                    of: Some(
                        if kind.name == "plugin" {
                            "Odd/row"
                        } else {
                            "number"
                        }
                        .to_owned(),
                    ),
                    cast: Some(*cast),
                    inside: None,
                    kind: Some(kind),
                    column: value,
                });
            }
        }
    }
    all
}

/// What may stand after the name of a row kind, and what it means there.
fn names(kind: &'static RowKind, world: &World) -> Vec<Option<String>> {
    let mut names: Vec<Option<String>> = match kind.of {
        Of::Nothing => vec![None],
        Of::Column(column) => {
            let found = world.texts(Some(kind), column).into_iter().rev().take(2);
            std::iter::once(None).chain(found.map(Some)).collect()
        }
        Of::NameOrBundle => [None, Some("FIREFOX"), Some("us.zoom.xos")]
            .map(|of| of.map(str::to_owned))
            .into(),
        Of::SourceAndName => ["number", "Odd/number", "/a/b", "Nobody/number"]
            .map(|of| Some(of.to_owned()))
            .into(),
        Of::PluginAndRow => ["Odd/row", "Nobody/row"]
            .map(|of| Some(of.to_owned()))
            .into(),
    };
    if kind.name == "fact" {
        names.push(Some("x".repeat(250)));
        names.push(Some("x".repeat(200)));
    }
    names
}

/// Values to compare with: a few that occur, and those at which comparisons break.
fn values(asked: &Asked, world: &World) -> Vec<String> {
    let meaning = asked.cast.map_or(asked.column.meaning, |cast| match cast {
        CastName::Text => Meaning::Text,
        CastName::Number => Meaning::Number,
        CastName::Size => Meaning::Bytes,
        CastName::Version => Meaning::Version,
        CastName::Date => Meaning::Time,
        CastName::Boolean => Meaning::Flag,
    });
    let own: &[&str] = match meaning {
        Meaning::Text | Meaning::Name => &["anna", "a", "%", "_", "\\", "äpfel", ""],
        Meaning::Untyped => &["5", "9", "15.9", "15.10.1", "2026-11-22", "a", "14d"],
        Meaning::Whole => &["1", "0", "-1", "9223372036854775807"],
        Meaning::Number => &["5", "89.5", "0", "-3"],
        Meaning::Version => &["15", "15.1", "15.10", "15.0", "abc", "15.*", "15.x"],
        Meaning::Time => &[
            "2026-11-21",
            "2026-11-08T12:00:00Z",
            "2026-11-21 10:00:00",
            "14d",
            "24h",
            "0001-01-01T00:00:00Z",
        ],
        Meaning::Flag => &["yes", "0"],
        Meaning::Bytes | Meaning::Kibibytes => &["10GB", "8 GiB", "0.5TB", "16777215", "0"],
    };
    let mut values: Vec<String> = own.iter().map(|&value| value.to_owned()).collect();
    if matches!(meaning, Meaning::Text | Meaning::Name) {
        let occurring = world.texts(asked.kind, asked.column.name);
        let step = (occurring.len() / 2).max(1);
        values.extend(occurring.into_iter().step_by(step).take(2));
    }
    values
}

/// A comparison that makes sense, and the rows it stands in.
pub(super) type Comparison = (Option<&'static RowKind>, Expr);

/// Every subject by every operator with every value, as far as it makes sense.
pub(super) fn comparisons(world: &World) -> Vec<Comparison> {
    let mut all = Vec::new();
    for asked in subjects(world) {
        let values = values(&asked, world);
        for op in Op::ALL {
            for (place, value) in values.iter().enumerate() {
                let mut compare = asked.compare(*op);
                match op.takes() {
                    Takes::Nothing if place > 0 => continue,
                    Takes::Nothing => {}
                    Takes::One | Takes::Age => compare.value = Some(value.clone()),
                    Takes::Many => compare.values = Some(vec![value.clone(), values[0].clone()]),
                }
                let compare = Expr::Compare(compare);
                let whole = wrapped(asked.inside, Quantifier::Any, compare.clone());
                if check_expr(&whole, &TimeZone::UTC, &NothingNamed).is_ok() {
                    all.push((asked.inside, compare));
                }
            }
        }
    }
    all
}

/// A condition where it belongs.
pub(super) fn wrapped(
    inside: Option<&'static RowKind>,
    quantifier: Quantifier,
    condition: Expr,
) -> Expr {
    match inside {
        None => condition,
        Some(kind) => Expr::Rows(Rows {
            rows: kind.name.to_owned(),
            quantifier,
            condition: Box::new(condition),
        }),
    }
}

/// Trees of comparisons.
pub(super) fn trees(world: &World) -> BoxedStrategy<Expr> {
    let all = comparisons(world);
    let of = |wanted: Option<&'static RowKind>| {
        let own = all.iter().filter(|(inside, _)| *inside == wanted);
        let own: Vec<Expr> = own.map(|(_, expr)| expr.clone()).collect();
        select(own).boxed()
    };
    let rows = catalogue::row_kinds().iter().map(|kind| {
        let condition = joined(of(Some(kind)), 2);
        let quantifier = select(vec![Quantifier::Any, Quantifier::Every, Quantifier::No]);
        (condition, quantifier)
            .prop_map(move |(condition, quantifier)| wrapped(Some(kind), quantifier, condition))
            .boxed()
    });
    let words = prop::collection::vec(
        select(vec!["anna", "ODD", "Mac", "15", "42", "%", "zz"]),
        1..3,
    );
    let leaf = prop_oneof![
        6 => of(None),
        1 => words.prop_map(|words| Expr::Words {
            words: words.into_iter().map(str::to_owned).collect(),
        }),
        1 => select(vec!["ODD1", "odd7", "ANNA", "Anna"])
            .prop_map(|name| Expr::compare("machine", Op::Equal, name)),
        5 => proptest::strategy::Union::new(rows),
    ];
    joined(leaf.boxed(), 4)
}

fn joined(leaf: BoxedStrategy<Expr>, depth: u32) -> BoxedStrategy<Expr> {
    leaf.prop_recursive(depth, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|all| Expr::All { all }),
            prop::collection::vec(inner.clone(), 0..4).prop_map(|any| Expr::Any { any }),
            inner.prop_map(Expr::negate),
        ]
    })
    .boxed()
}
