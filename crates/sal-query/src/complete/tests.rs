use proptest::prelude::*;

use super::*;
use crate::{
    catalogue::{Meaning, machine_columns},
    check::{NothingNamed, check_expr},
    expr::{Compare, Expr, Op, Takes},
    parse,
};

/// Completes at the bar in the text, and returns the text without it.
fn at_bar(text: &str) -> (String, Completion) {
    let cursor = text.find('|').unwrap();
    let text = text.replacen('|', "", 1);
    let found = complete(&text, cursor);
    (text, found)
}

fn texts(found: &Completion) -> Vec<&str> {
    found
        .suggestions
        .iter()
        .map(|one| one.text.as_str())
        .collect()
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn what_the_language_offers() {
    for (text, replaced, offered, not_offered) in [
        (
            "|",
            "",
            "serial os_family group application not",
            "and = operating",
        ),
        ("os_ver|", "os_ver", "os_version", "os_family"),
        ("OS_v|ersion < 15", "OS_version", "os_version", "serial"),
        ("laptop and oper|", "oper", "operating_system", "and"),
        ("anna gr|", "gr", "group group_id", "unit and"),
        // A name for people leads to the field as well.
        ("console|", "console", "console_user", "hostname"),
        ("os_version |", "", "< >= = in", "within and or"),
        ("os_version is|", "is", "is_set is_empty", "= <"),
        ("os_version is |", "is ", "is_set is_empty", "= <"),
        ("os_version is n|", "is n", "is_not_empty", "is_empty"),
        ("os_version !|", "!", "!= !~", "= <"),
        (
            "last_checkin |",
            "",
            "within older_than < is_empty",
            "~ matches",
        ),
        ("last_checkin older |", "older ", "older_than", "within"),
        ("last_checkin within |", "", "24h 14d", "and"),
        ("last_checkin older than 3|", "3", "30d", "14d"),
        ("deployed = |", "", "yes no", "and"),
        ("hd_space < |", "", "10GB", "8GB"),
        ("os_version < 15 |", "", "and or", ") <"),
        ("hd_space < 10 GB a|", "a", "and address", "or"),
        ("(os_version < 15 |", "", "and or )", "<"),
        ("serial in |", "", "(", "and"),
        ("serial in (a |", "", ", )", "and"),
        ("hostname is set |", "", "and or", "<"),
        ("fact \"Puppet/role\" |", "", "= < within as", "and ("),
        ("fact \"Puppet/role\" as |", "", "number version", "and"),
        (
            "fact \"Puppet/role\" as number |",
            "",
            "< >= is_set",
            "~ matches as",
        ),
        ("fact |", "", "(", "= <"),
        ("application |", "", "( = <", "as"),
        ("application(|", "", "name version not", "serial os_version"),
        (
            "application(name = Firefox and ver|",
            "ver",
            "version",
            "serial",
        ),
        ("application(name = Firefox and version |", "", "< =", "and"),
        ("application(name = Firefox) |", "", "and or", ")"),
        ("every |", "", "application( item(", "serial group"),
        ("has |", "", "application fact", "serial"),
        ("has application \"Firefox\" |", "", "and or", "="),
        ("anna |", "", "and or", "= <"),
        ("machine |", "", "= in", "< ~"),
        ("search |", "", "= !=", "in ~"),
        ("group = \"a\" and not |", "", "has os_family", "and"),
    ] {
        let (whole, found) = at_bar(text);
        assert_eq!(&whole[found.replace.clone()], replaced, "{text}");
        let words = texts(&found);
        for word in offered.split_whitespace() {
            let word = if word.contains("is_") || word == "older_than" {
                word.replace('_', " ")
            } else {
                word.to_owned()
            };
            assert!(
                words.contains(&word.as_str()),
                "{text}: {word} in {words:?}"
            );
        }
        for word in not_offered.split_whitespace() {
            assert!(!words.contains(&word), "{text}: {word} in {words:?}");
        }
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn which_values_are_wanted() {
    let rows = |kind: &str, column: &str, of: Option<&str>| {
        let kind = crate::catalogue::row_kind(kind).unwrap();
        Some(Wanted::Rows {
            kind,
            column: kind.column(column).unwrap(),
            of: of.map(str::to_owned),
        })
    };
    let which = |kind: &str| Some(Wanted::Which(crate::catalogue::row_kind(kind).unwrap()));
    let column = |name: &str| {
        machine_columns()
            .find(|column| column.name == name)
            .map(Wanted::Column)
    };
    for (text, replaced, typed, wanted) in [
        ("os_version < |", "", "", column("operating_system")),
        ("os_version < 1|", "1", "1", column("operating_system")),
        ("hostname in (a, b|c)", "bc", "b", column("hostname")),
        ("hostname ~ \"x y|", "\"x y", "x y", column("hostname")),
        (
            "hostname ~ \"x| y\" and",
            "\"x y\"",
            "x",
            column("hostname"),
        ),
        (
            "hostname ~ \"x| and manifest = \"a\"",
            "\"x",
            "x",
            column("hostname"),
        ),
        ("hostname = 'a\\'b|", "'a\\'b", "a'b", column("hostname")),
        ("group = \"La|", "\"La", "La", rows("group", "name", None)),
        ("fact \"Pup|", "\"Pup", "Pup", which("fact")),
        ("fact Pup|", "Pup", "Pup", which("fact")),
        ("has app |", "", "", which("application")),
        (
            "plugin \"Upt|ime/Days\" > 3",
            "\"Uptime/Days\"",
            "Upt",
            which("plugin"),
        ),
        (
            "fact \"Puppet/role\" = k|",
            "k",
            "k",
            rows("fact", "value", Some("Puppet/role")),
        ),
        ("fact role = |", "", "", rows("fact", "value", Some("role"))),
        (
            "application Firefox < 1|",
            "1",
            "1",
            rows("application", "version", Some("Firefox")),
        ),
        (
            "application(name = \"Fire|",
            "\"Fire",
            "Fire",
            rows("application", "name", None),
        ),
        (
            "application(name = Firefox and version < |",
            "",
            "",
            rows("application", "version", Some("Firefox")),
        ),
        ("pending = |", "", "", rows("pending", "name", None)),
        (
            "item \"Office\" = P|",
            "P",
            "P",
            rows("item", "status", Some("Office")),
        ),
        ("error ~ |", "", "", rows("error", "text", None)),
        ("machine in (C02|", "C02", "C02", Some(Wanted::Machines)),
        ("search = \"Ki|", "\"Ki", "Ki", Some(Wanted::Searches)),
        ("widget Up|", "Up", "Up", Some(Wanted::Widgets)),
        (
            "widget Uptime = |",
            "",
            "",
            Some(Wanted::Segments("Uptime".to_owned())),
        ),
        ("last_checkin < |", "", "", None),
        ("hostname matches |", "", "", None),
        ("\"hostname|", "\"hostname", "hostname", None),
    ] {
        let (whole, found) = at_bar(text);
        assert_eq!(found.wanted, wanted, "{text}");
        assert_eq!(&whole[found.replace.clone()], replaced, "{text}");
        assert_eq!(found.typed, typed, "{text}");
    }
}

#[test]
fn an_accepted_value_is_read_as_it_was() {
    let (text, found) = at_bar("fact \"Pup| = 1");
    let wanted = found.wanted.unwrap();
    let mut text = text;
    text.replace_range(found.replace, &wanted.written("a \"b\"/\\c"));
    let parse::Parsed { expr, .. } = parse(&text).unwrap();
    let meant = Compare::new("fact", Op::Equal).of("a \"b\"/\\c").value("1");
    assert_eq!(expr, Expr::Compare(meant));
    for value in ["15.1", "no", "and", "", "a b", "\u{202e}x", "'"] {
        let (mut text, found) = at_bar("hostname = |");
        text.replace_range(found.replace, &found.wanted.unwrap().written(value));
        let meant = Compare::new("hostname", Op::Equal).value(value);
        assert_eq!(parse(&text).unwrap().expr, Expr::Compare(meant), "{text}");
    }
}

/// Text from left to right: each token that is of the language is offered where it stands.
#[test]
fn a_filter_can_be_written_by_suggestions_alone() {
    for text in [
        "os_version < 15.1 and last_checkin within 14d and not group = \"Labs\"",
        "hostname starts with \"a\" or manifest not in (\"a\", \"b\") and deployed = no",
        "no application(name = \"Firefox\" and version >= 130) and has pending \"Office\"",
        "every item(status != \"ERROR\" or since older than 7d) and search = \"Kiosks\"",
        "fact \"uptime\" as number > 30 and error is empty and (unit = \"a\" or client ~ \"b\")",
    ] {
        for token in tokens(text).unwrap() {
            let found = complete(text, token.at.start);
            let word = &text[token.at.clone()];
            let offers = |found: &Completion| {
                found.suggestions.iter().any(|one| {
                    one.text.split(' ').any(|part| part == word) || one.text == format!("{word}(")
                })
            };
            // A field has several names; the one that is typed is offered.
            let is_offered = offers(&found)
                || text.is_char_boundary(token.at.start + 2)
                    && offers(&complete(text, token.at.start + 2));
            let is_own = matches!(token.kind, TokenKind::Text(_))
                || word.starts_with(|c: char| c.is_ascii_digit());
            assert!(
                is_offered || is_own || found.typed.ends_with(' ') || ["(", ")"].contains(&word),
                "{word} at {} of {text}: {:?}",
                token.at.start,
                texts(&found)
            );
            if matches!(token.kind, TokenKind::Text(_)) {
                assert!(found.wanted.is_some(), "{word} of {text}");
            }
        }
    }
}

#[test]
fn every_operator_that_is_offered_is_taken_and_no_other() {
    let zone = jiff::tz::TimeZone::UTC;
    for column in machine_columns() {
        for op in Op::ALL {
            let value = match (op.takes(), column.meaning) {
                (Takes::Age, _) => "14d",
                (_, Meaning::Time) => "2026-11-30",
                (_, Meaning::Flag) => "yes",
                _ => "15",
            };
            let mut compare = Compare::new(column.name, *op);
            match op.takes() {
                Takes::Nothing => {}
                Takes::One | Takes::Age => compare.value = Some(value.to_owned()),
                Takes::Many => compare.values = Some(vec![value.to_owned()]),
            }
            let taken = check_expr(&Expr::Compare(compare), &zone, &NothingNamed).is_ok();
            let offered = operators(column.meaning).contains(op);
            assert_eq!(offered, taken, "{} {}", column.name, op.text());
        }
    }
}

proptest! {
    #[test]
    fn any_text_at_any_place_is_completed(
        words in prop::collection::vec(
            prop::sample::select(vec![
                "os_version", "fact", "\"Puppet", "role\"", "application(", ")", "(", "<", "=", "!", "in", "not", "is",
                "older", "than", "within", "14d", "and", "or", "has", "any", "no", "as", "number", "“é", "„", "'", "\\",
                ",", ";", "\u{1F600}", "group", "matches", "10", "GB", "widget", "  ", "\0",
            ]),
            0..12,
        ),
        glue in prop::bool::ANY,
        cursor in 0..80_usize,
    ) {
        let text = words.join(if glue { "" } else { " " });
        let found = complete(&text, cursor);
        prop_assert!(text.get(found.replace.clone()).is_some());
        prop_assert!(found.replace.start <= cursor.min(text.len()));
        // What is accepted can be completed again, and the language's own words stay as they are.
        for suggestion in &found.suggestions {
            let mut accepted = text.clone();
            accepted.replace_range(found.replace.clone(), &suggestion.text);
            let end = found.replace.start + suggestion.text.len();
            let again = complete(&accepted, end);
            prop_assert!(accepted.get(again.replace).is_some());
        }
    }

    #[test]
    fn any_characters_are_completed(text in "\\PC{0,40}", cursor in 0..60_usize) {
        let found = complete(&text, cursor);
        prop_assert!(text.get(found.replace).is_some());
    }
}
