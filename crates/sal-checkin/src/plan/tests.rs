//! The comparison, case by case: what is equal costs nothing, what differs is planned once.

use sal_store::checkin::read::Before;
use sal_store::checkin::read::{ItemRow, MachineRow, MessageRow, ScriptRow};
use sal_store::ids::{GroupId, MachineId};
use sal_store::machine_changes::{ChangeKind, ChangeLine};
use sal_store::sources::Source;

use super::*;
use crate::python;
use crate::submission::Context;

const NOW: &str = "2026-01-02T03:04:05Z";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn source() -> SourceId {
    SourceId(Uuid::from_u128(7))
}

fn read(munki: &str, scripts: &str) -> Submission {
    let body = format!(
        r#"{{"Machine": {{"extra_data": {{"serial": "C02"}}}}, "Sal": {{"extra_data": {{"key": "k"}}}}, "Munki": {munki}, "plugin_results": {scripts}}}"#
    );
    let context = Context {
        now: now(),
        zone: &jiff::tz::TimeZone::UTC,
        ignore_facts: None,
    };
    Submission::read(&python::parse(&body).unwrap(), &context).unwrap()
}

fn nothing() -> Present {
    Present {
        sources: vec![Source {
            id: source(),
            name: "Munki".to_owned(),
        }],
        ..Present::default()
    }
}

fn known_machine() -> MachineRow {
    MachineRow {
        machine_group_id: GroupId(1),
        id: MachineId(5),
        version: None,
        munki_version: Some("6.0".to_owned()),
        manifest: Some("site".to_owned()),
        deployed: false,
    }
}

fn planned(present: &Present, submission: &Submission) -> Changes {
    let everything = Wanted {
        everything: true,
        ..Wanted::default()
    };
    planned_in_part(present, submission, &everything)
}

fn planned_in_part(present: &Present, submission: &Submission, wanted: &Wanted) -> Changes {
    let sources = HashMap::from([("Munki".to_owned(), source())]);
    let historical_facts = HashSet::from(["kept".to_owned()]);
    let rules = Rules {
        now: now(),
        group: GroupId(1),
        sources: &sources,
        deploy: false,
        historical_facts: &historical_facts,
        wanted,
    };
    let mut next = 0;
    plan(present, submission, &rules, &mut || {
        next += 1;
        Uuid::from_u128(next)
    })
}

fn fact(id: i64, source: Option<SourceId>, name: &str, data: &str) -> FactRow {
    FactRow {
        id,
        management_source_id: source,
        fact_name: name.to_owned(),
        fact_data: data.to_owned(),
    }
}

#[test]
fn facts_that_are_equal_cost_nothing_and_the_rest_is_planned_once() {
    let mut present = nothing();
    present.facts = vec![
        fact(1, Some(source()), "same", "1"),
        fact(2, Some(source()), "changed", "1"),
        fact(3, Some(source()), "gone", "1"),
        fact(4, None, "legacy", "1"),
        fact(5, Some(source()), "same", "1"),
    ];
    let changes = planned(
        &present,
        &read(
            r#"{"facts": {"same": 1, "changed": "2", "kept": true}}"#,
            "[]",
        ),
    );
    let mut gone = changes.facts_gone.clone();
    gone.sort_unstable();
    assert_eq!(gone, [1, 3, 4]);
    assert_eq!(
        changes.facts_changed,
        [RowUpdate {
            id: 2,
            data: "2".to_owned()
        }]
    );
    assert_eq!(
        changes
            .facts_new
            .iter()
            .map(|fact| fact.data.as_str())
            .collect::<Vec<_>>(),
        ["True"]
    );
    assert_eq!(changes.facts_kept.len(), 1);
}

