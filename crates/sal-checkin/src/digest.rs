//! What a submission holds, as a digest for each of its parts, so that a part that came before need not be compared.
//!
//! A part is one kind of rows of one source. Its digest covers everything that is stored of it. What is new at every
//! check-in by its nature (an item without a date, a fact whose every value is kept) makes the digest new too.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;
use sal_store::checkin::Wanted;
use sha2::{Digest, Sha256};

use crate::plan::{is_nearly_full, replaced};
use crate::submission::{Section, Submission};

/// Digests of all parts that are not empty: 64 bits each, since a machine's check-in is only ever compared with its own
/// last one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Digests(BTreeMap<PartId, [u8; 8]>);

/// Which part: the first bytes of the hash of its kind and its source.
type PartId = [u8; 8];

/// A kind of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Facts,
    Items,
    Messages,
    Scripts,
    /// The section itself: that the source exists.
    Source,
    /// Columns of the machine's row whose changes are kept.
    Machine,
}

impl Digests {
    /// Digests of a submission at `now`.
    pub(crate) fn of(
        submission: &Submission,
        now: Timestamp,
        historical_facts: &HashSet<String>,
    ) -> Self {
        let mut digests = Self::default();
        let undated = undated_messages(submission);
        let mixed = undated.is_some_and(|all| !all);
        for section in &submission.sections {
            let source = section.source.as_str();
            digests.add(Kind::Source, source, Content::default());
            if !section.facts.is_empty() {
                digests.add(Kind::Facts, source, facts(section, now, historical_facts));
            }
            if !section.items.is_empty() {
                digests.add(Kind::Items, source, items(section));
            }
            if !section.messages.is_empty() {
                digests.add(Kind::Messages, source, messages(section, now, mixed));
            }
        }
        digests.add(Kind::Machine, "", machine(submission));
        if !submission.scripts.is_empty() {
            digests.add(Kind::Scripts, "", scripts(submission, now));
        }
        digests
    }

    /// Reads what [`Digests::encode`] wrote; none when it cannot be that.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (parts, rest) = bytes.as_chunks::<16>();
        let part = |part: &[u8; 16]| {
            let (id, digest) = part.split_first_chunk::<8>()?;
            Some((*id, *digest.first_chunk::<8>()?))
        };
        rest.is_empty()
            .then(|| parts.iter().map(part).collect())
            .flatten()
            .map(Self)
    }

    /// All of it, in a fixed order.
    pub(crate) fn encode(&self) -> Vec<u8> {
        self.0
            .iter()
            .flat_map(|(id, digest)| id.iter().chain(digest))
            .copied()
            .collect()
    }

    /// What must be compared when the tables hold what `before` says; nothing is known without it.
    pub(crate) fn compare(&self, before: Option<&Self>, submission: &Submission) -> Wanted {
        let everything = || Wanted {
            everything: true,
            plugins: replaced(submission),
            ..Wanted::default()
        };
        let Some(before) = before else {
            return everything();
        };
        let mut rest: HashSet<&PartId> = before.0.keys().collect();
        let mut differs = |kind, source: &str| {
            let id = part_id(kind, source);
            rest.remove(&id);
            self.0.get(&id) != before.0.get(&id)
        };
        let mut wanted = Wanted::default();
        for section in &submission.sections {
            let source = section.source.as_str();
            differs(Kind::Source, source);
            if differs(Kind::Facts, source) {
                wanted.facts.push(source.to_owned());
            }
            if differs(Kind::Items, source) {
                wanted.items.push(source.to_owned());
            }
            wanted.messages |= differs(Kind::Messages, source);
        }
        if differs(Kind::Scripts, "") {
            wanted.plugins = replaced(submission);
        }
        // Nothing is read for it: the row is locked and read in any case.
        differs(Kind::Machine, "");
        // What is left is a source that the machine no longer sends, and its name is not known any more.
        if rest.is_empty() {
            wanted
        } else {
            everything()
        }
    }

    fn add(&mut self, kind: Kind, source: &str, content: Content) {
        self.0.insert(part_id(kind, source), content.digest());
    }
}

