//! What became of the machine: columns of its row, messages that began or ended, items that are no longer managed.
//!
//! A machine's first check-in is one line. Its group is not here: whatever moves a machine notes that itself.

use std::collections::{BTreeMap, HashSet};

use jiff::{SignedDuration, Timestamp};
use sal_store::checkin::changes::{Changes, MachineColumns};
use sal_store::checkin::read::{Before, Present};
use sal_store::machine_changes::{ChangeKind, ChangeLine, NEARLY_FULL, SILENT_DAYS};

/// Adds the lines of everything else that is planned.
pub(super) fn plan(present: &Present, now: Timestamp, changes: &mut Changes) {
    let before = &present.before;
    let mut lines: Vec<ChangeLine> = arrival(before.last_checkin, now).into_iter().collect();
    if before.last_checkin.is_none() {
        changes.lines = lines;
        return;
    }
    if before.broken_client {
        lines.push(ChangeLine::new(
            ChangeKind::Broken,
            "",
            Some("broken"),
            None,
        ));
    }
    columns(present, &changes.machine.columns, &mut lines);
    messages(present, changes, &mut lines);
    items(present, changes, &mut lines);
    lines.truncate(MOST);
    changes.lines = lines;
}

/// That a machine is seen for the first time, or again after it was missing.
pub(crate) fn arrival(last: Option<Timestamp>, now: Timestamp) -> Option<ChangeLine> {
    let Some(last) = last else {
        return Some(ChangeLine::new(ChangeKind::Appeared, "", None, None));
    };
    let was_missing = now.duration_since(last) > SignedDuration::from_hours(24 * SILENT_DAYS);
    let last = last.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    was_missing.then(|| ChangeLine::new(ChangeKind::Returned, "", Some(&last), None))
}

fn columns(present: &Present, after: &MachineColumns, lines: &mut Vec<ChangeLine>) {
    let before = &present.before;
    let row = present.machine.as_ref();
    let munki = row.and_then(|row| row.munki_version.as_ref());
    let manifest = row.and_then(|row| row.manifest.as_ref());
    for (kind, was, became) in [
        (
            ChangeKind::Hostname,
            before.hostname.as_ref(),
            &after.hostname,
        ),
        (
            ChangeKind::User,
            before.console_user.as_ref(),
            &after.console_user,
        ),
        (
            ChangeKind::System,
            before.operating_system.as_ref(),
            &after.operating_system,
        ),
        (
            ChangeKind::Model,
            before.machine_model.as_ref(),
            &after.machine_model,
        ),
        (ChangeKind::Memory, before.memory.as_ref(), &after.memory),
        (
            ChangeKind::Client,
            before.sal_version.as_ref(),
            &after.sal_version,
        ),
        (ChangeKind::Munki, munki, &after.munki_version),
        (ChangeKind::Manifest, manifest, &after.manifest),
    ] {
        // An empty text says as little as none.
        let was = was.map(String::as_str).filter(|text| !text.is_empty());
        let became = became.as_deref().filter(|text| !text.is_empty());
        if was != became {
            lines.push(ChangeLine::new(kind, "", was, became));
        }
    }
    lines.extend(disk(before, after));
}

/// A disk that became nearly full, or is not any more. Nothing where either size is unknown.
fn disk(before: &Before, after: &MachineColumns) -> Option<ChangeLine> {
    let was = used_percent(before.hd_space, before.hd_total)?;
    let became = used_percent(after.hd_space, after.hd_total)?;
    let differs = (was >= NEARLY_FULL) != (became >= NEARLY_FULL);
    let words = |used: i64| format!("{used}% used");
    differs.then(|| {
        ChangeLine::new(
            ChangeKind::Disk,
            "",
            Some(&words(was)),
            Some(&words(became)),
        )
    })
}

/// Whether a disk is nearly full; none where its size is unknown.
pub(crate) fn is_nearly_full(columns: &MachineColumns) -> Option<bool> {
    used_percent(columns.hd_space, columns.hd_total).map(|used| used >= NEARLY_FULL)
}

