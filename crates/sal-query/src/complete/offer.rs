//! What the language offers at a place.

use super::{
    Completion, Suggestion, SuggestionKind, Wanted,
    walk::{About, Asked, State, Walk},
};
use crate::{
    catalogue::{self, Column, Meaning, Of, RowKind, Subject},
    expr::{CastName, Op, Takes},
};

/// The operators that fit what a value is, the usual ones first.
#[must_use]
pub fn operators(meaning: Meaning) -> &'static [Op] {
    match meaning {
        Meaning::Text | Meaning::Name => OF_TEXT,
        Meaning::Version => OF_VERSIONS,
        Meaning::Whole | Meaning::Number | Meaning::Bytes | Meaning::Kibibytes => OF_NUMBERS,
        Meaning::Time => OF_TIMES,
        Meaning::Flag => OF_FLAGS,
        // The value's type is taken from the operator and what it is compared with.
        Meaning::Untyped => Op::ALL,
    }
}

/// Fills in what may stand where the reading has come to.
pub(super) fn offer(walk: &Walk, is_quoted: bool, found: &mut Completion) {
    let asked = &walk.asked;
    match walk.state {
        State::Condition if is_quoted => {}
        State::Condition => condition(walk, found),
        State::Quantified => row_kinds("(", found),
        State::Counted => keyword("(", "", found),
        State::Has => row_kinds("", found),
        State::HasRows => found.wanted = names(asked),
        State::Subject => {
            found.wanted = names(asked);
            if is_quoted {
                return;
            }
            if let About::Subject(Subject::Rows(_)) = asked.about {
                keyword(
                    "(",
                    "Several conditions on one and the same of them.",
                    found,
                );
            }
            comparisons(walk, found);
        }
        State::Named if !is_quoted => comparisons(walk, found),
        State::As => {
            for cast in CastName::ALL {
                push(SuggestionKind::Type, cast.text(), cast.text(), "", found);
            }
        }
        State::Operator(words, begin) if !is_quoted => {
            found.typed = format!("{} {}", words.text(), found.typed);
            found.replace.start = begin;
            comparisons(walk, found);
        }
        State::Value(op) | State::Item(op) => values(walk, op, found),
        State::ListOpens(_) => keyword("(", "The values, with commas between them.", found),
        State::AfterItem(_) => {
            keyword(",", "Another value.", found);
            keyword(")", "The end of the list.", found);
        }
        State::Done { .. } if !is_quoted => {
            joints(walk, found);
            // Without a word between them, both hold.
            if !found.typed.is_empty() {
                condition(walk, found);
            }
        }
        State::Done { .. } | State::Named | State::Operator(..) | State::Lost => {}
    }
}

fn condition(walk: &Walk, found: &mut Completion) {
    if let Some(kind) = walk.rows() {
        for column in kind.columns {
            column_as(SuggestionKind::Column, column, found);
        }
        keyword("not", "The opposite of what follows.", found);
        return;
    }
    for column in catalogue::machine_columns() {
        column_as(SuggestionKind::Field, column, found);
    }
    single(found);
    row_kinds("", found);
    for (text, label, about) in OTHERS {
        push(SuggestionKind::Field, text, label, about, found);
    }
    for (text, about) in KEYWORDS {
        keyword(text, about, found);
    }
    found.suggestions.sort_by_key(|suggestion| {
        // What begins so, before what is only called so.
        !begins(&suggestion.text, &found.typed)
    });
}

/// What a machine has once in another table, each under the first of its names that fits.
fn single(found: &mut Completion) {
    let mut seen: Vec<(&RowKind, &Column)> = Vec::new();
    for (name, kind, column) in catalogue::single() {
        if !begins(name, &found.typed) || seen.contains(&(kind, column)) {
            continue;
        }
        seen.push((kind, column));
        let is_value = kind.value == column.name && kind.columns.len() < 3;
        let label = if is_value { kind.label } else { column.label };
        push(SuggestionKind::Field, name, label, column.about, found);
    }
}

/// What a word can begin.
const KEYWORDS: &[(&str, &str)] = &[
    ("not", "The opposite of what follows."),
    (
        "has",
        "Whether there is one, such as `has application \"Firefox\"`.",
    ),
    (
        "any",
        "Rows of which one at least fulfils all that stands in the parentheses.",
    ),
    (
        "every",
        "Rows that all fulfil what stands in the parentheses.",
    ),
    (
        "no",
        "Rows of which none fulfils what stands in the parentheses.",
    ),
];

