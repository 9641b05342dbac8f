use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::{Difference as D, *};
use crate::{check::NothingNamed, check::check_expr, parse};

fn row(model: &str, field: &str, operator: &str, term: &str) -> SalRow {
    SalRow {
        joined: Joined::And,
        model: model.to_owned(),
        field: field.to_owned(),
        operator: operator.to_owned(),
        term: term.to_owned(),
    }
}

fn search(rows: Vec<SalRow>) -> SalSearch {
    SalSearch {
        groups: vec![SalGroup {
            joined: Joined::And,
            rows,
        }],
    }
}

fn or(row: SalRow) -> SalRow {
    SalRow {
        joined: Joined::Or,
        ..row
    }
}

/// The text of a filter that makes sense and is read back as it is.
fn text(search: &SalSearch) -> String {
    let expr = read(search).expr().unwrap();
    let text = expr.to_string();
    let parsed = parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(parsed.expr, expr, "{text}");
    check_expr(&expr, &TimeZone::UTC, &NothingNamed)
        .unwrap_or_else(|error| panic!("{text}: {error}"));
    text
}

#[test]
fn every_kind_of_row_has_words_of_ours() {
    for (model, field, operator, term, ours, difference) in ROWS.iter().copied() {
        let search = search(vec![row(model, field, operator, term)]);
        let is_denied_flag = (field, operator) == ("deployed", "!=");
        let ours = if is_denied_flag {
            "not deployed = true"
        } else {
            ours
        };
        assert_eq!(text(&search), ours, "{model} {field} {operator} {term}");
        let expected: Vec<Difference> = difference.into_iter().collect();
        assert_eq!(read(&search).differences, expected, "{ours}");
        assert_eq!(read(&search).fails_in_sal(), Vec::<String>::new(), "{ours}");
    }
}

#[test]
fn q167_what_sal_answers_with_an_error_is_told_with_its_place() {
    #[rustfmt::skip]
    let rows = [
        ("Machine", "memory_kb", "=", "abc", None),
        ("Machine", "hd_space", "<", "1.5", None),
        ("Machine", "last_checkin", ">", "yesterday", None),
        ("Machine", "last_checkin", "=", "2025-02-30", None),
        ("Machine", "machine_group", "Contains", "1", None),
        ("Machine", "nope", "=", "x", None),
        ("Machine", "deployed", "=", "maybe", None),
        ("Machine", "deployed", "=", "true", Some("deployed = true")),
        ("Application Inventory", "Path", "Contains", "/Users", Some("application(path ~ \"/Users\")")),
        ("Application Inventory", "Nope", "=", "x", None),
        ("Application Version", "nonsense", "=", "x", None),
        ("External Script", "nonsense", "=", "x", None),
        ("External Script", "a=>b=>c", "=", "x", None),
        ("Profile", "machine", "=", "x", None),
        ("Profile", "nope", "=", "x", None),
        ("Profile Payload", "profile", "Contains", "1", None),
        ("Condition", "x", "=", "x", None),
        ("Machine", "hostname", "~", "x", None),
    ];
    for (model, field, operator, term, ours) in rows {
        let mut search = search(vec![row("Machine", "hostname", "=", "a")]);
        search.groups[0]
            .rows
            .push(row(model, field, operator, term));
        let reading = read(&search);
        let fails = reading.fails_in_sal();
        assert_eq!(fails.len(), 1, "{model} {field}");
        assert!(fails[0].starts_with("group 1, row 2: "), "{fails:?}");
        assert!(search.as_sal(&TimeZone::UTC).is_err(), "{model} {field}");
        match ours {
            None => assert_eq!(reading.expr().unwrap_err().len(), 1, "{model} {field}"),
            Some(ours) => assert_eq!(text(&search), format!("hostname == \"a\" and {ours}")),
        }
    }
}

#[test]
fn q168_a_row_that_reaches_into_other_tables_is_refused_although_sal_runs_it() {
    let search = search(vec![row("Machine", "machine_group__key", "=", "secret")]);
    let reading = read(&search);
    assert_eq!(reading.fails_in_sal(), Vec::<String>::new());
    assert_eq!(
        reading.expr().unwrap_err(),
        ["group 1, row 1: Machine has no field `machine_group__key`"]
    );
    assert_eq!(reading.differences, [Difference::NoSuchField]);
}

