//! A condition becomes a boolean SQL expression over the table alias [`MACHINE`] and a list of
//! numbered parameters. Values are never part of the text; a property test holds that down.
//!
//! A comparison with a missing value is NULL, which `WHERE` and `FILTER` take for "no"; so only
//! negation has to say what it means, and everything else stays in a form that indexes serve.
//!
//! Related rows become `EXISTS (SELECT …)`, those of widgets `machine.id IN (SELECT …)` in a list. Where many
//! conditions are counted over all machines, [`counts`] reads each table once for all of them. [`groups`] counts per
//! value.

pub mod counts;
pub mod groups;
mod parent;
mod rows;
pub mod suggest;
pub mod value;
mod values;
mod waiting;

use jiff::Timestamp;

use crate::{
    catalogue::{MODEL_FAMILY, Meaning, RowKind},
    condition::{Condition, Node, Operator, RowNode, Value},
    field::Field,
    group::{Shape, Shaped},
    related::{Cast, Related, Test},
};
use rows::Rows;

/// The alias under which a query must name `server_machine`.
pub const MACHINE: &str = "machine";

/// A boolean expression and its parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Fragment {
    /// SQL text with `$n` for each parameter, for `WHERE` and `FILTER (WHERE …)`; bracketed.
    pub text: String,
    /// The parameters; the first one's number was given to [`Condition::to_sql`].
    pub parameters: Vec<Parameter>,
}

/// A parameter's value.
#[derive(Clone, Debug, PartialEq)]
pub enum Parameter {
    /// `text`
    Text(String),
    /// `bigint`
    Integer(i64),
    /// `boolean`
    Boolean(bool),
    /// `timestamptz`
    Time(Timestamp),
    /// `text[]`
    Texts(Vec<String>),
    /// `bigint[]`
    Integers(Vec<i64>),
}

impl Condition {
    /// Writes the condition as SQL whose parameters are numbered from `first`, with ages counted
    /// back from `now`.
    #[must_use]
    pub fn to_sql(&self, now: Timestamp, first: usize) -> Fragment {
        let mut writer = Writer::new(now, first);
        let text = writer.condition(self);
        Fragment {
            text,
            parameters: writer.parameters,
        }
    }
}

/// Writes conditions and numbers their parameters.
pub(crate) struct Writer {
    now: Timestamp,
    next: usize,
    parameters: Vec<Parameter>,
    /// Where tests on related rows are collected, instead of being written where they stand.
    collected: Option<Vec<Leaf>>,
}

/// A test on related rows, and the column that a join gives its result.
struct Leaf {
    related: Related,
    tests: Vec<Test>,
}

impl Writer {
    pub(crate) fn new(now: Timestamp, first: usize) -> Self {
        Self {
            now,
            next: first,
            parameters: Vec::new(),
            collected: None,
        }
    }

    fn condition(&mut self, condition: &Condition) -> String {
        match &condition.0 {
            Node::All(parts) => self.join(parts, " AND ", "TRUE"),
            Node::Any(parts) => self.join(parts, " OR ", "FALSE"),
            // Is or is not, never unknown; so said, it can be a join.
            Node::Not(part) if matches!(part.0, Node::Rows { .. }) => {
                format!("(NOT {})", self.condition(part))
            }
            Node::Not(part) => format!("({} IS NOT TRUE)", self.condition(part)),
            Node::Compare {
                field,
                operator,
                value,
            } => self.compare(*field, *operator, value),
            Node::NumberInText {
                field,
                operator,
                value,
            } => self.number_in_text(*field, *operator, *value),
            Node::OneOf { field, values } => {
                let values = self.parameter(Parameter::Texts(values.clone()));
                format!("({} = ANY({values}))", field.column())
            }
            Node::Missing(field) => format!("({} IS NULL)", field.column()),
            Node::NotOlderThan { field, age } => {
                let border = self.parameter(Parameter::Time(age.before(self.now)));
                format!("({} >= {border})", field.column())
            }
            Node::AtLeastAsOldAs { field, age } => {
                let border = self.parameter(Parameter::Time(age.before(self.now)));
                format!("({} <= {border})", field.column())
            }
            Node::Has { related, tests } => self.has(related, tests),
            Node::Shaped { shaped, value } => self.shaped(shaped, value),
            Node::Search(word) => self.search(word),
            Node::Column(test) => self.row(test),
            Node::Rows { kind, row } => self.any_row(kind, row),
            Node::Names(names) => {
                let names = self.parameter(Parameter::Texts(names.clone()));
                format!(
                    "(upper(machine.serial) IN (SELECT upper(name) FROM unnest({names}) name) \
                     OR machine.hostname = ANY({names}))"
                )
            }
            Node::Ids(ids) => {
                let ids = self.parameter(Parameter::Integers(ids.clone()));
                format!("(machine.id = ANY({ids}))")
            }
        }
    }