#[test]
fn lines_of_history_are_asked_for_items_with_a_new_status_or_all_when_all_is_compared() {
    let mut present = nothing();
    let at: Timestamp = "2025-03-01T08:00:00Z".parse().unwrap();
    let item = |id, name: &str, status: &str| ItemRow {
        id: Uuid::from_u128(id),
        management_source_id: source(),
        name: name.to_owned(),
        status: status.to_owned(),
        date_managed: at,
        data: None,
    };
    present.items = vec![
        item(100, "same", "PRESENT"),
        item(101, "moved", "PENDING"),
        item(102, "gone", "PRESENT"),
    ];
    let munki = r#"{"managed_items": {
        "same": {"status": "PRESENT", "date_managed": "2025-03-01 08:00:00"},
        "moved": {"status": "PRESENT", "date_managed": "2025-03-02 08:00:00"},
        "new": {"status": "PRESENT", "date_managed": "2025-03-01 08:00:00", "data": {"a": 1}},
        "unsaid": {"status": "MUCHTOOLONG"}}}"#;
    let names = |changes: &Changes| -> Vec<String> {
        changes
            .histories
            .iter()
            .map(|line| line.name.clone())
            .collect()
    };
    let all = planned(&present, &read(munki, "[]"));
    assert_eq!(names(&all), ["same", "moved", "new"]);
    let items = Wanted {
        items: vec!["Munki".to_owned()],
        ..Wanted::default()
    };
    let changes = planned_in_part(&present, &read(munki, "[]"), &items);
    assert_eq!(changes.items_gone, [Uuid::from_u128(102)]);
    assert_eq!(
        changes
            .items_changed
            .iter()
            .map(|item| item.id.as_u128())
            .collect::<Vec<_>>(),
        [101]
    );
    assert_eq!(
        changes
            .items_new
            .iter()
            .map(|item| item.name.as_str())
            .collect::<Vec<_>>(),
        ["new", "unsaid"]
    );
    assert_eq!(names(&changes), ["moved", "new"]);
}

#[test]
fn messages_are_paired_off_so_that_duplicates_stay() {
    let mut present = nothing();
    let row = |id, text: &str| MessageRow {
        id,
        management_source_id: Some(source()),
        message_type: "ERROR".to_owned(),
        text: Some(text.to_owned()),
        date: "2025-03-01T08:00:00Z".parse().unwrap(),
    };
    present.messages = vec![row(1, "twice"), row(2, "gone")];
    let munki = r#"{"messages": [{"message_type": "ERROR", "text": "twice"}, {"message_type": "ERROR", "text": "twice"}]}"#;
    let changes = planned(&present, &read(munki, "[]"));
    assert_eq!(
        changes.messages_changed,
        [sal_store::checkin::changes::MessageUpdate { id: 1, date: now() }]
    );
    assert_eq!(changes.messages_new.len(), 1);
    assert_eq!(changes.messages_gone, [2]);
}

#[test]
fn script_results_are_brought_up_to_date_and_histories_are_added_to() {
    let mut present = nothing();
    let row = |submission_id, row_id, name: &str, historical| ScriptRow {
        submission_id,
        recorded: now(),
        plugin: "Uptime".to_owned(),
        historical,
        row_id: Some(row_id),
        name: Some(name.to_owned()),
        data: Some("1".to_owned()),
    };
    present.scripts = vec![
        row(9, 1, "same", false),
        row(9, 2, "changed", false),
        row(9, 3, "gone", false),
        row(8, 4, "same", false),
    ];
    let scripts = r#"[{"plugin": "Uptime", "data": {"same": 1, "changed": 2, "new": 3}}, {"plugin": "Kept", "historical": true, "data": {"a": 1}}]"#;
    let changes = planned(&present, &read("{}", scripts));
    assert_eq!(changes.plugins_touched, ["Uptime"]);
    assert_eq!(changes.scripts_gone, [8]);
    assert_eq!(changes.rows_gone, [3]);
    assert_eq!(
        changes.rows_changed,
        [RowUpdate {
            id: 2,
            data: "2".to_owned()
        }]
    );
    assert_eq!(
        changes
            .rows_new
            .iter()
            .map(|(id, row)| (*id, row.key.as_str()))
            .collect::<Vec<_>>(),
        [(9, "Uptime: new")]
    );
    assert_eq!(
        changes
            .scripts_new
            .iter()
            .map(|script| script.plugin.as_str())
            .collect::<Vec<_>>(),
        ["Kept"]
    );
}

