use proptest::prelude::*;

use super::*;
use crate::expr::CastName;

fn tree(text: &str) -> Expr {
    parse(text)
        .unwrap_or_else(|error| panic!("{text}: {error} at {:?}", error.at))
        .expr
}

fn compare(field: &str, op: Op, value: &str) -> Expr {
    Expr::compare(field, op, value)
}

#[test]
fn and_binds_tighter_than_or_and_not_tightest() {
    let a = || compare("hostname", Op::Equal, "a");
    let b = || compare("manifest", Op::NotEqual, "b");
    let c = || compare("cpu_type", Op::Contains, "c");
    assert_eq!(
        tree("hostname = a or not manifest != b and cpu_type ~ c"),
        Expr::any(vec![a(), Expr::all(vec![b().negate(), c()])])
    );
    assert_eq!(
        tree("(hostname = a OR manifest != b) AND cpu_type ~ c"),
        Expr::all(vec![Expr::any(vec![a(), b()]), c()])
    );
    // Without a word between them, both must hold.
    assert_eq!(
        tree("hostname = a manifest != b"),
        Expr::all(vec![a(), b()])
    );
}

#[test]
fn the_filter_of_the_handbook_is_read() {
    let text = "os_version < 15.1 and last_checkin within 14d and fact \"Puppet/role\" = \"kiosk\" \
                and not group = \"Labs\"";
    let role = Compare::new("fact", Op::Equal)
        .of("Puppet/role")
        .value("kiosk");
    assert_eq!(
        tree(text),
        Expr::all(vec![
            compare("os_version", Op::Less, "15.1"),
            compare("last_checkin", Op::Within, "14d"),
            Expr::Compare(role),
            compare("group", Op::Equal, "Labs").negate(),
        ])
    );
    assert_eq!(tree(text).to_string(), text);
}

#[test]
fn what_people_type_is_understood() {
    for (typed, meant) in [
        ("os_version≥15", "os_version >= 15"),
        ("hd_space < 10 GB", "hd_space < \"10 GB\""),
        ("last_checkin within 14 days", "last_checkin within 14d"),
        ("LAST_CHECKIN Older Than 30d", "last_checkin older than 30d"),
        ("user contains anna", "user ~ \"anna\""),
        ("manifest is not set", "manifest is empty"),
        ("has application Firefox", "has application \"Firefox\""),
        ("application Firefox < 130", "application \"Firefox\" < 130"),
        ("not has application “Zoom”", "not has application \"Zoom\""),
        ("serial in (A1,'b 2')", "serial in (\"A1\", \"b 2\")"),
        (
            "model = 'a' && !user = 'b'",
            "model = \"a\" and not user = \"b\"",
        ),
        (
            "app(name = Firefox and version < 130)",
            "app(name = \"Firefox\" and version < 130)",
        ),
        (
            "every item(status = PRESENT)",
            "every item(status = \"PRESENT\")",
        ),
        ("no pending()", "no pending()"),
        (
            "fact uptime as number > 30",
            "fact \"uptime\" as number > 30",
        ),
        ("anna in Berlin", "anna \"in\" Berlin"),
        ("O'Brien", "\"O'Brien\""),
        (
            "C02M00000 C02F0000CQ05",
            "machine in (\"C02M00000\", \"C02F0000CQ05\")",
        ),
        (
            "\"C02M00000\" C02F0000CQ05",
            "\"C02M00000\" \"C02F0000CQ05\"",
        ),
        (
            "a1, Anna's Mac;\r\nb",
            "machine in (\"a1\", \"Anna's Mac\", \"b\")",
        ),
        ("\"os_version\"", "\"os_version\""),
        ("has everything", "\"has\" and everything"),
        ("", "everything"),
        ("nothing or everything", "nothing or everything"),
    ] {
        assert_eq!(tree(typed).to_string(), meant, "{typed}");
        assert_eq!(tree(meant).to_string(), meant);
    }
}

#[test]
fn words_are_the_quick_search() {
    let words = |words: &[&str]| Expr::Words {
        words: words.iter().map(|&word| word.to_owned()).collect(),
    };
    assert_eq!(tree("anna macbook"), words(&["anna", "macbook"]));
    assert_eq!(
        tree("anna and os_family = Darwin"),
        Expr::all(vec![
            words(&["anna"]),
            compare("os_family", Op::Equal, "Darwin")
        ])
    );
    assert_eq!(tree("C02-M1.local"), words(&["C02-M1.local"]));
    // Behind a condition too: what somebody types behind the filter of a list.
    assert_eq!(
        tree("os_family = \"Darwin\"anna mac"),
        Expr::all(vec![
            compare("os_family", Op::Equal, "Darwin"),
            words(&["anna", "mac"])
        ])
    );
    // A field's name alone is a word too.
    assert_eq!(tree("memory"), words(&["memory"]));
}

#[test]
fn an_error_says_where_and_what_was_expected() {
    for (text, at, message) in [
        ("os_version <", 12..12, "expected a value after `<`"),
        ("os_version < 15 or", 18..18, "the filter ends here"),
        ("(hostname = a", 13..13, "expected `and`, `or` or `)`"),
        ("hostname = a)", 12..13, "no opening parenthesis"),
        ("hostname = \"a", 11..12, "never closed"),
        ("serial in (a b)", 13..14, "expected `,` or `)`"),
        ("serial in ()", 11..12, "expected a value after `in`"),
        ("and a", 0..3, "expected a condition before `and`"),
        ("= 5", 0..1, "expected a condition"),
        ("\"os_version\" < 5", 0..12, "without quotes"),
        (
            "application(Firefox)",
            12..19,
            "expected the name of a column",
        ),
        (
            "application(no item(name = a))",
            15..19,
            "inside of other rows",
        ),
        ("fact \"x\" as colour = 1", 12..18, "after `as`"),
        ("hostname = a ; b", 13..14, "no meaning here"),
    ] {
        let error = parse(text).expect_err(text);
        assert!(error.message.contains(message), "{text}: {}", error.message);
        assert_eq!(error.at, at, "{text}: {}", error.message);
    }
}

