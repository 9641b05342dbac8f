//! Messages have no key: equal ones are paired off, so that duplicates stay duplicates.

use std::collections::HashMap;

use sal_store::checkin::changes::{Changes, MessageUpdate, NewMessage};
use sal_store::checkin::read::{MessageRow, Present};
use sal_store::ids::SourceId;

use super::{Rules, sections};
use crate::digest::undated_messages;
use crate::submission::Submission;

/// Source, type, text.
type Key<'a> = (Option<SourceId>, &'a str, Option<&'a str>);

/// Plans messages. One without a date of its own gets the time of this check-in, as in the original.
pub(super) fn plan(
    present: &Present,
    submission: &Submission,
    rules: &Rules<'_>,
    changes: &mut Changes,
) {
    if !rules.wanted.everything && !rules.wanted.messages {
        changes.touch_messages = undated_messages(submission) == Some(true);
        return;
    }
    let mut there: HashMap<Key<'_>, Vec<&MessageRow>> = HashMap::new();
    for row in &present.messages {
        let key = (
            row.management_source_id,
            row.message_type.as_str(),
            row.text.as_deref(),
        );
        there.entry(key).or_default().push(row);
    }
    for (source, section) in sections(submission, rules) {
        for message in &section.messages {
            let date = message.date.unwrap_or(rules.now);
            let key = (Some(source), message.kind.as_str(), message.text.as_deref());
            match there.get_mut(&key).and_then(Vec::pop) {
                Some(row) if row.date.as_microsecond() == date.as_microsecond() => {}
                Some(row) => changes
                    .messages_changed
                    .push(MessageUpdate { id: row.id, date }),
                None => {
                    let (kind, text) = (message.kind.clone(), message.text.clone());
                    changes.messages_new.push(NewMessage {
                        source,
                        kind,
                        text,
                        date,
                    });
                }
            }
        }
    }
    changes
        .messages_gone
        .extend(there.into_values().flatten().map(|row| row.id));
}