#[test]
fn q169_contains_on_a_number_is_refused_with_a_sentence() {
    let search = search(vec![row("Machine", "memory_kb", "Contains", "16")]);
    let reading = read(&search);
    assert_eq!(
        reading.expr().unwrap_err(),
        ["group 1, row 1: `memory_kb` is a number, which contains nothing"]
    );
    assert_eq!(reading.differences, [Difference::ContainsDigits]);
    assert_eq!(reading.fails_in_sal(), Vec::<String>::new());
}

#[test]
fn rows_and_groups_fold_from_left_to_right() {
    let a = || row("Machine", "serial", "=", "A");
    let b = || row("Machine", "serial", "=", "B");
    let c = || row("Machine", "serial", "=", "C");
    let group = |joined, rows| SalGroup { joined, rows };
    let and = Joined::And;
    for (groups, expected) in [
        (vec![], "everything"),
        (vec![group(and, vec![])], "everything"),
        (vec![group(and, vec![a(), or(b()), c()])], "(A or B) and C"),
        (vec![group(and, vec![a(), b(), or(c())])], "A and B or C"),
        (vec![group(and, vec![or(a()), b()])], "A and B"),
        (
            vec![group(Joined::Or, vec![a()]), group(and, vec![or(b())])],
            "A and B",
        ),
        (
            vec![
                group(and, vec![a()]),
                group(Joined::Or, vec![b()]),
                group(and, vec![c()]),
            ],
            "(A or B) and C",
        ),
        (
            vec![group(and, vec![a(), or(b())]), group(and, vec![c()])],
            "(A or B) and C",
        ),
        (vec![group(and, vec![]), group(Joined::Or, vec![b()])], "B"),
        (vec![group(and, vec![a()]), group(Joined::Or, vec![])], "A"),
    ] {
        let search = SalSearch { groups };
        let expected = ["A", "B", "C"]
            .iter()
            .fold(expected.to_owned(), |text, name| {
                text.replace(name, &format!("serial == \"{name}\""))
            });
        assert_eq!(text(&search), expected);
    }
}

#[test]
fn q160_rows_about_one_table_are_marked_when_sal_wants_one_row_for_all_of_them() {
    let role = || row("Facter", "role", "=", "kiosk");
    let arch = || row("Facter", "arch", "=", "arm64");
    let name = || row("Machine", "hostname", "=", "a");
    let version = || row("Application Version", "A=>b", "=", "1");
    let marked = |search: &SalSearch| read(search).differences.contains(&Difference::OneRowForAll);
    assert!(marked(&search(vec![role(), arch()])));
    assert!(marked(&search(vec![role(), name(), arch()])));
    assert!(marked(&search(vec![version(), version()])));
    assert!(marked(&SalSearch {
        groups: vec![
            SalGroup {
                joined: Joined::And,
                rows: vec![role()]
            },
            SalGroup {
                joined: Joined::And,
                rows: vec![arch()]
            },
        ],
    }));
    assert!(!marked(&search(vec![role(), or(arch())])));
    assert!(!marked(&search(vec![role(), version(), name()])));
    assert!(!marked(&search(vec![version()])));
}

#[test]
fn q166_a_denied_row_in_front_of_others_is_marked() {
    let unequal = || row("Machine", "hostname", "!=", "a");
    let name = || row("Machine", "hostname", "=", "a");
    let marked = |search: &SalSearch| {
        read(search)
            .differences
            .contains(&Difference::NegatesTheRest)
    };
    let group = |rows| SalGroup {
        joined: Joined::And,
        rows,
    };
    assert!(marked(&search(vec![unequal(), name()])));
    assert!(marked(&SalSearch {
        groups: vec![group(vec![unequal()]), group(vec![name()])]
    }));
    assert!(marked(&SalSearch {
        groups: vec![group(vec![name()]), group(vec![unequal(), name()])]
    }));
    assert!(!marked(&search(vec![name(), unequal()])));
    assert!(!marked(&search(vec![unequal()])));
    assert!(!marked(&SalSearch {
        groups: vec![group(vec![name()]), group(vec![unequal()])]
    }));
}