    fn join(&mut self, parts: &[Condition], separator: &str, when_empty: &str) -> String {
        let parts: Vec<String> = parts.iter().map(|part| self.condition(part)).collect();
        joined(&parts, separator, when_empty)
    }

    fn compare(&mut self, field: Field, operator: Operator, value: &Value) -> String {
        let column = field.column();
        let value = match (operator, value) {
            (Operator::Contains, Value::Text(text)) => {
                Parameter::Text(format!("%{}%", escape_like(text)))
            }
            (Operator::StartsWith | Operator::Begins, Value::Text(text)) => {
                Parameter::Text(format!("{}%", escape_like(text)))
            }
            (_, Value::Text(text)) => Parameter::Text(text.clone()),
            (_, Value::Integer(number)) => Parameter::Integer(*number),
            (_, Value::Boolean(flag)) => Parameter::Boolean(*flag),
        };
        let value = self.parameter(value);
        comparison(column, operator, &value)
    }

    fn number_in_text(&mut self, field: Field, operator: Operator, value: i64) -> String {
        let column = field.column();
        let value = self.parameter(Parameter::Integer(value));
        let number =
            format!("(CASE WHEN {column} ~ '^ *[0-9]+([.][0-9]+)? *$' THEN {column}::numeric END)");
        comparison(&number, operator, &value)
    }

    fn has(&mut self, related: &Related, tests: &[Test]) -> String {
        if let Some(leaves) = &mut self.collected {
            let known = leaves
                .iter()
                .position(|leaf| leaf.related == *related && leaf.tests == tests);
            let number = known.unwrap_or(leaves.len());
            if known.is_none() {
                leaves.push(Leaf {
                    related: related.clone(),
                    tests: tests.to_vec(),
                });
            }
            return counts::column(related, number);
        }
        let rows = Rows::of(related);
        let found = self.matches(related);
        let fulfilled = self.tests(tests, rows.value);
        format!(
            "(machine.id IN (SELECT {} FROM {} WHERE {found}{fulfilled}))",
            rows.machine, rows.from
        )
    }

    fn any_row(&mut self, kind: &RowKind, row: &RowNode) -> String {
        let RowKind {
            key,
            machine,
            always,
            ..
        } = kind;
        let (from, fulfilled) = match kind.parent {
            Some(parent) => (parent.rows, self.row_with(parent, row)),
            None if kind.waiting => (kind.from, self.waiting_row(row)),
            None => (kind.from, self.row(row)),
        };
        // Never `IN`: under OR it would be read anew for each machine once its rows do not fit into memory.
        format!(
            "(EXISTS (SELECT FROM {from} WHERE {machine} = {key} AND {always} AND {fulfilled}))"
        )
    }

    /// A condition on one row; on the machine's own, where there is no other.
    fn row(&mut self, row: &RowNode) -> String {
        let join = |writer: &mut Self, parts: &[RowNode], separator: &str, when_empty: &str| {
            let parts: Vec<String> = parts.iter().map(|part| writer.row(part)).collect();
            joined(&parts, separator, when_empty)
        };
        match row {
            RowNode::All(parts) => join(self, parts, " AND ", "TRUE"),
            RowNode::Any(parts) => join(self, parts, " OR ", "FALSE"),
            RowNode::Not(part) => format!("({} IS NOT TRUE)", self.row(part)),
            RowNode::Test(column, test) => {
                let is_of_machine = column.sql.strip_prefix("machine.") == Some(column.name);
                if column.meaning == Meaning::Version
                    && is_of_machine
                    && *test.cast() == Cast::Version
                {
                    // Few versions, many machines: each version is read once. OFFSET keeps the test out of the inner query,
                    // where it would be made for each machine.
                    let fulfilled = self.test(test, "known.version");
                    return format!(
                        "({column} IN (SELECT version FROM (SELECT DISTINCT {column} AS version \
                         FROM server_machine machine OFFSET 0) known WHERE {fulfilled}))",
                        column = column.sql,
                    );
                }
                let fulfilled = self.test(test, column.sql);
                if column.meaning == Meaning::Untyped {
                    // Postgres knows nothing of one fact's values and expects one row of two hundred; with two such
                    // conditions it then compares all rows of one with all of the other. Of CASE it expects half.
                    return format!("(CASE WHEN {fulfilled} THEN TRUE END)");
                }
                fulfilled
            }
            RowNode::Named(column, name) => {
                let mut parts = Vec::new();
                self.is_named(column, name, &mut parts);
                format!("({})", parts.join(" AND "))
            }
            RowNode::OfSource(source) => {
                let mut parts = Vec::new();
                self.of_source(Some(source), &mut parts);
                format!("({})", parts.concat())
            }
        }
    }

