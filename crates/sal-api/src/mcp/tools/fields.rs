//! `list_fields`: what can be asked, and how it is written.

use sal_query::catalogue::{self, Column, Meaning, RowKind};
use serde_json::{Value as Json, json};

use super::{Failure, Tool, Which, listing::Room, notes, object, rows, strict, text};
use crate::mcp::arguments::{Arguments, MOST_ROWS};

pub(super) const TOOL: Tool = Tool {
    which: Which::Fields,
    name: "list_fields",
    title: "List the fields of filters",
    about: "Lists the fields that filters, columns and counts may name, with what they mean, and how filters are written. Asks no \
        database.",
    arguments: &["about"],
    input: || {
        strict(
            json!({ "about": text("Only fields whose name or meaning holds this text, such as `disk`.") }),
            &[],
        )
    },
    output: || {
        object(
            json!({
                "grammar": text("How filters are written."),
                "examples": { "type": "array", "items": { "type": "string" } },
                "fields": rows("What a machine has once."),
                "rows": rows("What a machine has many of."),
                "notes": notes(),
            }),
            &["grammar", "examples", "fields", "rows", "notes"],
        )
    },
};

pub(super) fn run(arguments: &Arguments) -> Result<Json, Failure> {
    let about = arguments.text("about")?.unwrap_or_default().to_lowercase();
    let is_meant = |row: &Json| row.to_string().to_lowercase().contains(&about);
    let columns = catalogue::machine_columns().map(field);
    let singles = catalogue::singles()
        .map(|(name, label)| json!({ "name": name, "meaning": label, "is": "text", "example": format!("{name} = \"…\"") }));
    let fields: Vec<Json> = columns.chain(singles).filter(is_meant).collect();
    let kinds: Vec<Json> = catalogue::row_kinds()
        .iter()
        .map(kind)
        .filter(is_meant)
        .collect();
    let mut room = Room::new();
    let fields = room.take("fields", fields, MOST_ROWS, "Say a word in `about`.");
    let kinds = room.take("rows", kinds, MOST_ROWS, "Say a word in `about`.");
    Ok(json!({
        "grammar": GRAMMAR,
        "examples": EXAMPLES,
        "fields": fields,
        "rows": kinds,
        "notes": room.notes(),
    }))
}

fn field(column: &Column) -> Json {
    let (is, example) = match column.meaning {
        Meaning::Text | Meaning::Untyped | Meaning::Name => ("text", "~ \"part of it\""),
        Meaning::Whole => ("a whole number", "= 7"),
        Meaning::Number => ("a number", "> 90"),
        Meaning::Version => ("a version", "< 15.1"),
        Meaning::Time => ("a time", "older than 30d"),
        Meaning::Flag => ("yes or no", "= true"),
        Meaning::Bytes | Meaning::Kibibytes => ("a size", "< 10GB"),
    };
    json!({
        "name": column.name,
        "also": column.aliases,
        "meaning": column.about,
        "is": is,
        "example": format!("{} {example}", column.name),
    })
}

fn kind(kind: &RowKind) -> Json {
    let columns = kind
        .columns
        .iter()
        .map(|column| json!({ "name": column.name, "meaning": column.about }));
    json!({
        "name": kind.name,
        "meaning": kind.label,
        "compares": kind.value,
        "columns": columns.collect::<Vec<_>>(),
    })
}

const GRAMMAR: &str = "A condition is a field, an operator and a value. `and` binds tighter than `or`; parentheses and `not` work. \
    Operators: = != < <= > >= (numbers, versions, sizes, times), ~ and !~ (contains), `starts with`, `matches` (regular expression), \
    in (…), `not in (…)`, `within 14d`, `older than 30d` (times), `is empty`, `is set`. Text is compared in any letter case. \
    Values with blanks or signs stand in double quotes. Plain words are looked for in serial numbers, names, users and models. \
    Of what a machine has many of: `has error`, `no item(status = \"ERROR\")`, `every item(status = \"PRESENT\")`, \
    `application(name = \"Firefox\" and version < 130)`, `fact \"Source/name\" = \"x\"`, `plugin \"Plugin/name\" > 5`.";

const EXAMPLES: [&str; 8] = [
    "os_family = Darwin and os_version < 15.1",
    "last_checkin older than 30d",
    "not last_checkin within 7d",
    "disk_free < 10GB and unit = \"Studio\"",
    "has error or has warning",
    "pending ~ \"office\"",
    "application \"Firefox\" < 130",
    "search = \"Name of a saved search\"",
];

#[cfg(test)]
mod tests {
    use sal_query::{
        check::{NothingNamed, check},
        parse,
    };

    use super::*;

    #[test]
    fn every_example_can_be_read() {
        let all = run(&Arguments::read(&json!({}), &[]).unwrap())
            .ok()
            .unwrap();
        let own = EXAMPLES.iter().filter(|one| !one.starts_with("search ="));
        let examples = all.get("fields").and_then(Json::as_array).unwrap().iter();
        let examples = examples.filter_map(|field| field.get("example")?.as_str());
        let utc = jiff::tz::TimeZone::UTC;
        let mut read = 0;
        for example in own.copied().chain(examples) {
            let checked = parse(example).and_then(|parsed| check(&parsed, &utc, &NothingNamed));
            // Numbers and times that come from other tables have no example of their own kind.
            let is_single = example.ends_with('"') && example.contains('…');
            assert!(checked.is_ok() || is_single, "{example}: {checked:?}");
            read += 1;
        }
        assert!(read > 30);
        assert_eq!(all.get("notes"), Some(&json!([])));
        let some =
            Arguments::read(&json!({ "arguments": { "about": "DISK" } }), &["about"]).unwrap();
        let some = run(&some).ok().unwrap();
        assert_eq!(
            some.get("fields").and_then(Json::as_array).unwrap().len(),
            3
        );
    }
}
