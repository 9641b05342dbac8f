use super::*;
use crate::python;
use crate::submission::Context;

/// What must be compared when `before` is followed by `after`, as the kinds of parts.
fn compared(before: (&str, &str, &str), after: (&str, &str, &str)) -> Vec<Kind> {
    let (old, _) = digested(before.0, before.1, before.2);
    let (new, submission) = digested(after.0, after.1, after.2);
    let wanted = new.compare(Some(&old), &submission);
    assert!(!wanted.everything);
    [
        (!wanted.facts.is_empty(), Kind::Facts),
        (!wanted.items.is_empty(), Kind::Items),
        (wanted.messages, Kind::Messages),
        (!wanted.plugins.is_empty(), Kind::Scripts),
    ]
    .into_iter()
    .filter_map(|(is_wanted, kind)| is_wanted.then_some(kind))
    .collect()
}

fn digests(now: &str, munki: &str, scripts: &str) -> Digests {
    digested(now, munki, scripts).0
}

fn digested(now: &str, munki: &str, scripts: &str) -> (Digests, Submission) {
    let body = format!(
        r#"{{"Machine": {{"extra_data": {{"serial": "C02"}}}}, "Sal": {{"extra_data": {{"key": "k"}}}}, "Munki": {munki}, "plugin_results": {scripts}}}"#
    );
    let now = now.parse().unwrap();
    let context = Context {
        now,
        zone: &jiff::tz::TimeZone::UTC,
        ignore_facts: None,
    };
    let submission = Submission::read(&python::parse(&body).unwrap(), &context).unwrap();
    let digests = Digests::of(&submission, now, &HashSet::from(["kept".to_owned()]));
    (digests, submission)
}

const THEN: &str = "2026-01-02T03:04:05Z";
const LATER: &str = "2026-01-02T04:04:05Z";

#[test]
fn what_comes_again_later_has_the_same_digests() {
    let munki = r#"{"facts": {"a": 1}, "managed_items": {"x": {"status": "PRESENT", "date_managed": "2025-01-01"}},
                    "messages": [{"message_type": "ERROR", "text": "no date"}]}"#;
    let scripts = r#"[{"plugin": "Uptime", "data": {"days": 3}}]"#;
    let (then, later) = (
        digests(THEN, munki, scripts),
        digests(LATER, munki, scripts),
    );
    assert_eq!(then, later);
    assert_eq!(Digests::decode(&then.encode()), Some(then));
}

#[test]
fn what_is_new_by_its_nature_is_compared_each_time() {
    let mixed = r#"{"messages": [{"message_type": "ERROR", "text": "no date"},
                                 {"message_type": "ERROR", "text": "dated", "date": "2025-01-01"}]}"#;
    let replaced =
        r#"[{"plugin": "P", "data": {}}, {"plugin": "H", "historical": true, "data": {}}]"#;
    for (munki, scripts, kind) in [
        (r#"{"managed_items": {"undated": {}}}"#, "[]", Kind::Items),
        (r#"{"facts": {"kept": 1}}"#, "[]", Kind::Facts),
        (mixed, "[]", Kind::Messages),
        ("{}", replaced, Kind::Scripts),
    ] {
        assert_eq!(
            compared((THEN, munki, scripts), (LATER, munki, scripts)),
            [kind]
        );
        assert_eq!(compared((THEN, munki, scripts), (THEN, munki, scripts)), []);
    }
}

#[test]
fn every_value_counts_and_only_in_its_part() {
    let base = r#"{"facts": {"a": "1"}, "managed_items": {"x": {"status": "PRESENT", "date_managed": "2025-01-01", "data": {"v": 1}}}}"#;
    let items = base.strip_prefix(r#"{"facts": {"a": "1"}, "#).unwrap();
    for facts in [
        r#""facts": {"a": "2"}"#,
        r#""facts": {"b": "1"}"#,
        r#""facts": {"a": "1", "c": ""}"#,
        r#""facts": {}"#,
    ] {
        let after = format!("{{{facts}, {items}");
        assert_eq!(
            compared((THEN, base, "[]"), (THEN, &after, "[]")),
            [Kind::Facts],
            "{facts}"
        );
    }
    for other in [
        r#"{"status": "PENDING", "date_managed": "2025-01-01", "data": {"v": 1}}"#,
        r#"{"status": "PRESENT", "date_managed": "2025-01-02", "data": {"v": 1}}"#,
        r#"{"status": "PRESENT", "date_managed": "2025-01-01", "data": {"v": 2}}"#,
        r#"{"status": "PRESENT", "date_managed": "2025-01-01"}"#,
    ] {
        let after = format!(r#"{{"facts": {{"a": "1"}}, "managed_items": {{"x": {other}}}}}"#);
        assert_eq!(
            compared((THEN, base, "[]"), (THEN, &after, "[]")),
            [Kind::Items],
            "{other}"
        );
    }
    let messages = [
        r#"{"text": "a"}"#,
        r#"{"text": "b"}"#,
        r#"{"text": "a", "date": "2025-01-01"}"#,
    ];
    for (before, after) in [(0, 1), (0, 2), (2, 0)] {
        let munki = |place: usize| format!(r#"{{"messages": [{}]}}"#, messages[place]);
        assert_eq!(
            compared((THEN, &munki(before), "[]"), (THEN, &munki(after), "[]")),
            [Kind::Messages]
        );
    }
    let script = |data| format!(r#"[{{"plugin": "P", "data": {{"a": {data}}}}}]"#);
    assert_eq!(
        compared((THEN, "{}", &script(1)), (THEN, "{}", &script(2))),
        [Kind::Scripts]
    );
}

#[test]
fn a_source_that_is_no_longer_sent_makes_everything_be_compared() {
    let body = |sections: &str| {
        format!(
            r#"{{"Machine": {{"extra_data": {{"serial": "C02"}}}}, "Sal": {{"extra_data": {{"key": "k"}}}}{sections}}}"#
        )
    };
    let read = |sections: &str| {
        let context = Context {
            now: Timestamp::UNIX_EPOCH,
            zone: &jiff::tz::TimeZone::UTC,
            ignore_facts: None,
        };
        let submission =
            Submission::read(&python::parse(&body(sections)).unwrap(), &context).unwrap();
        (
            Digests::of(&submission, Timestamp::UNIX_EPOCH, &HashSet::new()),
            submission,
        )
    };
    let (with, _) = read(r#", "Puppet": {"facts": {"a": 1}}"#);
    let (without, submission) = read("");
    assert!(without.compare(Some(&with), &submission).everything);
    assert!(without.compare(None, &submission).everything);
    assert_eq!(Digests::decode(&[0; 17]), None);
    assert_eq!(Digests::decode(&[]), Some(Digests::default()));
}