    fn shaped(&mut self, shaped: &Shaped, value: &str) -> String {
        let place = self.parameter(Parameter::Text(value.to_owned()));
        let column = shaped.field().column();
        match shaped.shape() {
            // Also what is longer: which systems are cut is a setting.
            Shape::FirstParts { os_family, .. } => {
                let family = self.parameter(Parameter::Text(os_family.clone()));
                let longer = self.parameter(Parameter::Text(format!("{}.%", escape_like(value))));
                format!(
                    "(({column} = {place}) OR ((machine.os_family = {family}) AND ({column} LIKE {longer})))"
                )
            }
            shape => format!("({} = {place})", self.shape(shaped.field(), shape)),
        }
    }

    /// The field brought into a shape.
    fn shape(&mut self, field: Field, shape: &Shape) -> String {
        let column = field.column();
        match shape {
            Shape::Whole => column.to_owned(),
            Shape::ModelFamily => MODEL_FAMILY.to_owned(),
            Shape::FirstParts { os_family, parts } => {
                let family = self.parameter(Parameter::Text(os_family.clone()));
                let more = parts.saturating_sub(1);
                format!(
                    "(CASE WHEN machine.os_family = {family} \
                     THEN substring({column} from '^[^.]*(?:[.][^.]*){{0,{more}}}') ELSE {column} END)"
                )
            }
            Shape::ModelName => "coalesce(nullif(machine.machine_model_friendly, ''), \
                 (SELECT max(same.machine_model_friendly) FROM server_machine same \
                  WHERE same.machine_model = machine.machine_model), \
                 nullif(machine.machine_model, ''), 'unknown')"
                .to_owned(),
        }
    }

    fn search(&mut self, word: &str) -> String {
        let pattern = self.parameter(Parameter::Text(format!("%{}%", escape_like(word))));
        let collation = collation(word);
        let columns: Vec<&str> = SEARCHED.iter().map(|field| field.column()).collect();
        // One comparison for all of them; no word holds the line feed that is between two columns.
        format!(
            "((concat_ws(chr(10), {columns}){collation} ILIKE {pattern}) \
             OR machine.id IN (SELECT cached.machine_id FROM search_searchcache cached \
             WHERE cached.search_item{collation} ILIKE {pattern}))",
            columns = columns.join(", "),
        )
    }

    /// What was written, with the parameters that it took.
    pub(crate) fn finish(self, text: String) -> Fragment {
        Fragment {
            text,
            parameters: self.parameters,
        }
    }

    /// Takes a parameter and returns its place in the text, with its type.
    pub(crate) fn parameter(&mut self, value: Parameter) -> String {
        let cast = match &value {
            Parameter::Text(_) => "text",
            Parameter::Integer(_) => "bigint",
            Parameter::Boolean(_) => "boolean",
            Parameter::Time(_) => "timestamptz",
            Parameter::Texts(_) => "text[]",
            Parameter::Integers(_) => "bigint[]",
        };
        let place = format!("${}::{cast}", self.next);
        self.next += 1;
        self.parameters.push(value);
        place
    }
}

/// What the quick search looks through, as Sal's does; beside it the values that a setting of Sal names.
const SEARCHED: [Field; 10] = [
    Field::SalVersion,
    Field::Serial,
    Field::Hostname,
    Field::OperatingSystem,
    Field::ConsoleUser,
    Field::MachineModel,
    Field::MachineModelFriendly,
    Field::OsFamily,
    Field::MunkiVersion,
    Field::Manifest,
];

fn joined(parts: &[String], separator: &str, when_empty: &str) -> String {
    match parts {
        [] => when_empty.to_owned(),
        [only] => only.clone(),
        _ => format!("({})", parts.join(separator)),
    }
}

fn comparison(column: &str, operator: Operator, value: &str) -> String {
    let operator = match operator {
        Operator::NotEqual => return format!("({column} IS DISTINCT FROM {value})"),
        Operator::Equal => "=",
        Operator::Less => "<",
        Operator::LessOrEqual => "<=",
        Operator::Greater => ">",
        Operator::GreaterOrEqual => ">=",
        Operator::Contains => "ILIKE",
        Operator::StartsWith => "LIKE",
        Operator::Begins => "ILIKE",
        Operator::Same => return format!("(lower({column}) = lower({value}))"),
    };
    format!("({column} {operator} {value})")
}