#[test]
fn q170_only_what_sals_rows_can_say_is_written_and_reads_back() {
    for (ours, rows) in WRITTEN {
        let expr = parse(ours).unwrap().expr;
        let search = write(&expr).unwrap_or_else(|| panic!("{ours}"));
        let mut found = Vec::new();
        for (place, group) in search.groups.iter().enumerate() {
            if place > 0 {
                found.push(group.joined.text().to_owned());
            }
            found.extend(group.rows.iter().map(|row| {
                format!(
                    "{} {}|{}|{}|{}",
                    row.joined.text(),
                    row.model,
                    row.field,
                    row.operator,
                    row.term
                )
            }));
        }
        assert_eq!(found, *rows, "{ours}");
        assert!(read(&search).fails_in_sal().is_empty(), "{ours}");
    }
    for ours in UNWRITTEN {
        assert_eq!(write(&parse(ours).unwrap().expr), None, "{ours}");
    }
    assert_eq!(text(&nothing()), "id = 0");
}

/// Strictly from left to right, over yes and no.
fn naive(groups: &[(Joined, Vec<(Joined, bool)>)]) -> bool {
    let fold = |parts: Vec<(Joined, bool)>| {
        parts
            .into_iter()
            .fold(None, |before: Option<bool>, (joined, is)| {
                Some(match (before, joined) {
                    (None, _) => is,
                    (Some(before), Joined::And) => before && is,
                    (Some(before), Joined::Or) => before || is,
                })
            })
    };
    let groups = groups
        .iter()
        .filter_map(|(joined, rows)| Some((*joined, fold(rows.clone())?)))
        .collect();
    fold(groups).unwrap_or(true)
}

fn holds(expr: &Expr) -> bool {
    match expr {
        Expr::All { all } => all.iter().all(holds),
        Expr::Any { any } => any.iter().any(holds),
        Expr::Not { not } => !holds(not),
        Expr::Compare(compare) => compare.value.as_deref() == Some("yes"),
        other => panic!("{other}"),
    }
}

fn joined() -> impl Strategy<Value = Joined> {
    prop_oneof![Just(Joined::And), Just(Joined::Or)]
}

proptest! {
    #[test]
    fn folding_is_what_a_naive_fold_is(
        groups in prop::collection::vec((joined(), prop::collection::vec((joined(), any::<bool>(), any::<bool>()), 0..5)), 0..5)
    ) {
        let sal = SalSearch {
            groups: groups.iter().map(|(joined, rows)| SalGroup {
                joined: *joined,
                rows: rows.iter().map(|(joined, is, is_denied)| SalRow {
                    joined: *joined,
                    ..row("Machine", "hostname", if *is_denied { "!=" } else { "=" }, if *is { "yes" } else { "no" })
                }).collect(),
            }).collect(),
        };
        let yes: Vec<(Joined, Vec<(Joined, bool)>)> = groups.iter().map(|(joined, rows)| {
            (*joined, rows.iter().map(|(joined, is, is_denied)| (*joined, is ^ is_denied)).collect())
        }).collect();
        let expr = read(&sal).expr().unwrap();
        prop_assert_eq!(holds(&expr), naive(&yes));
        let text = expr.to_string();
        prop_assert_eq!(parse(&text).unwrap().expr, expr, "{}", text);
    }

    #[test]
    fn no_row_whatever_it_holds_is_anything_but_read_or_refused(
        model in prop_oneof![Just("Machine"), Just("Facter"), Just("External Script"), Just("Application Inventory"), Just("Application Version"), Just("Profile"), Just("Profile Payload")],
        field in prop_oneof![Just("hostname".to_owned()), Just("memory_kb".to_owned()), Just("last_checkin".to_owned()), Just("deployed".to_owned()), Just("install_date".to_owned()), Just("a=>b".to_owned()), ".*"],
        operator in prop_oneof![Just("Contains"), Just("="), Just("!="), Just("<"), Just("<="), Just(">"), Just(">=")],
        term in prop_oneof!["[0-9]{1,9}([.-][0-9]{1,3}){0,3}", ".*", "[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}[T ][0-9]{1,2}:[0-9]{2}"],
    ) {
        let sal = search(vec![row(model, &field, operator, &term)]);
        if let Ok(expr) = read(&sal).expr() && !field.contains('\0') && !term.contains('\0') {
            let checked = check_expr(&expr, &TimeZone::UTC, &NothingNamed);
            prop_assert!(checked.is_ok(), "{} {:?}", expr, checked);
            if let Ok(parsed) = parse(&expr.to_string()) {
                prop_assert_eq!(&parsed.expr, &expr);
            } else {
                prop_assert!(false, "{} cannot be read", expr);
            }
        }
        if let Ok(meaning) = sal.as_sal(&TimeZone::UTC) {
            prop_assert!(meaning.to_sql(1).is_ok());
        }
    }
}