const OTHERS: &[(&str, &str, &str)] = &[
    ("machine", "Machine", "Serial number or host name."),
    ("search", "Saved search", "The machines of a saved search."),
    ("widget", "Widget", "The machines of a part of a chart."),
];

/// A column under the one of its names that fits what was typed.
fn column_as(kind: SuggestionKind, column: &Column, found: &mut Completion) {
    let names = std::iter::once(&column.name).chain(column.aliases);
    let fitting = names
        .into_iter()
        .find(|name| begins(name, &found.typed))
        .or_else(|| contains(column.label, &found.typed).then_some(&column.name));
    if let Some(name) = fitting {
        found.suggestions.push(Suggestion {
            kind,
            text: (*name).to_owned(),
            label: column.label.to_owned(),
            about: column.about,
        });
    }
}

fn row_kinds(suffix: &str, found: &mut Completion) {
    for kind in catalogue::row_kinds() {
        // Those of which there is one are fields.
        if suffix.is_empty() && catalogue::single().any(|(name, ..)| name == kind.name) {
            continue;
        }
        if begins(kind.name, &found.typed) || contains(kind.label, &found.typed) {
            found.suggestions.push(Suggestion {
                kind: SuggestionKind::RowKind,
                text: format!("{}{suffix}", kind.name),
                label: kind.label.to_owned(),
                about: "",
            });
        }
    }
}

/// The operators that fit, and how else a condition can go on.
fn comparisons(walk: &Walk, found: &mut Completion) {
    let asked = &walk.asked;
    let fitting: &[Op] = match asked.about {
        About::Unknown => &[],
        About::Subject(Subject::Machine) => &[Op::Equal, Op::NotEqual, Op::In, Op::NotIn],
        About::Subject(Subject::Search) => &[Op::Equal, Op::NotEqual],
        About::Subject(Subject::Widget) if asked.of.is_some() => &[Op::Equal, Op::NotEqual],
        About::Subject(Subject::Widget) => &[],
        // Which one has to be said first.
        About::Subject(Subject::Rows(RowKind {
            of: Of::SourceAndName | Of::PluginAndRow,
            ..
        })) if asked.of.is_none() => &[],
        _ => meaning(asked).map_or(&[], operators),
    };
    for op in fitting {
        let text = op.text();
        push(SuggestionKind::Operator, text, text, op.about(), found);
    }
    if fitting.contains(&Op::Set) && begins(&found.typed, "is n") {
        let text = "is not empty";
        push(SuggestionKind::Operator, text, text, Op::Set.about(), found);
    }
    let is_cast = asked.cast.is_none() && matches!(meaning(asked), Some(Meaning::Untyped));
    if is_cast && !fitting.is_empty() {
        keyword(
            "as",
            "How the value is read: as number, version, date, …",
            found,
        );
    }
    if asked.about == About::Unknown && walk.rows().is_none() && asked.cast.is_none() {
        joints(walk, found);
        if !found.typed.is_empty() {
            condition(walk, found);
        }
    }
}

fn joints(walk: &Walk, found: &mut Completion) {
    keyword("and", "Both hold.", found);
    keyword("or", "One of both holds at least.", found);
    if !walk.open.is_empty() {
        keyword(")", "The end of what stands in parentheses.", found);
    }
}

/// What the names are that may follow.
fn names(asked: &Asked) -> Option<Wanted> {
    match asked.about {
        About::Subject(Subject::Rows(kind)) if kind.of != Of::Nothing => Some(Wanted::Which(kind)),
        About::Subject(Subject::Widget) => Some(Wanted::Widgets),
        _ => None,
    }
}

fn values(walk: &Walk, op: Op, found: &mut Completion) {
    if op.takes() == Takes::Age {
        for (text, about) in AGES {
            push(SuggestionKind::Value, text, text, about, found);
        }
        return;
    }
    let asked = &walk.asked;
    match meaning(asked) {
        _ if op == Op::Matches => {}
        Some(Meaning::Flag) => {
            for text in ["yes", "no"] {
                push(SuggestionKind::Value, text, text, "", found);
            }
        }
        Some(Meaning::Bytes) => sizes(&["10GB", "25GB", "50GB", "100GB", "500GB", "1TB"], found),
        Some(Meaning::Kibibytes) => sizes(&["8GB", "16GB", "32GB", "64GB"], found),
        Some(Meaning::Time | Meaning::Whole | Meaning::Number) => {}
        Some(Meaning::Text | Meaning::Name | Meaning::Untyped | Meaning::Version) => {
            found.wanted = wanted(walk);
        }
        None => {
            found.wanted = match asked.about {
                About::Subject(Subject::Machine) => Some(Wanted::Machines),
                About::Subject(Subject::Search) => Some(Wanted::Searches),
                About::Subject(Subject::Widget) => asked.of.clone().map(Wanted::Segments),
                _ => None,
            };
        }
    }
}

