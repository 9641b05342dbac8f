//! Event triggers run with the rights of whoever changes something: here, of the administrator.

use super::Finding;
use crate::{
    inventory::{EventTrigger, Inventory},
    sql::identifier,
};

/// Those whose function belongs to somebody who may less than the administrator, and could be replaced at any time.
pub(super) fn refusals(inventory: &Inventory) -> Vec<Finding> {
    let of_others = |(_, trigger): &(&str, &EventTrigger)| !trigger.is_administrators;
    all(inventory)
        .filter(of_others)
        .map(|(database, trigger)| {
            Finding::new(
                "event_trigger_of_others",
                format!(
                    "The event trigger `{}` in `{database}` runs {} at {}, as whoever makes the change, and that function belongs to `{}`, who may less than `{}`.",
                    trigger.name, trigger.function, trigger.event, trigger.owner, inventory.admin
                ),
                format!(
                    "as whoever made it, in that database: ALTER EVENT TRIGGER {} DISABLE, for as long as the move takes.",
                    identifier(&trigger.name)
                ),
            )
        })
        .collect()
}

/// The others, which are an administrator's own.
pub(super) fn warnings(inventory: &Inventory) -> Option<Finding> {
    let names: Vec<String> = all(inventory)
        .filter(|(_, trigger)| trigger.is_administrators)
        .map(|(database, trigger)| {
            format!(
                "{} in {database} ({} at {})",
                trigger.name, trigger.function, trigger.event
            )
        })
        .collect();
    (!names.is_empty()).then(|| {
        Finding::new(
            "event_triggers",
            format!(
                "Event triggers run at what this changes: {}.",
                names.join(", ")
            ),
            "they belong to administrators; look whether any of them refuses changes.",
        )
    })
}

fn all(inventory: &Inventory) -> impl Iterator<Item = (&str, &EventTrigger)> {
    inventory.databases.iter().flat_map(|database| {
        let triggers = database.event_triggers.iter();
        triggers.map(|trigger| (database.name.as_str(), trigger))
    })
}