/// Letters of other alphabets are not looked at where the words have none: twice as fast.
fn collation(words: &str) -> &'static str {
    if words.is_ascii() {
        " COLLATE \"C\""
    } else {
        ""
    }
}

/// Takes the special meaning from `%`, `_` and `\`.
#[must_use]
pub fn escape_like(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '%' | '_' | '\\') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{age::Age, related::Check};

    fn now() -> Timestamp {
        "2026-11-22T12:00:00Z".parse().unwrap()
    }

    fn text(field: Field, operator: Operator, value: &str) -> Condition {
        Condition::compare(field, operator, Value::Text(value.to_owned())).unwrap()
    }

    #[test]
    fn parameters_are_numbered_from_the_given_one() {
        let condition = Condition::all(vec![
            text(Field::OsFamily, Operator::Equal, "Darwin"),
            Condition::within(Field::LastCheckin, Age::parse("1h").unwrap()).unwrap(),
        ]);
        let fragment = condition.to_sql(now(), 3);
        assert_eq!(
            fragment.text,
            "((machine.os_family = $3::text) AND (machine.last_checkin >= $4::timestamptz))"
        );
        let hour_ago = "2026-11-22T11:00:00Z".parse().unwrap();
        assert_eq!(
            fragment.parameters,
            [
                Parameter::Text("Darwin".to_owned()),
                Parameter::Time(hour_ago)
            ]
        );
    }

    #[test]
    fn empty_groups_are_always_or_never_true() {
        assert_eq!(Condition::everything().to_sql(now(), 1).text, "TRUE");
        assert_eq!(Condition::any(vec![]).to_sql(now(), 1).text, "FALSE");
        assert_eq!(Condition::search("  ").to_sql(now(), 1).text, "TRUE");
    }

    #[test]
    fn not_includes_machines_without_a_value() {
        let condition = text(Field::Manifest, Operator::Equal, "site").negate();
        assert_eq!(
            condition.to_sql(now(), 1).text,
            "((machine.manifest = $1::text) IS NOT TRUE)"
        );
    }

    #[test]
    fn wildcards_in_a_search_stand_for_themselves() {
        let fragment = Condition::search(r"50%_\").to_sql(now(), 1);
        assert_eq!(
            fragment.parameters,
            [Parameter::Text(r"%50\%\_\\%".to_owned())]
        );
    }

    fn conditions() -> impl Strategy<Value = Condition> {
        // A value nobody could mistake for SQL text of ours.
        let value = "[❦-❧]{1,4}[a-z'\"$%;]{0,6}";
        let leaf = prop_oneof![
            (value, 0..3usize).prop_map(|(value, at)| {
                let field = [Field::Serial, Field::Hostname, Field::Manifest][at];
                text(field, Operator::Equal, &value)
            }),
            value.prop_map(|value| text(Field::ConsoleUser, Operator::Contains, &value)),
            value.prop_map(|value| text(Field::ConsoleUser, Operator::NotEqual, &value)),
            value.prop_map(|value| Condition::search(&value)),
            value.prop_map(|value| Condition::has_message(&value)),
            value.prop_map(|value| Condition::one_of(Field::OsFamily, vec![value]).unwrap()),
            value.prop_map(|value| {
                let equal = Check::Compare(Operator::Equal, value.clone());
                let test = Test::new(Cast::Text, equal).unwrap();
                let fact = Related::Fact {
                    source: Some(value.clone()),
                    name: value,
                };
                Condition::has(fact, vec![test]).unwrap()
            }),
            (700_000_000..800_000_000i64).prop_map(|number| {
                let value = Value::Integer(number);
                Condition::compare(Field::MemoryKb, Operator::Less, value).unwrap()
            }),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Condition::all),
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Condition::any),
                inner.prop_map(Condition::negate),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_value_is_ever_part_of_the_text(condition in conditions(), first in 1..50usize) {
            let fragment = condition.to_sql(now(), first);
            prop_assert!(fragment.text.is_ascii());
            let text = fragment.text.replace("COLLATE \"C\"", "");
            prop_assert!(!text.contains(['\'', '"', ';', '%', '\\']));
            for parameter in &fragment.parameters {
                if let Parameter::Integer(number) = parameter {
                    prop_assert!(!fragment.text.contains(&number.to_string()));
                }
            }
        }

        #[test]
        fn every_parameter_has_its_place_and_every_place_its_parameter(
            condition in conditions(), first in 1..50usize
        ) {
            let fragment = condition.to_sql(now(), first);
            for index in 0..fragment.parameters.len() {
                let place = format!("${}::", first + index);
                prop_assert!(fragment.text.contains(&place));
            }
            let beyond = format!("${}::", first + fragment.parameters.len());
            prop_assert!(!fragment.text.contains(&beyond));
        }
    }
}
