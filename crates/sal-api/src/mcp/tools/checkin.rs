//! `explain_checkin`: why a machine does or does not check in, from its row and from the journal of refused check-ins.

use jiff::Timestamp;
use sal_store::{
    device::device_by_id,
    journal::{Event, events, last_checkin},
    scope::Scope,
};
use serde_json::{Value as Json, json};

use super::{
    Asking, Failure, Tool, Which,
    listing::{self, Room},
    no_machine, notes, object, rows, strict, text,
};
use crate::mcp::arguments::{Arguments, MOST_ROWS};

pub(super) const TOOL: Tool = Tool {
    which: Which::Checkin,
    name: "explain_checkin",
    title: "Explain check-ins",
    about: "Says when a machine last checked in, and which of its check-ins were refused, failed or were unusual, with the reasons. \
        Also for machines that never checked in, where the token is for all business units.",
    arguments: &["serial"],
    input: || strict(json!({ "serial": text("The serial number.") }), &["serial"]),
    output: || {
        object(
            json!({
                "summary": text("What it comes to."),
                "last_checkin": { "type": ["object", "null"], "description": "The last one that was taken." },
                "events": rows("What did not go as usual, the newest first; equal ones are one that counts."),
                "notes": notes(),
            }),
            &["summary", "last_checkin", "events", "notes"],
        )
    },
};

pub(super) async fn run(arguments: &Arguments, asking: &Asking<'_>) -> Result<Json, Failure> {
    let serial = arguments.needed("serial")?;
    let (scope, db, app) = (asking.scope(), asking.db, asking.app);
    let device = match asking.machine(serial).await? {
        Some(id) => device_by_id(db, id, scope).await?,
        None => None,
    };
    let upper = serial.to_uppercase();
    // The journal knows no units. It tells of whoever has the serial number that machines have who check in.
    let is_own = device
        .as_ref()
        .is_some_and(|device| device.machine.serial == upper);
    if device.is_none() && *scope != Scope::All {
        return Err(no_machine(serial).into());
    }
    let found = match is_own || *scope == Scope::All {
        true => events(db, &Some(upper.clone()), &i64::from(MOST_EVENTS)).await?,
        false => Vec::new(),
    };
    let last = match is_own {
        true => last_checkin(db, &upper).await?.into_iter().next(),
        false => None,
    };
    let seen = device
        .as_ref()
        .and_then(|device| device.machine.last_checkin);
    let mut room = Room::new();
    if app.config.journal_rows == 0 {
        room.note("This server keeps no journal of check-ins (SAL_JOURNAL_ROWS is 0).".to_owned());
    }
    let summary = summary(device.is_some(), seen, &found, app.now());
    let last = device.map(|device| {
        json!({
            "at": seen.map(|at| listing::time(at, app)),
            "taken_by_this_server_at": last.as_ref().and_then(|last| last.taken_here).map(|at| listing::time(at, app)),
            "address": last.as_ref().and_then(|last| last.address.clone()),
            "client": last.as_ref().and_then(|last| last.client.clone()),
            "body_bytes": last.as_ref().and_then(|last| last.body_bytes),
            "group": device.group_name,
            "unit": device.unit_name,
            "says_it_is_broken": device.machine.broken_client,
        })
    });
    let found = found.iter().map(|event| {
        json!({
            "outcome": event.outcome,
            "route": event.route,
            "reason": listing::short(&event.reason),
            "times": event.times,
            "first": listing::time(event.first_at, app),
            "last": listing::time(event.last_at, app),
            "address": event.address,
            "client": listing::short(&event.client),
        })
    });
    let found = room.take("events", found.collect(), MOST_ROWS, "The newest are here.");
    Ok(json!({ "summary": summary, "last_checkin": last, "events": found, "notes": room.notes() }))
}

/// What it comes to. Pure.
fn summary(is_known: bool, seen: Option<Timestamp>, events: &[Event], now: Timestamp) -> String {
    let refused = events
        .iter()
        .find(|event| matches!(event.outcome.as_str(), "refused" | "failed"));
    let since = |event: &&Event| seen.is_none_or(|seen| event.last_at > seen);
    let trouble = refused.filter(since).map(|event| {
        format!(
            " The last request, {}, was {}: {}.",
            ago(event.last_at, now),
            event.outcome,
            event.reason.trim_end_matches('.')
        )
    });
    let state = match (is_known, seen) {
        (_, Some(seen)) => format!("It last checked in {}.", ago(seen, now)),
        (true, None) => "It is known and never checked in.".to_owned(),
        (false, None) => "This server knows no machine with this serial number.".to_owned(),
    };
    let rest = match (trouble, seen) {
        (Some(trouble), _) => trouble,
        (None, Some(_)) => " Nothing was refused since.".to_owned(),
        (None, None) => " No request of it is in the journal: either none arrived, or it is too long ago. See whether the client's \
            ServerURL is this server's address and whether the network lets it through."
            .to_owned(),
    };
    format!("{state}{rest}")
}

fn ago(at: Timestamp, now: Timestamp) -> String {
    let minutes = now.duration_since(at).as_mins().max(0);
    match minutes {
        0..=1 => "just now".to_owned(),
        2..=119 => format!("{minutes} minutes ago"),
        120..=2_879 => format!("{} hours ago", minutes / 60),
        _ => format!("{} days ago", minutes / (24 * 60)),
    }
}

const MOST_EVENTS: u16 = 50;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(minutes * 60).unwrap()
    }

    fn event(outcome: &str, last: i64) -> Event {
        Event {
            serial: "C02".to_owned(),
            route: "/checkin/".to_owned(),
            outcome: outcome.to_owned(),
            reason: "no valid machine group key.".to_owned(),
            address: String::new(),
            client: String::new(),
            times: 1,
            first_at: at(0),
            last_at: at(last),
            body_bytes: 0,
            milliseconds: 0,
        }
    }

    #[test]
    fn what_it_comes_to_is_a_sentence_or_two() {
        let now = at(10_000);
        for (is_known, seen, events, said) in [
            (
                true,
                Some(9_999),
                vec![],
                "It last checked in just now. Nothing was refused since.",
            ),
            (
                true,
                Some(100),
                vec![event("stored", 9_000), event("refused", 9_900)],
                "It last checked in 6 days ago. The last request, 100 minutes ago, was refused: no valid machine group key.",
            ),
            (
                true,
                Some(9_950),
                vec![event("refused", 9_900)],
                "It last checked in 50 minutes ago. Nothing was refused since.",
            ),
            (
                false,
                None,
                vec![event("refused", 9_700)],
                "This server knows no machine with this serial number. The last request, 5 hours ago, was refused: no valid machine group key.",
            ),
        ] {
            assert_eq!(summary(is_known, seen.map(at), &events, now), said);
        }
        let nothing = summary(false, None, &[], now);
        assert!(
            nothing.contains("No request of it is in the journal"),
            "{nothing}"
        );
    }
}