fn part_id(kind: Kind, source: &str) -> PartId {
    let letter = match kind {
        Kind::Facts => "f",
        Kind::Items => "i",
        Kind::Messages => "m",
        Kind::Scripts => "p",
        Kind::Source => "s",
        Kind::Machine => "h",
    };
    let hash = Sha256::new()
        .chain_update(letter)
        .chain_update(source)
        .finalize();
    hash.first_chunk().copied().unwrap_or_default()
}

/// What the machine says of itself, as far as its changes are kept (see [`crate::plan`]).
fn machine(submission: &Submission) -> Content {
    let columns = submission.columns(None, false);
    let mut content = Content::default();
    for text in [
        &columns.hostname,
        &columns.console_user,
        &columns.operating_system,
        &columns.machine_model,
        &columns.memory,
        &columns.sal_version,
        &columns.munki_version,
        &columns.manifest,
    ] {
        content.maybe(text.as_deref());
    }
    content.flag(submission.munki.is_some());
    content.flag(is_nearly_full(&columns).unwrap_or_default());
    content
}

fn facts(section: &Section, now: Timestamp, historical: &HashSet<String>) -> Content {
    let mut content = Content::default();
    for (name, data) in &section.facts {
        content.text(name);
        content.text(data);
        if historical.contains(name) {
            content.time(now);
        }
    }
    content
}

fn items(section: &Section) -> Content {
    let mut content = Content::default();
    for item in &section.items {
        content.text(&item.name);
        content.text(&item.state.status);
        content.time(item.state.date_managed);
        content.maybe(item.state.data.as_deref());
        content.flag(item.has_history);
    }
    content
}

/// Whether all messages are without a date of their own; none when none is.
pub(crate) fn undated_messages(submission: &Submission) -> Option<bool> {
    let mut messages = submission
        .sections
        .iter()
        .flat_map(|section| &section.messages);
    let all = messages.clone().all(|message| message.date.is_none());
    messages
        .any(|message| message.date.is_none())
        .then_some(all)
}

/// `mixed` messages, some with dates and some without, are compared each time: it takes a look at each to give the
/// time of the check-in to those without.
fn messages(section: &Section, now: Timestamp, mixed: bool) -> Content {
    let mut content = Content::default();
    if mixed {
        content.time(now);
    }
    for message in &section.messages {
        content.text(&message.kind);
        content.maybe(message.text.as_deref());
        content.flag(message.date.is_some());
        content.time(message.date.unwrap_or_default());
    }
    content
}

fn scripts(submission: &Submission, now: Timestamp) -> Content {
    let mut content = Content::default();
    for script in &submission.scripts {
        content.text(&script.plugin);
        content.flag(script.historical);
        if script.historical {
            content.time(now);
        }
        content.count(script.rows.len());
        for row in &script.rows {
            content.text(&row.name);
            content.text(&row.data);
        }
    }
    content
}

/// Values one after the other, each so that its end is known.
#[derive(Default)]
struct Content(Sha256);

impl Content {
    fn text(&mut self, text: &str) {
        self.count(text.len());
        self.0.update(text);
    }

    fn maybe(&mut self, text: Option<&str>) {
        self.flag(text.is_some());
        self.text(text.unwrap_or_default());
    }

    fn time(&mut self, time: Timestamp) {
        // Postgres keeps microseconds.
        self.0.update(time.as_microsecond().to_le_bytes());
    }

    fn flag(&mut self, flag: bool) {
        self.0.update([u8::from(flag)]);
    }

    fn count(&mut self, count: usize) {
        self.0.update(count.to_le_bytes());
    }

    fn digest(self) -> [u8; 8] {
        self.0.finalize().first_chunk().copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