#[test]
fn what_is_too_much_is_refused() {
    let deep = format!("{}a{}", "(".repeat(30), ")".repeat(30));
    assert!(parse(&deep).unwrap_err().message.contains("nested"));
    assert!(parse(&"not ".repeat(10_000)).is_err());
    // As deep as data may be, and no deeper: `and` nests, too.
    let two = |nots: usize| format!("{not} os = a and {not} os = b", not = "not ".repeat(nots));
    assert_eq!(parse(&two(MAX_DEPTH - 2)).unwrap().expr.depth(), MAX_DEPTH);
    assert!(
        parse(&two(MAX_DEPTH - 1))
            .unwrap_err()
            .message
            .contains("nested")
    );
    let many = vec!["os_family = a"; MAX_TERMS + 1].join(" or ");
    assert!(parse(&many).unwrap_err().message.contains("more than 100"));
    let list = format!("serial in ({})", vec!["a"; MAX_VALUES + 1].join(","));
    assert!(parse(&list).unwrap_err().message.contains("at most 1000"));
    assert!(parse(&"a".repeat(MAX_LENGTH + 1)).is_err());
}

#[test]
fn the_places_of_the_parts_are_known() {
    let text = "os_version < 15.1 and fact \"a/b\" as number >= 3";
    let places = parse(text).unwrap().places;
    let part = |at: &Range<usize>| text.get(at.clone()).unwrap();
    let parts: Vec<_> = places
        .iter()
        .map(|place| {
            (
                part(&place.subject),
                part(&place.operator),
                part(&place.value),
            )
        })
        .collect();
    assert_eq!(
        parts,
        [
            ("os_version", "<", "15.1"),
            ("fact \"a/b\" as number", ">=", "3")
        ]
    );
}

fn values() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9.]{1,5}",
        "\\PC{0,8}",
        "[a-z\"\\\\' ()]{0,8}",
        Just("and".to_owned())
    ]
}

fn compares(names: &'static [&'static str]) -> impl Strategy<Value = Expr> {
    let cast = proptest::option::of(proptest::sample::select(CastName::ALL));
    let name = proptest::sample::select(names);
    let op = proptest::sample::select(Op::ALL);
    let more = proptest::collection::vec(values(), 1..4);
    (name, op, cast, values(), more).prop_map(|(name, op, cast, value, more)| {
        let mut compare = Compare::new(name, op);
        compare.cast = cast;
        match op.takes() {
            Takes::Nothing => {}
            Takes::One => compare.value = Some(value.clone()),
            Takes::Age => compare.value = Some("14d".to_owned()),
            Takes::Many => compare.values = Some(more),
        }
        if ["fact", "item"].contains(&name) {
            compare.of = Some(value);
        }
        Expr::Compare(compare)
    })
}

fn nested(leaf: impl Strategy<Value = Expr> + 'static) -> impl Strategy<Value = Expr> {
    leaf.prop_recursive(4, 16, 3, |inner| {
        let parts = || proptest::collection::vec(inner.clone(), 0..3);
        prop_oneof![
            parts().prop_map(Expr::all),
            parts().prop_map(Expr::any),
            inner.clone().prop_map(Expr::negate),
        ]
    })
}

fn exprs() -> impl Strategy<Value = Expr> {
    let words = proptest::collection::vec("[a-zA-Z0-9.]{1,6}|\\PC{1,6}|fact|item|not|in", 1..3)
        .prop_map(|words| Expr::Words { words });
    let rows = (
        proptest::sample::select(&["application", "item", "pending"][..]),
        prop_oneof![
            Just(Quantifier::Any),
            Just(Quantifier::Every),
            Just(Quantifier::No)
        ],
        nested(compares(&["name", "version", "status"])),
    )
        .prop_map(|(rows, quantifier, condition)| {
            Expr::Rows(Rows {
                rows: rows.to_owned(),
                quantifier,
                condition: Box::new(condition),
            })
        });
    nested(prop_oneof![
        4 => compares(&["os_version", "group", "fact", "item", "unheard_of"]),
        1 => words,
        1 => rows,
    ])
}

proptest! {
    #[test]
    fn what_is_printed_is_read_back(expr in exprs()) {
        let text = expr.to_string();
        let read = parse(&text).map_err(|error| TestCaseError::fail(format!("{text}: {error}")))?;
        prop_assert_eq!(read.expr, expr, "{}", text);
    }

    #[test]
    fn what_is_written_as_json_is_read_back(expr in exprs()) {
        let json = serde_json::to_string(&expr).unwrap();
        prop_assert_eq!(serde_json::from_str::<Expr>(&json).unwrap(), expr, "{}", json);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,40}|[a-z \"()=<>~!,]{0,60}") {
        if let Err(error) = parse(&text) {
            prop_assert!(error.at.end <= text.len());
            prop_assert!(text.get(error.at).is_some());
        }
    }
}
