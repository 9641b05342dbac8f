//! From what somebody asked to a condition that can be run: names are looked up, values become typed.
//!
//! Rules that hold for every field: a missing value fulfils no comparison; `!=`, `!~` and `not in` hold exactly where
//! `=`, `~` and `in` do not, so also where there is no value or no row; text is compared in any letter case unless by
//! `==`; nothing is ever compared as another type than its own.

mod value;

use jiff::tz::TimeZone;

use crate::{
    catalogue::{self, Column, Meaning, Of, RowKind, Subject},
    condition::{Condition, RowNode},
    expr::{CastName, Compare, Expr, Op, Quantifier, Rows, Takes},
    nearness::nearest,
    parse::{FilterError, MAX_DEPTH, MAX_TERMS, MAX_VALUES, Parsed, Place},
    related::Test,
};
use value::Reading;

/// What a filter may name that is not in the catalogue.
pub trait Named {
    /// The filter of a saved search that may be used by whoever asks.
    fn search(&self, name: &str) -> Option<Expr>;
    /// The machines of a widget's segment.
    fn widget(&self, widget: &str, segment: &str) -> Option<Condition>;
    /// Names of the searches, for suggestions.
    fn searches(&self) -> Vec<String>;
}

/// Nothing can be named.
pub struct NothingNamed;

impl Named for NothingNamed {
    fn search(&self, _name: &str) -> Option<Expr> {
        None
    }

    fn widget(&self, _widget: &str, _segment: &str) -> Option<Condition> {
        None
    }

    fn searches(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Checks a filter that was read from text.
///
/// # Errors
/// Says where what makes no sense stands in the text.
pub fn check(
    parsed: &Parsed,
    zone: &TimeZone,
    named: &dyn Named,
) -> Result<Condition, FilterError> {
    Checker::new(&parsed.places, zone, named).expr(&parsed.expr)
}

/// Checks a filter that came as data.
///
/// # Errors
/// Names the comparison that makes no sense. Places are of no use: there is no text.
pub fn check_expr(
    expr: &Expr,
    zone: &TimeZone,
    named: &dyn Named,
) -> Result<Condition, FilterError> {
    let refuse = |message: String| Err(FilterError::new(0..0, message));
    if expr.depth() > MAX_DEPTH {
        return refuse(format!("the filter is nested more than {MAX_DEPTH} deep"));
    }
    if expr.terms() > MAX_TERMS {
        return refuse(format!("the filter has more than {MAX_TERMS} conditions"));
    }
    Checker::new(&[], zone, named).expr(expr)
}

struct Checker<'a> {
    places: &'a [Place],
    next: usize,
    zone: &'a TimeZone,
    named: &'a dyn Named,
    /// The searches that this filter is being read for, the outermost first.
    searches: Vec<String>,
    /// How many searches were looked up.
    looked_up: usize,
}

type Checked<T> = Result<T, FilterError>;

impl<'a> Checker<'a> {
    fn new(places: &'a [Place], zone: &'a TimeZone, named: &'a dyn Named) -> Self {
        Self {
            places,
            next: 0,
            zone,
            named,
            searches: Vec::new(),
            looked_up: 0,
        }
    }

    fn expr(&mut self, expr: &Expr) -> Checked<Condition> {
        match expr {
            Expr::All { all } => Ok(Condition::all(self.each(all)?)),
            Expr::Any { any } => Ok(Condition::any(self.each(any)?)),
            Expr::Not { not } => Ok(self.expr(not)?.negate()),
            Expr::Words { words } => Ok(Condition::search(&words.join(" "))),
            Expr::Rows(rows) => self.rows(rows),
            Expr::Compare(compare) => self.compare(compare),
        }
    }

    fn each(&mut self, parts: &[Expr]) -> Checked<Vec<Condition>> {
        parts.iter().map(|part| self.expr(part)).collect()
    }

    fn place(&mut self) -> Place {
        let place = self.places.get(self.next).cloned().unwrap_or_default();
        self.next += 1;
        place
    }

    fn rows(&mut self, rows: &Rows) -> Checked<Condition> {
        let place = self.place();
        let Some(kind) = catalogue::row_kind(&rows.rows) else {
            let known = catalogue::row_kinds().iter().map(|kind| kind.name);
            return Err(unknown("kind of rows", &rows.rows, known, &place));
        };
        let row = self.row(&rows.condition, kind)?;
        Ok(match rows.quantifier {
            Quantifier::Any => Condition::rows(kind, row),
            Quantifier::No => Condition::rows(kind, row).negate(),
            Quantifier::Every => Condition::rows(kind, RowNode::Not(Box::new(row))).negate(),
        })
    }