/// How much of a disk is used, in whole percent.
fn used_percent(free: Option<i64>, total: Option<i64>) -> Option<i64> {
    let (free, total) = (i128::from(free?), i128::from(total?));
    if total <= 0 || !(0..=total).contains(&free) {
        return None;
    }
    i64::try_from((total - free) * 100 / total).ok()
}

/// Items that are no longer managed. One that is there under the name of another version, as `Firefox-145` for
/// `Firefox-144`, still is.
fn items(present: &Present, changes: &Changes, lines: &mut Vec<ChangeLine>) {
    if changes.items_gone.is_empty() {
        return;
    }
    let gone: HashSet<_> = changes.items_gone.iter().collect();
    let (left, stay): (Vec<_>, Vec<_>) = present
        .items
        .iter()
        .partition(|item| gone.contains(&item.id));
    let stay = stay.into_iter().map(|item| &item.name);
    let managed = changes.items_new.iter().map(|item| &item.name).chain(stay);
    let managed: HashSet<String> = managed.map(|name| without_numbers(name)).collect();
    for item in left {
        let name = without_numbers(&item.name);
        // A name of digits alone says nothing without them.
        if managed.contains(&name) && name.chars().any(char::is_alphabetic) {
            continue;
        }
        let status = Some(item.status.as_str());
        lines.push(ChangeLine::new(ChangeKind::Item, &item.name, status, None));
    }
}

/// Errors and warnings that began or ended. What another row says too goes on, and so does what differs in numbers only:
/// a text that counts seconds would else end and begin at every check-in.
fn messages(present: &Present, changes: &Changes, lines: &mut Vec<ChangeLine>) {
    if changes.messages_new.is_empty() && changes.messages_gone.is_empty() {
        return;
    }
    let gone: HashSet<i64> = changes.messages_gone.iter().copied().collect();
    let (mut before, mut after) = (BTreeMap::new(), BTreeMap::new());
    for row in &present.messages {
        let Some((key, text)) = told(&row.message_type, row.text.as_deref()) else {
            continue;
        };
        if !gone.contains(&row.id) {
            after.insert(key.clone(), text);
        }
        before.insert(key, text);
    }
    for new in &changes.messages_new {
        after.extend(told(&new.kind, new.text.as_deref()));
    }
    let line = |(kind, _): &(i16, String), text, was, became| {
        let kind = ChangeKind::of_number(*kind)?;
        Some(ChangeLine::new(kind, text, was, became))
    };
    let begun = after.iter().filter(|(key, _)| !before.contains_key(*key));
    lines.extend(begun.filter_map(|(key, text)| line(key, text, None, Some("reported"))));
    let ended = before.iter().filter(|(key, _)| !after.contains_key(*key));
    lines.extend(ended.filter_map(|(key, text)| line(key, text, Some("reported"), None)));
}

/// What tells an error or warning from others, and its text; none for other messages.
fn told<'a>(kind: &str, text: Option<&'a str>) -> Option<((i16, String), &'a str)> {
    let kind = match kind {
        "ERROR" => ChangeKind::Error,
        "WARNING" => ChangeKind::Warning,
        _ => return None,
    };
    let text = text.unwrap_or_default();
    Some(((kind.number(), without_numbers(text)), text))
}

/// A text with `#` for every number: a digit, and the digits and dots behind it.
fn without_numbers(text: &str) -> String {
    let mut is_in_number = false;
    let mut rest = String::with_capacity(text.len());
    for c in text.chars() {
        let was_in_number = is_in_number;
        is_in_number = c.is_ascii_digit() || was_in_number && c == '.';
        match (is_in_number, was_in_number) {
            (false, _) => rest.push(c),
            (true, false) => rest.push('#'),
            (true, true) => {}
        }
    }
    rest
}

/// The most lines of one check-in; a client whose messages all differ each time must not fill the table.
const MOST: usize = 100;
