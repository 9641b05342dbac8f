use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::{parse::parse, sql::Parameter};

/// Two searches that use each other, one that is fine, and a widget.
struct Some2;

impl Named for Some2 {
    fn search(&self, name: &str) -> Option<Expr> {
        let text = match name.to_lowercase().as_str() {
            "kiosks" => "hostname ~ kiosk",
            "circle" => "search = \"round\"",
            "round" => "manifest = a or search = \"Circle\"",
            "broken" => "os_version within 3d",
            _ => return None,
        };
        Some(parse(text).unwrap().expr)
    }

    fn widget(&self, widget: &str, segment: &str) -> Option<Condition> {
        (widget == "Uptime" && segment == "ok").then(Condition::everything)
    }

    fn searches(&self) -> Vec<String> {
        vec!["Kiosks".to_owned(), "Circle".to_owned()]
    }
}

fn checked(text: &str) -> Result<Condition, FilterError> {
    check(&parse(text).unwrap(), &TimeZone::UTC, &Some2)
}

fn sql(text: &str) -> (String, Vec<Parameter>) {
    let now: Timestamp = "2026-12-02T12:00:00Z".parse().unwrap();
    let condition = checked(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let fragment = condition.to_sql(now, 2);
    (fragment.text, fragment.parameters)
}

fn text(text: &str) -> Parameter {
    Parameter::Text(text.to_owned())
}

#[test]
fn a_name_with_slashes_has_one_in_front() {
    for (filter, name) in [("has fact \"/a/b\"", "a/b"), ("has fact \"//a\"", "/a")] {
        let (_, parameters) = sql(filter);
        assert_eq!(parameters, [text(name)], "{filter}");
    }
}

#[test]
fn text_has_an_order_for_whoever_asks_for_it() {
    for (filter, expected) in [
        ("hostname as text < M", "(machine.hostname < $2::text)"),
        (
            "os_version as text >= beta",
            "(machine.operating_system >= $2::text)",
        ),
    ] {
        assert_eq!(sql(filter).0, expected);
    }
    assert!(checked("hostname < M").is_err());
}

#[test]
fn each_kind_of_field_is_compared_as_what_it_is() {
    for (filter, expected, parameters) in [
        (
            "hostname = Anna",
            "(lower(machine.hostname) = lower($2::text))",
            vec![text("Anna")],
        ),
        (
            "hostname == Anna",
            "(machine.hostname = $2::text)",
            vec![text("Anna")],
        ),
        (
            "serial in (a, b)",
            "(lower(machine.serial) IN (SELECT lower(word) FROM unnest($2::text[]) word))",
            vec![Parameter::Texts(vec!["a".to_owned(), "b".to_owned()])],
        ),
        (
            "hd_space < 10GB",
            "(machine.hd_space < $2::bigint)",
            vec![Parameter::Integer(10_000_000_000)],
        ),
        (
            "memory_kb >= 16GB",
            "(machine.memory_kb >= $2::bigint)",
            vec![Parameter::Integer(16_777_216)],
        ),
        (
            "ram = 8388608",
            "(machine.memory_kb = $2::bigint)",
            vec![Parameter::Integer(8_388_608)],
        ),
        (
            "deployed = no",
            "(machine.deployed = $2::boolean)",
            vec![Parameter::Boolean(false)],
        ),
        (
            "last_checkin within 24h",
            "(machine.last_checkin >= $2::timestamptz)",
            vec![Parameter::Time("2026-12-01T12:00:00Z".parse().unwrap())],
        ),
        (
            "first_checkin > 2026-11-30",
            "(machine.first_checkin >= $2::timestamptz)",
            vec![Parameter::Time("2026-12-01T00:00:00Z".parse().unwrap())],
        ),
    ] {
        assert_eq!(sql(filter), (expected.to_owned(), parameters), "{filter}");
    }
}

#[test]
fn what_is_missing_is_empty_and_another_value() {
    for (filter, expected, parameters) in [
        (
            "manifest is empty",
            "(machine.manifest IS NULL OR machine.manifest = '')",
            vec![],
        ),
        (
            "hd_total is set",
            "((machine.hd_total IS NULL) IS NOT TRUE)",
            vec![],
        ),
        (
            "manifest != site",
            "((lower(machine.manifest) = lower($2::text)) IS NOT TRUE)",
            vec![text("site")],
        ),
        (
            "group_id = 7",
            "(machine.machine_group_id = $2::bigint)",
            vec![Parameter::Integer(7)],
        ),
    ] {
        assert_eq!(sql(filter), (expected.to_owned(), parameters), "{filter}");
    }
}

#[test]
fn a_question_about_rows_is_one_subquery_and_negation_stands_outside() {
    let (sql_text, parameters) = sql("application(name = Firefox and version < 130)");
    assert_eq!(sql_text.matches("EXISTS").count(), 1);
    assert!(sql_text.starts_with("(EXISTS (SELECT FROM inventory_inventoryitem related "));
    assert_eq!(
        sql("not application(path ~ a)").0.find("(NOT (EXISTS"),
        Some(0)
    );
    // The name is asked of the applications, and of those whose versions are read.
    assert_eq!(parameters, [text("Firefox"), text("Firefox"), text("130")]);
    for (filter, same) in [
        (
            "fact \"Puppet/role\" != kiosk",
            "not fact \"Puppet/role\" = kiosk",
        ),
        ("pending !~ office", "not pending ~ office"),
        ("no pending()", "not has pending"),
        (
            "item \"a\" not in (PENDING, ERROR)",
            "not item \"a\" in (PENDING, ERROR)",
        ),
        ("every item(status = PRESENT)", "no item(status != PRESENT)"),
        ("group != Labs", "not group = Labs"),
        ("manifest is set", "not manifest is empty"),
    ] {
        let negated = |filter| {
            sql(filter)
                .0
                .replace(" IS NOT TRUE) IS NOT TRUE)", "")
                .replace(['(', ')'], "")
        };
        assert_eq!(negated(filter), negated(same), "{filter}");
    }
}

#[test]
fn a_fact_is_read_by_what_it_is_compared_with() {
    for (filter, part) in [
        (
            "fact uptime = 30",
            "(CASE WHEN (lower(related.fact_data) = lower($3::text)) THEN TRUE END)",
        ),
        (
            "fact uptime > 30",
            "related.fact_data::numeric END) > $3::text::numeric",
        ),
        ("fact v < 1.2.3", "string_to_array"),
        ("fact d within 3d", "::timestamptz"),
        (
            "fact size as size > 10GB",
            "related.fact_data::numeric END) > $3::text::numeric",
        ),
        (
            "fact on as boolean = yes",
            "lower(related.fact_data) IN ('true'",
        ),
    ] {
        let (sql_text, _) = sql(filter);
        assert!(sql_text.contains(part), "{filter}: {sql_text}");
    }
    // The index over the beginnings of names finds the fact, and its source by name.
    let (sql_text, parameters) = sql("has fact \"Puppet/role\"");
    assert!(
        sql_text.contains("left(related.fact_name, 200) = $2::text"),
        "{sql_text}"
    );
    assert_eq!(
        parameters.get(..2),
        Some(&[text("role"), text("Puppet")][..])
    );
}

#[test]
fn pasted_serials_are_any_of_them_and_words_are_all_of_them() {
    let (pasted, parameters) = sql("C02M00000 C02F0000CQ05");
    assert!(pasted.contains("upper(machine.serial)"), "{pasted}");
    assert_eq!(parameters.len(), 1);
    let (_, parameters) = sql("anna macbook2");
    assert_eq!(parameters, [text("%anna%"), text("%macbook2%")]);
}

#[test]
fn what_makes_no_sense_is_named_with_its_place() {
    for (filter, at, message) in [
        (
            "os_versoin < 15",
            0..10,
            "there is no field `os_versoin`; did you mean `os_version`?",
        ),
        (
            "os_version < big",
            13..16,
            "`os_version` is a version; `big` is not a version",
        ),
        ("hd_space < apples", 11..17, "is not a size"),
        ("hd_space ~ 10", 9..10, "not by `~`"),
        ("hostname < m", 9..10, "`hostname` is text"),
        ("deployed = maybe", 11..16, "`maybe` is not yes or no"),
        (
            "last_checkin < 14d",
            13..18,
            "write `last_checkin within 14d`",
        ),
        ("last_checkin within soon", 0..0, ""),
        ("memory_kb = abc", 12..15, "is not a size"),
        ("machine_group = abc", 16..19, "is not a whole number"),
        ("fact = a", 0..4, "say which fact"),
        ("fact \"role\" < kiosk", 14..19, "text has no order here"),
        (
            "hostname as number < 5 and serial as number is set",
            0..0,
            "",
        ),
        ("plugin \"x\" = a", 0..10, "is written `Plugin/row`"),
        ("hostname \"x\" = a", 0..12, "takes no name"),
        ("deployed as text = a", 0..16, "take `as` away"),
        (
            "application(nme = a)",
            12..15,
            "there is no column of `application` `nme`; did you mean `name`?",
        ),
        ("search = Kiosk", 9..14, "did you mean `Kiosks`?"),
        ("search = circle", 9..15, "uses itself"),
        (
            "search = broken",
            9..15,
            "in the search `broken`: `os_version` is a version",
        ),
        ("search ~ a", 7..8, "is used as `search = "),
        ("widget \"Uptime\" = bad", 18..21, "there is no part `bad`"),
        ("machine ~ a", 8..9, "serial number or a host name"),
        ("hostname matches \"(\"", 17..20, "no regular expression"),
    ] {
        let Err(error) = checked(filter) else {
            assert!(message.is_empty(), "{filter}");
            continue;
        };
        assert!(error.to_string().contains(message), "{filter}: {error}");
        assert_eq!(error.at, at, "{filter}: {error}");
    }
    assert!(checked("search = kiosks and widget \"Uptime\" = ok").is_ok());
}

#[test]
fn data_with_values_that_the_operator_does_not_take_is_refused() {
    for json in [
        r#"{"field": "hostname", "op": "="}"#,
        r#"{"field": "hostname", "op": "in", "value": "a"}"#,
        r#"{"field": "hostname", "op": "in", "values": []}"#,
        r#"{"field": "hostname", "op": "is set", "value": "a"}"#,
        r#"{"field": "fact", "of": "a", "op": "is set", "value": "a"}"#,
        r#"{"field": "hostname", "op": "=", "value": "a\u0000b"}"#,
        r#"{"field": "machine", "op": "=", "value": "a\u0000b"}"#,
        r#"{"field": "fact", "of": "a\u0000b", "op": "=", "value": "a"}"#,
        r#"{"rows": "application", "where": {"words": ["a"]}}"#,
        r#"{"rows": "nothing", "where": {"all": []}}"#,
    ] {
        let expr: Expr = serde_json::from_str(json).unwrap();
        let checked = check_expr(&expr, &TimeZone::UTC, &NothingNamed);
        assert!(checked.is_err(), "{json}");
    }
    let deep = (0..50).fold(Expr::everything(), |inner, _| inner.negate());
    assert!(check_expr(&deep, &TimeZone::UTC, &NothingNamed).is_err());
}

#[test]
fn every_field_takes_the_operators_of_its_type() {
    let value = |meaning| match meaning {
        Meaning::Text | Meaning::Name | Meaning::Untyped => ("=", "a"),
        Meaning::Whole | Meaning::Number => (">", "5"),
        Meaning::Version => ("<", "15.1"),
        Meaning::Time => ("older than", "3d"),
        Meaning::Flag => ("=", "yes"),
        Meaning::Bytes | Meaning::Kibibytes => ("<", "10GB"),
    };
    for column in catalogue::machine_columns() {
        let (op, operand) = value(column.meaning);
        for name in std::iter::once(&column.name).chain(column.aliases) {
            assert!(checked(&format!("{name} {op} {operand}")).is_ok(), "{name}");
        }
        assert!(checked(&format!("{} is set", column.name)).is_ok());
    }
    for kind in catalogue::row_kinds() {
        for column in kind.columns {
            let (op, operand) = value(column.meaning);
            let filter = format!(
                "{}({} {op} {operand} and {} is set)",
                kind.name, column.name, column.name
            );
            assert!(checked(&filter).is_ok(), "{filter}");
        }
    }
}

proptest! {
    #[test]
    fn no_value_becomes_sql(value in "[❦-❧]{1,3}[a-z'\";$%]{0,6}", at in 0..6usize) {
        let templates = ["hostname = ", "hostname ~ ", "fact \"a\" = ", "pending ~ ", "group = ", "machine = "];
        let quoted = value.replace('\\', "\\\\").replace('"', "\\\"");
        let filter = format!("{}\"{quoted}\"", templates[at]);
        let (sql_text, parameters) = sql(&filter);
        prop_assert!(sql_text.is_ascii());
        let shown = format!("{parameters:?}");
        prop_assert!(shown.contains(['❦', '❧']));
    }
}