    fn row(&mut self, expr: &Expr, kind: &'static RowKind) -> Checked<RowNode> {
        let parts = |checker: &mut Self, parts: &[Expr]| {
            parts
                .iter()
                .map(|part| checker.row(part, kind))
                .collect::<Checked<Vec<_>>>()
        };
        match expr {
            Expr::All { all } => Ok(RowNode::All(parts(self, all)?)),
            Expr::Any { any } => Ok(RowNode::Any(parts(self, any)?)),
            Expr::Not { not } => Ok(RowNode::Not(Box::new(self.row(not, kind)?))),
            Expr::Compare(compare) => {
                let place = self.place();
                let Some(column) = kind.column(&compare.field) else {
                    let known = kind.columns.iter().map(|column| column.name);
                    let what = format!("column of `{}`", kind.name);
                    return Err(unknown(&what, &compare.field, known, &place));
                };
                refuse_of(compare, &place)?;
                self.tests(compare, column, &place)
            }
            Expr::Rows(_) | Expr::Words { .. } => Err(FilterError::new(
                self.place().subject,
                format!(
                    "inside of `{}(…)` only its columns can be compared",
                    kind.name
                ),
            )),
        }
    }

    fn compare(&mut self, compare: &Compare) -> Checked<Condition> {
        let place = self.place();
        let Some(subject) = catalogue::find(&compare.field) else {
            return Err(unknown("field", &compare.field, catalogue::names(), &place));
        };
        match subject {
            Subject::Column(column) => {
                refuse_of(compare, &place)?;
                Ok(Condition::of_column(self.tests(compare, column, &place)?))
            }
            Subject::Single(kind, column) => {
                refuse_of(compare, &place)?;
                self.related(compare, kind, column, Vec::new(), &place)
            }
            Subject::Rows(kind) => {
                let column = kind
                    .column(kind.value)
                    .ok_or_else(|| FilterError::new(place.subject.clone(), String::new()))?;
                let which = which(compare, kind, &place)?;
                self.related(compare, kind, column, which, &place)
            }
            Subject::Machine => self.machine(compare, &place),
            Subject::Search => self.search(compare, &place),
            Subject::Widget => self.widget(compare, &place),
        }
    }

    /// A comparison of a value in another table. Negation is outside of the rows: no row is another value.
    fn related(
        &self,
        compare: &Compare,
        kind: &'static RowKind,
        column: &'static Column,
        mut which: Vec<RowNode>,
        place: &Place,
    ) -> Checked<Condition> {
        let negated = |op| Compare {
            op,
            ..compare.clone()
        };
        let (compare, is_negated) = match compare.op {
            Op::NotEqual => (negated(Op::Equal), true),
            Op::NotContains => (negated(Op::Contains), true),
            Op::NotIn => (negated(Op::In), true),
            // `fact "x" is empty`: no row says anything.
            Op::Empty => (negated(Op::Set), true),
            _ => (compare.clone(), false),
        };
        let is_there = compare.op == Op::Set && compare.cast.is_none();
        if !(is_there && has_row_says_it(kind)) {
            which.push(self.tests(&compare, column, place)?);
        } else {
            refuse_values(&compare, place)?;
        }
        let found = Condition::rows(kind, RowNode::All(which));
        Ok(if is_negated { found.negate() } else { found })
    }

    /// The tests of a comparison on a value.
    fn tests(&self, compare: &Compare, column: &'static Column, place: &Place) -> Checked<RowNode> {
        refuse_values(compare, place)?;
        let reading = Reading::of(compare, column, place)?;
        let not = |op| {
            let positive = Compare {
                op,
                ..compare.clone()
            };
            let inner = self.tests(&positive, column, place)?;
            Ok(RowNode::Not(Box::new(inner)))
        };
        match compare.op {
            Op::NotEqual => return not(Op::Equal),
            Op::NotContains => return not(Op::Contains),
            Op::NotIn => return not(Op::In),
            Op::Set => return not(Op::Empty),
            _ => {}
        }
        let test = |test: Test| {
            if column.meaning == Meaning::Name
                && let Some(name) = test.is_exactly()
            {
                return RowNode::Named(column.sql, name.to_owned());
            }
            RowNode::Test(column, test)
        };
        let mut tests: Vec<RowNode> = Vec::new();
        for alternative in reading.tests(self.zone)? {
            tests.push(RowNode::all(alternative.into_iter().map(test).collect()));
        }
        Ok(RowNode::any(tests))
    }

