//! Sorting by a fact or a plugin value: the values of one name are read once and joined, never asked for line by line.
//!
//! Values are text, and what they are is said nowhere. So the values of one name are looked at together: where one is
//! written with two dots (15.1.2), or the name speaks of versions, all are compared part by part; else those that are
//! numbers are compared as numbers. Texts come behind numbers, and machines without a value last. Decided on the day's
//! values and in the statement itself, so that no page needs to be told what another one decided.

use sal_query::{Fragment, Parameter, Related, sql::value::MachineValue};

use super::sort::SortBy;
use crate::{
    machine_query::{FIRST_PARAMETER, MACHINES_IN_SCOPE, add},
    scope::Scope,
};

/// What a list that is sorted has beside its machines: `with` before the statement, `join` behind its tables.
#[derive(Debug, Default)]
pub(super) struct Beside {
    pub(super) with: String,
    pub(super) join: &'static str,
}

/// The key that is compared; NULL for machines without a value.
pub(super) const KEY: &str = "sorting.key";

/// The value's text, of which the key is made.
pub(super) const TEXT: &str = "sorting.value";

impl Beside {
    /// What sorting needs; parameters are added to those of the filter.
    pub(super) fn of(sort: &SortBy, scope: &Scope, fragment: &mut Fragment) -> Self {
        let SortBy::Value(value) = sort else {
            return Self::default();
        };
        let rows = value.to_rows(FIRST_PARAMETER + fragment.parameters.len());
        fragment.parameters.extend(rows.parameters);
        let is_version = add(Parameter::Boolean(speaks_of_versions(value)), fragment);
        let seen = if scope.units().is_some() {
            format!("WHERE machine_id IN (SELECT machine.id FROM {MACHINES_IN_SCOPE})")
        } else {
            String::new()
        };
        // What pages show as missing is missing here: `None` is what Sal's clients write for nothing.
        let with = format!(
            "WITH known AS MATERIALIZED ( \
                 SELECT machine_id, nullif(nullif(btrim(left(value, {LONGEST}), E' \\t\\r\\n'), ''), 'None') AS value \
                 FROM ({rows}) newest {seen} \
             ), reading AS MATERIALIZED ( \
                 SELECT {is_version}::boolean OR coalesce(bool_or(value ~ {DOTTED}), FALSE) AS is_version FROM known \
             ), sorting AS MATERIALIZED ( \
                 SELECT machine_id, value, {key} AS key FROM known WHERE value IS NOT NULL \
             ) ",
            rows = rows.text,
            key = key("value"),
        );
        Self {
            with,
            join: "LEFT JOIN sorting ON sorting.machine_id = machine.id",
        }
    }
}

/// The numbers of a version, to be compared one by one; NULL where a text does not begin with one. A zero at the end
/// makes no other version.
pub(super) fn version(value: &str) -> String {
    format!(
        "string_to_array(regexp_replace(substring({value} from {PARTS}), '([.]0+)+$', ''), '.')::numeric[]"
    )
}

/// The key of a border's text.
pub(super) fn border(place: &str) -> String {
    key(&format!("{place}::text"))
}

/// Whether a text can be that of a border.
pub(super) fn is_text(text: &str) -> bool {
    !text.contains('\0') && text.chars().count() <= LONGEST
}

/// Numbers first, by number; then what follows them, or the text that is none.
fn key(value: &str) -> String {
    format!(
        "ROW(CASE WHEN (SELECT is_version FROM reading) THEN \
             CASE WHEN {value} ~ '^[0-9]' THEN ARRAY[0]::numeric[] || {version} \
             ELSE ARRAY[1]::numeric[] END \
         ELSE CASE WHEN {value} ~ {NUMBER} THEN ARRAY[0, ({value})::numeric]::numeric[] ELSE ARRAY[1]::numeric[] END END, \
         CASE WHEN (SELECT is_version FROM reading) THEN regexp_replace({value}, {PARTS}, '') \
         WHEN {value} ~ {NUMBER} THEN '' ELSE {value} END)",
        version = version(value),
    )
}

/// Whether the name says that its values are versions, even where all of them look like 15.1.
fn speaks_of_versions(value: &MachineValue) -> bool {
    let name = match value {
        MachineValue::Related(
            Related::Fact { name, .. }
            | Related::HistoricalFact { name, .. }
            | Related::Row { name, .. },
        ) => name,
        MachineValue::Field(_) | MachineValue::Related(_) => return false,
    };
    name.to_lowercase().contains("vers")
}

/// So many characters of a value are compared, and stand in the address of a page.
const LONGEST: usize = 200;

/// What is a number.
const NUMBER: &str = "'^-?[0-9]{1,30}([.][0-9]{1,30})?$'";

/// What begins with three numbers and can only be a version.
const DOTTED: &str = "'^[0-9]{1,18}[.][0-9]{1,18}[.][0-9]'";

/// The numbers at the beginning of a version.
const PARTS: &str = "'^[0-9]{1,18}(?:[.][0-9]{1,18})*'";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_say_that_its_values_are_versions() {
        let fact = |name: &str| {
            MachineValue::Related(Related::Fact {
                source: None,
                name: name.to_owned(),
            })
        };
        assert!(speaks_of_versions(&fact("os_vers")) && speaks_of_versions(&fact("Agent Version")));
        assert!(!speaks_of_versions(&fact("battery")));
    }

    #[test]
    fn a_border_is_as_long_as_what_is_compared() {
        assert!(is_text(&"é".repeat(LONGEST)) && is_text(""));
        assert!(!is_text(&"é".repeat(LONGEST + 1)) && !is_text("a\0"));
    }
}