#[test]
fn munki_columns_stay_when_the_body_has_no_munki_section() {
    let mut present = nothing();
    present.machine = Some(known_machine());
    let body =
        r#"{"Machine": {"extra_data": {"serial": "C02"}}, "Sal": {"extra_data": {"key": "k"}}}"#;
    let context = Context {
        now: now(),
        zone: &jiff::tz::TimeZone::UTC,
        ignore_facts: None,
    };
    let without = Submission::read(&python::parse(body).unwrap(), &context).unwrap();
    let columns = planned(&present, &without).machine.columns;
    assert_eq!(
        (
            columns.munki_version.as_deref(),
            columns.manifest.as_deref()
        ),
        (Some("6.0"), Some("site"))
    );
    assert!(!columns.deployed);
    let with = planned(&present, &read("{}", "[]")).machine.columns;
    assert_eq!((with.munki_version, with.manifest), (None, None));
    assert!(planned(&nothing(), &without).machine.columns.deployed);
}

#[test]
fn parts_that_came_before_are_left_alone_but_get_their_times() {
    let munki = r#"{"facts": {"a": 1}, "managed_items": {"x": {"status": "PRESENT", "date_managed": "2025-01-01"}},
                    "messages": [{"text": "no date", "message_type": "ERROR"}]}"#;
    let scripts = r#"[{"plugin": "Uptime", "data": {"days": 3}}]"#;
    let changes = planned_in_part(&nothing(), &read(munki, scripts), &Wanted::default());
    let mut expected = Changes::only(changes.machine.clone());
    expected.plugins_touched = vec!["Uptime".to_owned()];
    expected.touch_messages = true;
    expected.lines = vec![ChangeLine::new(ChangeKind::Appeared, "", None, None)];
    assert_eq!(changes, expected);
    let dated =
        r#"{"messages": [{"text": "dated", "message_type": "ERROR", "date": "2025-01-01"}]}"#;
    assert!(!planned_in_part(&nothing(), &read(dated, "[]"), &Wanted::default()).touch_messages);
}

fn machine(extra: &str, munki: &str) -> Submission {
    let body = format!(
        r#"{{"Machine": {{"extra_data": {{"serial": "C02", "hostname": "mac", "operating_system": "15.1", {extra}}}}},
            "Sal": {{"extra_data": {{"key": "k", "sal_version": "5"}}}}, "Munki": {munki}}}"#
    );
    let context = Context {
        now: now(),
        zone: &jiff::tz::TimeZone::UTC,
        ignore_facts: None,
    };
    Submission::read(&python::parse(&body).unwrap(), &context).unwrap()
}

/// What is there after this was sent, an hour ago.
fn after(submission: &Submission) -> Present {
    let columns = submission.columns(None, true);
    let machine = MachineRow {
        munki_version: columns.munki_version,
        manifest: columns.manifest,
        ..known_machine()
    };
    Present {
        machine: Some(machine),
        before: Before {
            hostname: columns.hostname,
            console_user: columns.console_user,
            operating_system: columns.operating_system,
            last_checkin: Some(now() - jiff::SignedDuration::from_hours(1)),
            broken_client: false,
            machine_model: columns.machine_model,
            memory: columns.memory,
            sal_version: columns.sal_version,
            hd_space: columns.hd_space,
            hd_total: columns.hd_total,
        },
        ..nothing()
    }
}

fn lines(present: &Present, submission: &Submission) -> Vec<String> {
    let lines = planned(present, submission).lines;
    let text = |line: &ChangeLine| {
        let (was, became) = (line.was.as_deref(), line.became.as_deref());
        let words = [
            line.kind.word(),
            &line.name,
            was.unwrap_or("-"),
            became.unwrap_or("-"),
        ];
        words.join("|")
    };
    lines.iter().map(text).collect()
}