/// Model, field, operator and term of a row, our words for it, and where they differ on purpose.
type Row = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    Option<D>,
);

#[rustfmt::skip]
const ROWS: &[Row] = &[
    ("Machine", "hostname", "Contains", "ACME", "hostname ~ \"ACME\"", None),
    ("Machine", "hostname", "=", "acme", "hostname == \"acme\"", None),
    ("Machine", "os_family", "!=", "Darwin", "not os_family == \"Darwin\"", None),
    ("Machine", "hostname", "<", "M", "hostname as text < \"M\"", None),
    ("Machine", "operating_system", "Contains", "14.", "operating_system ~ 14.", None),
    ("Machine", "operating_system", "=", "15.1", "operating_system == 15.1", None),
    ("Machine", "operating_system", ">=", "15.9", "operating_system >= 15.9", Some(D::VersionAsText)),
    ("Machine", "operating_system", ">=", "beta", "operating_system as text >= \"beta\"", None),
    ("Machine", "hd_percent", ">", "90", "hd_percent > 90", Some(D::NumberAsText)),
    ("Machine", "hd_percent", "=", "19.67", "hd_percent as text == 19.67", None),
    ("Machine", "memory_kb", "<", "16777216", "memory_kb < 16777216", None),
    ("Machine", "memory_kb", "!=", "8", "not memory_kb = 8", None),
    ("Machine", "machine_group", "=", "2", "machine_group_id = 2", None),
    ("Machine", "id", "=", "7", "id = 7", None),
    ("Machine", "deployed", "=", "True", "deployed = true", None),
    ("Machine", "deployed", "=", "0", "deployed = false", None),
    ("Machine", "deployed", "!=", "1", "deployed = true", None),
    ("Machine", "deployed", "<", "True", "deployed = false", None),
    ("Machine", "deployed", "<=", "True", "everything", None),
    ("Machine", "deployed", ">", "True", "nothing", None),
    ("Machine", "deployed", "Contains", "U", "deployed = true", None),
    ("Machine", "last_checkin", ">", "2025-01-01", "last_checkin > 2025-01-01", Some(D::DayAsMidnight)),
    ("Machine", "last_checkin", "<", "2025-1-2", "last_checkin < 2025-01-02", None),
    ("Machine", "last_checkin", ">=", "20250102", "last_checkin >= 2025-01-02", None),
    ("Machine", "last_checkin", "<=", "2025-01-02 9:30", "last_checkin <= 2025-01-02T09:30:00", None),
    ("Machine", "last_checkin", "=", "2025-01-02T09:30:00+01:00", "last_checkin = 2025-01-02T08:30:00Z", None),
    ("Machine", "last_checkin", "Contains", "2025-12", "last_checkin >= 2025-12-01 and last_checkin < 2026-01-01", Some(D::ContainsDigits)),
    ("Machine", "last_checkin", "Contains", "2025", "last_checkin >= 2025-01-01 and last_checkin < 2026-01-01", Some(D::ContainsDigits)),
    ("Machine", "last_checkin", "Contains", "2025-12-03", "last_checkin = 2025-12-03", Some(D::ContainsDigits)),
    ("Facter", "role", "=", "kiosk", "fact \"role\" == \"kiosk\"", None),
    ("Facter", "role", "Contains", "ki", "fact \"role\" ~ \"ki\"", None),
    ("Facter", "role", "!=", "kiosk", "not fact \"role\" == \"kiosk\"", Some(D::UnequalToAny)),
    ("Facter", "a/b", "=", "x", "fact \"/a/b\" == \"x\"", None),
    ("Facter", "uptime", ">", "3", "fact \"uptime\" > 3", Some(D::NumberAsText)),
    ("Facter", "os_vers", ">", "10.15", "fact \"os_vers\" as version > 10.15", Some(D::VersionAsText)),
    ("Facter", "munki", "<", "6.6.4", "fact \"munki\" < 6.6.4", Some(D::VersionAsText)),
    ("Facter", "build", "<", "2025-01-01", "fact \"build\" < 2025-01-01", Some(D::DateAsText)),
    ("Facter", "role", "<", "m", "fact \"role\" as text < \"m\"", None),
    ("External Script", "Encryption=>FileVault", "=", "Enabled", "plugin \"Encryption/FileVault\" == \"Enabled\"", None),
    ("External Script", "Uptime=>UptimeDays", ">", "3", "plugin \"Uptime/UptimeDays\" > 3", Some(D::NumberAsText)),
    ("External Script", "A/B=>c", "!=", "x", "not plugin(plugin == \"A/B\" and name = \"c\" and value == \"x\")", Some(D::UnequalToAny)),
    ("Application Inventory", "Name", "=", "Firefox", "application(name == \"Firefox\")", None),
    ("Application Inventory", "Bundle ID", "!=", "x", "not application(bundle_id == \"x\")", None),
    ("Application Inventory", "Bundle Name", "<", "M", "application(bundle_name as text < \"M\")", None),
    ("Application Version", "Firefox=>org.mozilla.firefox", "<", "130", "application(name == \"Firefox\" and bundle_id == \"org.mozilla.firefox\" and version < 130)", Some(D::VersionAsText)),
    ("Application Version", "Firefox=>", "!=", "1", "not application(name == \"Firefox\" and bundle_id == \"\" and version == 1)", Some(D::UnequalToAny)),
    ("Profile", "display_name", "!=", "x", "not profile(name == \"x\")", None),
    ("Profile", "install_date", "<", "2025-01-01", "profile(installed < 2025-01-01)", None),
    ("Profile", "machine", "!=", "7", "not (id = 7 and profile())", None),
    ("Profile Payload", "identifier", "Contains", "wifi", "payload(identifier ~ \"wifi\")", None),
    ("Profile Payload", "payload_type", "=", "x", "payload(type == \"x\")", None),
    ("Profile Payload", "profile", "=", "7", "payload(profile_id = 7)", None),
];

