//! What Sal's tables take, column by column.
//!
//! The lengths are written down here a second time, from `schema/sal-4.sql`, because a check must not share its
//! ruler with what it checks.

use std::collections::HashSet;
use std::hash::Hash;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use sal_checkin::submission::{ScriptResult, Section, Submission};

/// Panics, naming the column, when the database could not store the submission.
pub(super) fn every_text_fits_its_column(submission: &Submission) {
    fits("machine.serial", &submission.serial, 100);
    assert!(
        !submission.serial.contains(['+', '/']),
        "VMware's junk in a serial"
    );
    fits("machinegroup.key", &submission.group_key, usize::MAX);
    machine(submission);
    assert!(submission.warnings.len() <= 50, "warnings without end");
    let mut sources = HashSet::new();
    for section in &submission.sections {
        once("source", &mut sources, section.source.as_str());
        check_section(section);
    }
    let mut plugins = HashSet::new();
    for script in &submission.scripts {
        once("plugin", &mut plugins, script.plugin.as_str());
        check_script(script);
    }
}

fn machine(submission: &Submission) {
    let columns = submission.columns(None, true);
    let texts = [
        ("hostname", &columns.hostname, 256),
        ("operating_system", &columns.operating_system, 256),
        ("memory", &columns.memory, 256),
        ("hd_percent", &columns.hd_percent, 256),
        ("console_user", &columns.console_user, 256),
        ("machine_model", &columns.machine_model, 256),
        (
            "machine_model_friendly",
            &columns.machine_model_friendly,
            256,
        ),
        ("cpu_type", &columns.cpu_type, 256),
        ("cpu_speed", &columns.cpu_speed, 256),
        ("munki_version", &columns.munki_version, 256),
        ("manifest", &columns.manifest, 256),
        ("sal_version", &columns.sal_version, 255),
    ];
    for (column, text, length) in texts {
        fits(column, text.as_deref().unwrap_or_default(), length);
    }
    fits("os_family", &columns.os_family, 256);
}

fn check_section(section: &Section) {
    fits("managementsource.name", &section.source, 255);
    let mut names = HashSet::new();
    for (name, data) in &section.facts {
        once("fact", &mut names, name.as_str());
        fits("fact.fact_name", name, usize::MAX);
        fits("fact.fact_data", data, usize::MAX);
    }
    let mut names = HashSet::new();
    for item in &section.items {
        once("managed item", &mut names, item.name.as_str());
        fits("manageditem.name", &item.name, 255);
        fits("manageditem.status", &item.state.status, 7);
        fits(
            "manageditem.data",
            item.state.data.as_deref().unwrap_or_default(),
            usize::MAX,
        );
        is_a_date_everywhere("manageditem.date_managed", item.state.date_managed);
    }
    for message in &section.messages {
        fits("message.message_type", &message.kind, 7);
        fits(
            "message.text",
            message.text.as_deref().unwrap_or_default(),
            usize::MAX,
        );
        if let Some(date) = message.date {
            is_a_date_everywhere("message.date", date);
        }
    }
}

fn check_script(script: &ScriptResult) {
    fits("pluginscriptsubmission.plugin", &script.plugin, 255);
    let mut names = HashSet::new();
    for row in &script.rows {
        once("row", &mut names, row.name.as_str());
        fits("pluginscriptrow.pluginscript_name", &row.name, usize::MAX);
        fits("pluginscriptrow.pluginscript_data", &row.data, usize::MAX);
        assert_eq!(row.key, format!("{}: {}", script.plugin, row.name));
    }
}

fn fits(column: &str, text: &str, length: usize) {
    let found = text.chars().count();
    assert!(
        found <= length,
        "{column}: {found} characters where {length} fit"
    );
    assert!(!text.contains('\0'), "{column}: a NUL character");
}

/// Postgres takes the years from 4713 BC on, Python (and so Django, on the same table) those from 1 on.
fn is_a_date_everywhere(column: &str, date: Timestamp) {
    let year = date.to_zoned(TimeZone::UTC).year();
    assert!((1..=9999).contains(&year), "{column}: the year {year}");
}

fn once<T: Hash + Eq + std::fmt::Debug + Copy>(what: &str, seen: &mut HashSet<T>, name: T) {
    assert!(seen.insert(name), "{what} {name:?} twice");
}