    fn machine(&self, compare: &Compare, place: &Place) -> Checked<Condition> {
        refuse_of(compare, place)?;
        refuse_values(compare, place)?;
        let names = match compare.op {
            Op::Equal | Op::NotEqual => compare.value.iter().cloned().collect(),
            Op::In | Op::NotIn => compare.values.clone().unwrap_or_default(),
            op => {
                let message = format!(
                    "`machine` is a serial number or a host name: it is compared by =, !=, in or not in, not `{}`",
                    op.text()
                );
                return Err(FilterError::new(place.operator.clone(), message));
            }
        };
        if let Some(name) = names.iter().find(|name: &&String| name.contains('\0')) {
            return Err(nul(name, place));
        }
        let found = Condition::names(names);
        let is_negated = matches!(compare.op, Op::NotEqual | Op::NotIn);
        Ok(if is_negated { found.negate() } else { found })
    }

    fn search(&mut self, compare: &Compare, place: &Place) -> Checked<Condition> {
        refuse_of(compare, place)?;
        refuse_values(compare, place)?;
        let (name, is_negated) = match (&compare.value, compare.op) {
            (Some(name), Op::Equal) => (name, false),
            (Some(name), Op::NotEqual) => (name, true),
            _ => {
                let message = "a saved search is used as `search = \"its name\"`".to_owned();
                return Err(FilterError::new(place.operator.clone(), message));
            }
        };
        let key = name.to_lowercase();
        if self.searches.contains(&key) {
            let message = format!(
                "the search `{name}` uses itself; change one of the searches in the circle"
            );
            return Err(FilterError::new(place.value.clone(), message));
        }
        self.looked_up += 1;
        if self.searches.len() >= MOST_NESTED_SEARCHES || self.looked_up > MOST_SEARCHES {
            let message = format!(
                "searches use each other at most {MOST_NESTED_SEARCHES} deep and {MOST_SEARCHES} times in a filter"
            );
            return Err(FilterError::new(place.value.clone(), message));
        }
        let Some(expr) = self.named.search(name) else {
            let known = self.named.searches();
            let known = known.iter().map(String::as_str);
            return Err(FilterError::new(
                place.value.clone(),
                format!("there is no saved search `{name}` that you can use"),
            )
            .suggest(nearest(name, known)));
        };
        self.searches.push(key);
        let mut inner = Checker {
            places: &[],
            next: 0,
            zone: self.zone,
            named: self.named,
            searches: std::mem::take(&mut self.searches),
            looked_up: self.looked_up,
        };
        let checked = inner.expr(&expr).map_err(|error| FilterError {
            at: place.value.clone(),
            message: format!("in the search `{name}`: {}", error.message),
            suggestion: error.suggestion,
        });
        self.searches = inner.searches;
        self.looked_up = inner.looked_up;
        self.searches.pop();
        let condition = checked?;
        Ok(if is_negated {
            condition.negate()
        } else {
            condition
        })
    }