/// Filters, and the rows that say them.
const WRITTEN: &[(&str, &[&str])] = &[
    ("hostname = \"a\"", &["AND Machine|hostname|=|a"]),
    (
        "hostname ~ \"a\" and os_family != \"Darwin\"",
        &[
            "AND Machine|hostname|Contains|a",
            "AND Machine|os_family|!=|Darwin",
        ],
    ),
    (
        "os_family != \"Darwin\" and hostname ~ \"a\"",
        &[
            "AND Machine|hostname|Contains|a",
            "AND Machine|os_family|!=|Darwin",
        ],
    ),
    (
        "memory_kb < 8 or fact \"role\" = \"kiosk\"",
        &["AND Machine|memory_kb|<|8", "OR Facter|role|=|kiosk"],
    ),
    (
        "deployed = true and (hostname ~ \"a\" or hostname ~ \"b\")",
        &[
            "AND Machine|hostname|Contains|a",
            "OR Machine|hostname|Contains|b",
            "AND Machine|deployed|=|True",
        ],
    ),
    (
        "no application(name = \"Firefox\")",
        &["AND Application Inventory|Name|!=|Firefox"],
    ),
    (
        "plugin \"Encryption/FileVault\" = \"Enabled\"",
        &["AND External Script|Encryption=>FileVault|=|Enabled"],
    ),
    (
        "(hostname ~ \"a\" or hostname ~ \"b\") and (serial ~ \"c\" or serial ~ \"d\")",
        &[
            "AND Machine|hostname|Contains|a",
            "OR Machine|hostname|Contains|b",
            "AND",
            "AND Machine|serial|Contains|c",
            "OR Machine|serial|Contains|d",
        ],
    ),
    ("name = \"a\"", &["AND Machine|hostname|=|a"]),
];

/// Filters that rows cannot say, or that the original would take for something else.
const UNWRITTEN: &[&str] = &[
    "os_version < 15.1",
    "fact \"a\" = \"1\" and fact \"b\" = \"2\"",
    "fact \"a\" != \"1\"",
    "last_checkin within 14d",
    "anna",
    "everything",
    "nothing",
    "hostname in (\"a\", \"b\")",
    "search = \"Kiosks\"",
    "fact \"Puppet/role\" = \"kiosk\"",
    "hostname is empty",
    "group = \"Labs\"",
    "every application(version > 1)",
    "not (hostname = \"a\" and serial = \"b\")",
];