const AGES: &[(&str, &str)] = &[
    ("1h", "An hour."),
    ("24h", "A day."),
    ("7d", "A week."),
    ("14d", "Two weeks."),
    ("30d", "A month."),
    ("90d", "A quarter of a year."),
    ("365d", "A year."),
];

fn sizes(sizes: &[&str], found: &mut Completion) {
    for size in sizes {
        push(SuggestionKind::Value, size, size, "", found);
    }
}

fn wanted(walk: &Walk) -> Option<Wanted> {
    let of = walk.asked.of.clone();
    match walk.asked.about {
        About::Subject(Subject::Column(column)) => Some(Wanted::Column(column)),
        About::Subject(Subject::Single(kind, column)) => Some(Wanted::Rows { kind, column, of }),
        About::Subject(Subject::Rows(kind)) => Some(Wanted::Rows {
            kind,
            column: kind.column(kind.value)?,
            of,
        }),
        About::Column(kind, column) => {
            let said = walk.open.iter().rev().find(|open| open.rows.is_some());
            // Another name is looked for among all names.
            let tells = matches!(column.name, "name" | "bundle_id" | "identifier");
            Some(Wanted::Rows {
                kind,
                column,
                of: said.and_then(|open| open.of.clone()).filter(|_| !tells),
            })
        }
        About::Subject(_) | About::Unknown => None,
    }
}

/// What the value that is compared is.
fn meaning(asked: &Asked) -> Option<Meaning> {
    let own = match asked.about {
        About::Subject(Subject::Column(column) | Subject::Single(_, column))
        | About::Column(_, column) => column.meaning,
        About::Subject(Subject::Rows(kind)) => kind.column(kind.value)?.meaning,
        About::Subject(Subject::Machine | Subject::Search | Subject::Widget) | About::Unknown => {
            return None;
        }
    };
    Some(asked.cast.map_or(own, CastName::meaning))
}

fn keyword(text: &str, about: &'static str, found: &mut Completion) {
    push(SuggestionKind::Keyword, text, text, about, found);
}

/// Offers something that begins with what was typed.
fn push(
    kind: SuggestionKind,
    text: &str,
    label: &str,
    about: &'static str,
    found: &mut Completion,
) {
    if begins(text, &found.typed) {
        found.suggestions.push(Suggestion {
            kind,
            text: text.to_owned(),
            label: label.to_owned(),
            about,
        });
    }
}

fn begins(text: &str, typed: &str) -> bool {
    let mut text = text.chars();
    typed
        .chars()
        .all(|c| text.next().is_some_and(|own| own.eq_ignore_ascii_case(&c)))
}

/// Whether a word of a label begins so; what is short says too little.
fn contains(label: &str, typed: &str) -> bool {
    typed.chars().count() >= 2 && label.split(' ').any(|word| begins(word, typed))
}

const OF_TEXT: &[Op] = &[
    Op::Equal,
    Op::NotEqual,
    Op::Contains,
    Op::NotContains,
    Op::StartsWith,
    Op::In,
    Op::NotIn,
    Op::Set,
    Op::Empty,
    Op::Matches,
    Op::Exactly,
];

const OF_VERSIONS: &[Op] = &[
    Op::Equal,
    Op::NotEqual,
    Op::Less,
    Op::LessOrEqual,
    Op::Greater,
    Op::GreaterOrEqual,
    Op::In,
    Op::NotIn,
    Op::StartsWith,
    Op::Contains,
    Op::NotContains,
    Op::Set,
    Op::Empty,
    Op::Matches,
    Op::Exactly,
];

const OF_NUMBERS: &[Op] = &[
    Op::Less,
    Op::LessOrEqual,
    Op::Greater,
    Op::GreaterOrEqual,
    Op::Equal,
    Op::NotEqual,
    Op::In,
    Op::NotIn,
    Op::Set,
    Op::Empty,
];

const OF_TIMES: &[Op] = &[
    Op::Within,
    Op::OlderThan,
    Op::Less,
    Op::LessOrEqual,
    Op::Greater,
    Op::GreaterOrEqual,
    Op::Equal,
    Op::NotEqual,
    Op::In,
    Op::NotIn,
    Op::Set,
    Op::Empty,
];

const OF_FLAGS: &[Op] = &[
    Op::Equal,
    Op::NotEqual,
    Op::In,
    Op::NotIn,
    Op::Set,
    Op::Empty,
];