    fn widget(&self, compare: &Compare, place: &Place) -> Checked<Condition> {
        refuse_values(compare, place)?;
        let (Some(widget), Some(segment)) = (&compare.of, &compare.value) else {
            let message = "a part of a chart is written `widget \"Uptime\" = \"ok\"`".to_owned();
            return Err(FilterError::new(place.subject.clone(), message));
        };
        let is_negated = match compare.op {
            Op::Equal => false,
            Op::NotEqual => true,
            _ => {
                let message = "a part of a chart is compared by = or !=".to_owned();
                return Err(FilterError::new(place.operator.clone(), message));
            }
        };
        let Some(condition) = self.named.widget(widget, segment) else {
            let message = format!("there is no part `{segment}` of a widget `{widget}`");
            return Err(FilterError::new(place.value.clone(), message));
        };
        Ok(if is_negated {
            condition.negate()
        } else {
            condition
        })
    }
}

/// Whether a row by being there says that there is a value: its value may be empty all the same.
fn has_row_says_it(kind: &RowKind) -> bool {
    !matches!(kind.name, "fact" | "plugin" | "checkin" | "group" | "unit")
}

/// What tells the rows that a name after the kind means.
pub(crate) fn which(
    compare: &Compare,
    kind: &'static RowKind,
    place: &Place,
) -> Checked<Vec<RowNode>> {
    let Some(of) = &compare.of else {
        // Without a name, any row is meant: `has error`, `pending ~ "Office"`.
        if matches!(kind.of, Of::SourceAndName | Of::PluginAndRow) {
            let example = if kind.of == Of::PluginAndRow {
                "Plugin/row"
            } else {
                "Source/name"
            };
            let message = format!(
                "say which {}: `{} \"{example}\" …`",
                kind.label.to_lowercase(),
                kind.name
            );
            return Err(FilterError::new(place.subject.clone(), message));
        }
        return Ok(Vec::new());
    };
    if of.contains('\0') {
        return Err(nul(of, place));
    }
    let same = |column: &str, text: &str| {
        kind.column(column)
            .map(|column| RowNode::Test(column, Test::same(text)))
    };
    Ok(match kind.of {
        Of::Nothing => {
            let message = format!("`{}` takes no name", kind.name);
            return Err(FilterError::new(place.subject.clone(), message));
        }
        Of::Column(column) => same(column, of).into_iter().collect(),
        Of::NameOrBundle => {
            let either = ["name", "bundle_id"];
            vec![RowNode::Any(
                either
                    .iter()
                    .filter_map(|column| same(column, of))
                    .collect(),
            )]
        }
        Of::SourceAndName => {
            let (source, name) = match of.split_once('/') {
                Some((source, name)) if !source.is_empty() => (Some(source), name),
                _ => (None, of.strip_prefix('/').unwrap_or(of)),
            };
            let source = source.map(|source| RowNode::OfSource(source.to_owned()));
            let named = RowNode::Named("related.fact_name", name.to_owned());
            std::iter::once(named).chain(source).collect()
        }
        Of::PluginAndRow => {
            let Some((plugin, row)) = of.split_once('/') else {
                let message = format!("`{of}` is written `Plugin/row`");
                return Err(FilterError::new(place.subject.clone(), message));
            };
            vec![RowNode::Named(
                "related.submission_and_script_name",
                format!("{plugin}: {row}"),
            )]
        }
    })
}

fn refuse_of(compare: &Compare, place: &Place) -> Checked<()> {
    if compare.of.is_none() {
        return Ok(());
    }
    Err(FilterError::new(
        place.subject.clone(),
        format!("`{}` takes no name, only an operator", compare.field),
    ))
}

/// An operator has what it takes; only data can be without.
fn refuse_values(compare: &Compare, place: &Place) -> Checked<()> {
    let fits = match compare.op.takes() {
        Takes::Nothing => compare.value.is_none() && compare.values.is_none(),
        Takes::One | Takes::Age => compare.value.is_some() && compare.values.is_none(),
        Takes::Many => {
            compare.value.is_none()
                && compare
                    .values
                    .as_ref()
                    .is_some_and(|values| (1..=MAX_VALUES).contains(&values.len()))
        }
    };
    if fits {
        return Ok(());
    }
    let takes = match compare.op.takes() {
        Takes::Nothing => "no value".to_owned(),
        Takes::One => "one `value`".to_owned(),
        Takes::Age => "one `value`, a length of time".to_owned(),
        Takes::Many => format!("`values`, 1 to {MAX_VALUES} of them"),
    };
    Err(FilterError::new(
        place.value.clone(),
        format!("`{} {}` takes {takes}", compare.field, compare.op.text()),
    ))
}

fn nul(text: &str, place: &Place) -> FilterError {
    FilterError::new(
        place.value.clone(),
        format!(
            "`{}` holds a NUL character, which no value has",
            text.replace('\0', "␀")
        ),
    )
}

fn unknown<'n>(
    what: &str,
    name: &str,
    known: impl Iterator<Item = &'n str>,
    place: &Place,
) -> FilterError {
    let short: String = name.chars().take(60).collect();
    FilterError::new(
        place.subject.clone(),
        format!("there is no {what} `{short}`"),
    )
    .suggest(nearest(name, known))
}

/// Searches may use each other so deep.
const MOST_NESTED_SEARCHES: usize = 8;
/// So many searches may be used by one filter, each use counted.
const MOST_SEARCHES: usize = 50;

impl CastName {
    /// What a value that is read so is.
    pub(crate) fn meaning(self) -> Meaning {
        match self {
            Self::Text => Meaning::Text,
            Self::Number | Self::Size => Meaning::Number,
            Self::Version => Meaning::Version,
            Self::Date => Meaning::Time,
            Self::Boolean => Meaning::Flag,
        }
    }
}

#[cfg(test)]
mod tests;
