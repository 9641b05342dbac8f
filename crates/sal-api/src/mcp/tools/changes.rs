//! `what_changed`: what happened to one machine.
//!
//! Of one machine only: what tells of the whole fleet is the list of its present rows, and nobody noted when each of them
//! became what it is.

use sal_store::device::timeline::device_timeline;
use serde_json::{Value as Json, json};

use super::{
    Asking, Failure, Refusal, Tool, Which, limit_argument,
    listing::{self, Room},
    notes, object, rows, strict, text,
};
use crate::mcp::arguments::{Arguments, MOST_ROWS};

pub(super) const TOOL: Tool = Tool {
    which: Which::Changes,
    name: "what_changed",
    title: "What changed on a machine",
    about: "Lists what happened to one machine, the newest first: managed items whose status changed, former values of facts \
        whose history is kept, its first check-in, and what people changed. For the whole fleet, search_machines with \
        `first_checkin within 7d` finds machines that are new.",
    arguments: &["serial", "since", "kind", "limit"],
    input: || {
        strict(
            json!({
                "serial": text("The serial number."),
                "since": text("Since when: an age such as `7d`, or a time such as 2026-01-31T09:30:00Z. Without it, as far as is known."),
                "kind": { "type": "string", "enum": KINDS, "description": "Only this kind of event." },
                "limit": limit_argument(USUAL),
            }),
            &["serial"],
        )
    },
    output: || {
        object(
            json!({ "events": rows("When, what kind, who or which source, what, and its new state."), "notes": notes() }),
            &["events", "notes"],
        )
    },
};

pub(super) async fn run(arguments: &Arguments, asking: &Asking<'_>) -> Result<Json, Failure> {
    let serial = arguments.needed("serial")?;
    let since = arguments.since(asking.app.now())?;
    let kind = arguments.text("kind")?;
    if kind.is_some_and(|kind| !KINDS.contains(&kind)) {
        let why = format!("`kind` is one of: {}.", KINDS.join(", "));
        return Err(Refusal::new(why).into());
    }
    let limit = arguments.limit(USUAL)?;
    let id = asking.known_machine(serial).await?;
    let (scope, db) = (asking.scope(), asking.db);
    let kind = kind.map(str::to_owned);
    // One more than is shown tells whether there are more.
    let most = i64::from(limit) + 1;
    let events = device_timeline(db, &id, scope, &None, &kind, &most).await?;
    let events = events.iter();
    let events = events.filter(|event| since.is_none_or(|since| event.at >= since));
    let events: Vec<Json> = events
        .map(|event| {
            json!({
                "at": listing::time(event.at, asking.app),
                "kind": event.kind,
                "who": listing::short(&event.who),
                "what": listing::short(&event.what),
                "detail": listing::short(&event.detail),
            })
        })
        .collect();
    let mut room = Room::new();
    let has_more = events.len() > usize::from(limit);
    let events = events.into_iter().take(usize::from(limit)).collect();
    let events = room.take("events", events, MOST_ROWS, "Choose a `kind`.");
    if has_more {
        room.note(format!(
            "There are more events than the {limit} of `limit`. Say `since` or a `kind`, or raise `limit` up to 100."
        ));
    }
    Ok(json!({ "events": events, "notes": room.notes() }))
}

const KINDS: [&str; 4] = ["items", "facts", "checkins", "changes"];
const USUAL: u16 = 50;