#[test]
fn what_a_machine_says_of_itself_is_noted_where_it_is_another() {
    let munki = r#"{"extra_data": {"munki_version": "6.1", "manifest": "site"}}"#;
    let first = machine(
        r#""console_user": "ada", "hd_total": 1000, "hd_space": 200"#,
        munki,
    );
    assert_eq!(lines(&after(&first), &first), [""; 0]);
    assert_eq!(lines(&nothing(), &first), ["appeared||-|-"]);
    let munki = r#"{"extra_data": {"munki_version": "6.2", "manifest": "site"}}"#;
    let second = machine(r#""hd_total": 1000, "hd_space": 50"#, munki);
    let wanted = ["user||ada|-", "munki||6.1|6.2", "disk||80% used|95% used"];
    assert_eq!(lines(&after(&first), &second), wanted);
    let mut back = after(&first);
    back.before.broken_client = true;
    back.before.last_checkin = Some("2025-11-01T00:00:00Z".parse().unwrap());
    let wanted = ["returned||2025-11-01T00:00:00Z|-", "broken||broken|-"];
    assert_eq!(lines(&back, &first), wanted);
}

#[test]
fn errors_begin_and_end_once_however_often_they_are_listed() {
    let row = |id, kind: &str, text: &str| MessageRow {
        id,
        management_source_id: Some(source()),
        message_type: kind.to_owned(),
        text: Some(text.to_owned()),
        date: now(),
    };
    let munki = r#"{"messages": [{"message_type": "ERROR", "text": "stays"}, {"message_type": "ERROR", "text": "new"},
        {"message_type": "ERROR", "text": "new"}, {"message_type": "DEBUG", "text": "quiet"}]}"#;
    let sent = machine(r#""console_user": "ada""#, munki);
    let mut present = after(&sent);
    let munki = munki.replace("stays", "stays after 12 s");
    let sent = machine(r#""console_user": "ada""#, &munki);
    present.messages = vec![
        row(1, "ERROR", "stays after 7 s"),
        row(2, "ERROR", "stays after 8 s"),
        row(3, "WARNING", "ends"),
        row(4, "OTHER", "quiet too"),
    ];
    let wanted = ["error|new|-|reported", "warning|ends|reported|-"];
    assert_eq!(lines(&present, &sent), wanted);
}

#[test]
fn an_item_that_comes_under_another_version_is_still_managed() {
    let sent = machine(
        r#""console_user": "ada""#,
        r#"{"managed_items": {"Firefox-145.0": {"status": "PENDING", "date_managed": "2025-03-01"}}}"#,
    );
    let mut present = after(&sent);
    let item = |id, name: &str| ItemRow {
        id: Uuid::from_u128(id),
        management_source_id: source(),
        name: name.to_owned(),
        status: "PRESENT".to_owned(),
        date_managed: now(),
        data: None,
    };
    present.items = vec![
        item(1, "Firefox-144.0"),
        item(2, "Zoom 6.5"),
        item(3, "1Word"),
    ];
    let wanted = ["item|Zoom 6.5|PRESENT|-", "item|1Word|PRESENT|-"];
    assert_eq!(lines(&present, &sent), wanted);
    // The other version was there already.
    present.items = vec![item(1, "Firefox-144.0"), item(2, "Firefox-145.0")];
    assert_eq!(lines(&present, &sent), [""; 0]);
    // Digits alone are no name that versions share.
    present.items = vec![item(1, "2019"), item(2, "Firefox-145.0")];
    assert_eq!(lines(&present, &sent), ["item|2019|PRESENT|-"]);
}

#[test]
fn errors_of_two_packages_are_two_errors() {
    let sent = machine(
        r#""console_user": "ada""#,
        r#"{"messages": [{"message_type": "ERROR", "text": "Failed to install Office16.pkg"}]}"#,
    );
    let mut present = after(&sent);
    present.messages = vec![MessageRow {
        id: 1,
        management_source_id: Some(source()),
        message_type: "ERROR".to_owned(),
        text: Some("Failed to install Firefox128.pkg".to_owned()),
        date: now(),
    }];
    let wanted = [
        "error|Failed to install Office16.pkg|-|reported",
        "error|Failed to install Firefox128.pkg|reported|-",
    ];
    assert_eq!(lines(&present, &sent), wanted);
}
