//! Bodies as clients and others send them; each right side follows sal-protocol §1 or a quirk.

use super::*;
use crate::python::{parse, text};

fn read(body: &str) -> Result<Submission, Refusal> {
    read_without(body, None)
}

fn read_without(body: &str, ignore_facts: Option<&regex::Regex>) -> Result<Submission, Refusal> {
    let now = "2026-01-02T03:04:05Z".parse().unwrap();
    Submission::read(
        &parse(body).unwrap(),
        &Context {
            now,
            zone: &TimeZone::UTC,
            ignore_facts,
        },
    )
}

fn with(machine: &str, rest: &str) -> Submission {
    read(&format!(r#"{{"Machine": {{"extra_data": {{"serial": "c02+/x"{machine}}}}}, "Sal": {{"extra_data": {{"key": "k"}}}}{rest}}}"#)).unwrap()
}

#[test]
fn refusals_have_the_texts_of_the_original() {
    let machine = "Checkin JSON is missing required key \"Machine\"!";
    let serial = "Checkin JSON is missing required \"Machine\" key \"serial\"!";
    let cases = [
        ("[]", machine),
        ("null", machine),
        ("\"Machine\"", machine),
        ("{}", machine),
        (r#"{"Machine": {}}"#, serial),
        (r#"{"Machine": {"extra_data": {"serial": ""}}}"#, serial),
        (r#"{"Machine": {"extra_data": {"serial": false}}}"#, serial),
    ];
    for (body, said) in cases {
        assert_eq!(read(body).unwrap_err().to_string(), said, "{body}");
    }
}

#[test]
fn q002_what_the_original_answers_with_500_is_refused_with_a_reason() {
    let long = format!(
        r#"{{"Machine": {{"extra_data": {{"serial": "{}"}}}}, "Sal": {{"extra_data": {{"key": "k"}}}}}}"#,
        "S".repeat(101)
    );
    let cases = [
        (r#"{"Machine": null}"#, Refusal::NoSerial),
        (r#"{"Machine": []}"#, Refusal::NoSerial),
        (r#"{"Machine": {"extra_data": null}}"#, Refusal::NoSerial),
        (
            r#"{"Machine": {"extra_data": {"serial": 5}}}"#,
            Refusal::NoSerial,
        ),
        (
            r#"{"Machine": {"extra_data": {"serial": "a"}}}"#,
            Refusal::NoSal,
        ),
        (
            r#"{"Machine": {"extra_data": {"serial": "a"}}, "Sal": null}"#,
            Refusal::NoSal,
        ),
        (
            r#"{"Machine": {"extra_data": {"serial": "a\u0000"}}, "Sal": {"extra_data": {"key": "k"}}}"#,
            Refusal::BadSerial,
        ),
        (
            r#"{"Machine": {"extra_data": {"serial": "a"}}, "Sal": {"extra_data": {}}}"#,
            Refusal::NoKey,
        ),
        (long.as_str(), Refusal::BadSerial),
    ];
    for (body, refusal) in cases {
        assert_eq!(read(body).unwrap_err(), refusal, "{body}");
    }
}

#[test]
fn q002_more_sources_than_any_client_has_are_refused() {
    let sections =
        |count: usize| -> String { (2..count).map(|n| format!(r#", "s{n}": {{}}"#)).collect() };
    let body = |count| {
        let machine =
            r#""Machine": {"extra_data": {"serial": "a"}}, "Sal": {"extra_data": {"key": "k"}}"#;
        format!("{{{machine}{}}}", sections(count))
    };
    assert_eq!(
        read(&body(SOURCES_LIMIT)).unwrap().sections.len(),
        SOURCES_LIMIT
    );
    assert_eq!(
        read(&body(SOURCES_LIMIT + 1)).unwrap_err(),
        Refusal::TooManySources
    );
}

#[test]
fn absent_machine_columns_are_reset_and_present_ones_become_python_text() {
    let bare = with("", "").machine.columns;
    assert_eq!(bare.hostname.as_deref(), Some("<NO NAME>"));
    assert_eq!(
        (bare.os_family.as_str(), bare.memory_kb, bare.hd_space),
        ("Darwin", 0, None)
    );
    let said = with(r#", "hostname": ["a"], "console_user": "_mbsetupuser", "hd_percent": 12.5, "hd_space": 1.9, "hd_total": " 2_000 ", "memory_kb": true"#, "").machine.columns;
    assert_eq!(said.hostname.as_deref(), Some("['a']"));
    assert_eq!(said.console_user, None);
    assert_eq!(said.hd_percent.as_deref(), Some("12.5"));
    assert_eq!(
        (said.hd_space, said.hd_total, said.memory_kb),
        (Some(1), Some(2000), 1)
    );
    assert_eq!(
        with(r#", "hostname": null"#, "").machine.columns.hostname,
        None
    );
}

#[test]
fn q003_values_that_do_not_fit_are_cut_or_replaced_with_a_warning() {
    let long = "h".repeat(300);
    let machine = format!(
        r#", "hostname": "{long}", "hd_space": "lots", "hd_total": 99999999999999999999, "memory_kb": null, "os_family": null"#
    );
    let submission = with(
        &machine,
        r#", "Munki": {"facts": {"n": null, "z": "a\u0000b"}, "managed_items": {"i": {"status": null}}, "messages": ["crash", {"text": "t"}]}"#,
    );
    let columns = &submission.machine.columns;
    assert_eq!(columns.hostname.as_deref(), Some("h".repeat(256).as_str()));
    assert_eq!(
        (columns.hd_space, columns.hd_total, columns.memory_kb),
        (None, None, 0)
    );
    assert_eq!(columns.os_family, "Darwin");
    let munki = &submission.sections[2];
    assert_eq!(
        munki.facts,
        [
            ("n".to_owned(), "None".to_owned()),
            ("z".to_owned(), "ab".to_owned())
        ]
    );
    assert_eq!(
        (
            munki.items[0].state.status.as_str(),
            munki.items[0].has_history
        ),
        ("UNKNOWN", false)
    );
    assert_eq!(munki.messages[0].text.as_deref(), Some("crash"));
    assert!(munki.messages.iter().all(|message| message.kind == "OTHER"));
    assert_eq!(submission.warnings.len(), 9, "{:?}", submission.warnings);
    assert!(
        submission
            .warnings
            .iter()
            .all(|warning| !warning.0.contains("crash"))
    );
}

#[test]
fn q003_sections_and_lists_of_the_wrong_type_are_left_out() {
    let rest =
        r#", "A": null, "B": [1], "C": {"facts": [], "managed_items": 5, "messages": {"a": 1}}"#;
    let submission = with("", rest);
    assert_eq!(
        submission
            .sections
            .iter()
            .map(|section| section.source.as_str())
            .collect::<Vec<_>>(),
        ["Machine", "Sal", "C"]
    );
    assert_eq!(submission.warnings.len(), 5);
    let long = format!(r#", "{}": {{"facts": {{"a": 1}}}}"#, "s".repeat(300));
    assert_eq!(with("", &long).sections.len(), 2);
}

#[test]
fn q004_one_scripts_bad_data_does_not_lose_the_others() {
    let rest = r#", "plugin_results": [{"plugin": "D", "data": {"k": "1"}}, {"plugin": "E", "data": "text"}, {"plugin": "F", "data": {"k": "1"}}]"#;
    let scripts = with("", rest).scripts;
    assert_eq!(
        scripts
            .iter()
            .map(|script| (script.plugin.as_str(), script.rows.len()))
            .collect::<Vec<_>>(),
        [("D", 1), ("E", 0), ("F", 1)]
    );
}

#[test]
fn of_equal_plugin_names_the_last_counts() {
    let rest = r#", "plugin_results": [{"plugin": "A", "data": {"k": 1}}, {"plugin": "B"}, {"plugin": null, "data": {"a\u0000": [true]}}, {"plugin": "A", "data": {"k": 2}}]"#;
    let scripts = with("", rest).scripts;
    let rows: Vec<_> = scripts
        .iter()
        .flat_map(|script| {
            script
                .rows
                .iter()
                .map(|row| (row.key.as_str(), row.data.as_str()))
        })
        .collect();
    assert_eq!(rows, [("A: k", "2"), ("None: a", "[True]")]);
}

#[test]
fn ignored_facts_match_at_the_start_of_the_name() {
    let pattern = regex::Regex::new("ssh|os_").unwrap();
    let body = r#"{"Machine": {"extra_data": {"serial": "a"}, "facts": {"sshkey": 1, "my_ssh": 2, "os_x": 3}}, "Sal": {"extra_data": {"key": "k"}}}"#;
    let submission = read_without(body, Some(&pattern)).unwrap();
    assert_eq!(
        submission.sections[0].facts,
        [("my_ssh".to_owned(), "2".to_owned())]
    );
}

/// With 5 MiB of names, one check-in kept a core busy for minutes when each was looked for among all earlier ones;
/// the runner ends a test that takes that long.
#[test]
fn very_many_names_are_read_and_of_those_that_become_one_the_last_counts() {
    let scripts: Vec<String> = (0..30_000)
        .map(|n| format!(r#"{{"plugin": {n}, "data": {{}}}}"#))
        .collect();
    let many = with(
        "",
        &format!(r#", "plugin_results": [{}]"#, scripts.join(",")),
    );
    assert_eq!(many.scripts.len(), 30_000);
    let items: Vec<String> = (0..30_000)
        .map(|n| format!(r#""\u0000{n:x}": {{}}, "{n:x}": {{"status": "ERROR"}}"#))
        .collect();
    let many = with(
        "",
        &format!(r#", "Munki": {{"managed_items": {{{}}}}}"#, items.join(",")),
    );
    let munki = &many.sections[2];
    assert_eq!(munki.items.len(), 30_000);
    assert!(munki.items.iter().all(|item| item.state.status == "ERROR"));
}

proptest::proptest! {
    #[test]
    fn any_json_is_read_or_refused_and_always_fits(section in ".{0,30}", name in ".{0,300}", value in proptest::prelude::any::<f64>(), text_value in ".{0,300}") {
        let quoted = |text: &str| crate::python::dumps(&Value::Text(text.into()));
        let body = format!(
            r#"{{"Machine": {{"extra_data": {{"serial": "s", "hostname": {t}, "hd_space": {t}}}}}, "Sal": {{"extra_data": {{"key": "k"}}}}, {s}: {{"facts": {{{n}: {t}}}, "managed_items": {{{n}: {{"status": {t}, "date_managed": {t}, "data": {t}}}}}, "messages": [{{"message_type": {t}, "date": {t}}}]}}, "plugin_results": [{{"plugin": {n}, "data": {{{n}: {t}}}}}]}}"#,
            s = quoted(&section), n = quoted(&name), t = quoted(&text_value));
        if let Ok(submission) = read(&body) {
            let columns = &submission.machine.columns;
            proptest::prop_assert!(columns.hostname.as_ref().is_none_or(|name| name.chars().count() <= 256 && !name.contains('\0')));
            for section in &submission.sections {
                proptest::prop_assert!(section.items.iter().all(|item| item.state.status.chars().count() <= 7 && item.name.chars().count() <= 255));
                proptest::prop_assert!(section.facts.iter().all(|(name, data)| !name.contains('\0') && !data.contains('\0')));
            }
        }
        proptest::prop_assert!(!text(&Value::Float(value)).is_empty());
    }
}
