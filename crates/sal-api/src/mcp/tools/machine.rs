//! `get_machine`: everything of one machine.

use sal_query::{Field, field::SALS_ORDER};
use sal_store::{
    device::{Device, DeviceItem, device_by_id, device_items, device_messages, tabs::device_facts},
    ids::MachineId,
};
use serde_json::{Map, Value as Json, json};

use super::{
    Asking, Failure, Tool, Which,
    columns::field_of,
    listing::{self, Room},
    no_machine, notes, object, rows, strict, text, whole,
};
use crate::mcp::arguments::{Arguments, MOST_ROWS};

pub(super) const TOOL: Tool = Tool {
    which: Which::Machine,
    name: "get_machine",
    title: "Get a machine",
    about: "Shows one machine: its hardware, system, group, messages, managed items (software; those that failed or wait come first) \
        and facts.",
    arguments: &["serial", "facts"],
    input: || {
        strict(
            json!({
                "serial": text("The serial number."),
                "facts": text("Only facts whose source or name holds this text, in any letter case."),
            }),
            &["serial"],
        )
    },
    output: || {
        object(
            json!({
                "machine": { "type": "object", "description": "Its fields, the names of its group and business unit." },
                "pending": whole("Managed items that wait to be installed or removed."),
                "failed": whole("Managed items that ended in an error."),
                "messages": rows("Messages, gravest first."),
                "managed_items": rows("Managed items."),
                "facts": rows("Facts."),
                "notes": notes(),
            }),
            &[
                "machine",
                "pending",
                "failed",
                "messages",
                "managed_items",
                "facts",
                "notes",
            ],
        )
    },
};

pub(super) async fn run(arguments: &Arguments, asking: &Asking<'_>) -> Result<Json, Failure> {
    let serial = arguments.needed("serial")?;
    let wanted = arguments.text("facts")?.unwrap_or_default().to_lowercase();
    let (scope, db, app) = (asking.scope(), asking.db, asking.app);
    let id = asking.known_machine(serial).await?;
    let device = device_by_id(db, id, scope).await?;
    let device = device.ok_or_else(|| no_machine(serial))?;
    let mut room = Room::new();
    let messages = messages(id, &mut room, asking).await?;
    let mut items = device_items(db, &id, scope).await?;
    let count = |status: &str| items.iter().filter(|item| item.status == status).count();
    let (pending, failed) = (count("PENDING"), count("ERROR"));
    items.sort_by_key(rank);
    let items = items.iter().map(|item| {
        json!({
            "source": item.source,
            "name": listing::short(&item.name),
            "status": item.status,
            "since": listing::time(item.date_managed, app),
        })
    });
    let items = room.take(
        "managed_items",
        items.collect(),
        MOST_ROWS,
        "Those in trouble are here.",
    );
    let facts = facts(id, &wanted, &mut room, asking).await?;
    Ok(json!({
        "machine": fields_of(&device, asking),
        "pending": pending,
        "failed": failed,
        "messages": messages,
        "managed_items": items,
        "facts": facts,
        "notes": room.notes(),
    }))
}

async fn messages(
    id: MachineId,
    room: &mut Room,
    asking: &Asking<'_>,
) -> Result<Vec<Json>, Failure> {
    let messages = device_messages(asking.db, &id, asking.scope()).await?;
    let messages = messages.iter().map(|one| {
        json!({
            "level": one.message_type,
            "source": listing::maybe(one.source.as_deref()),
            "text": listing::maybe(one.text.as_deref()),
            "date": listing::time(one.date, asking.app),
        })
    });
    Ok(room.take("messages", messages.collect(), 50, "The gravest are here."))
}

/// The facts whose names hold a text in lower case.
async fn facts(
    id: MachineId,
    wanted: &str,
    room: &mut Room,
    asking: &Asking<'_>,
) -> Result<Vec<Json>, Failure> {
    let facts = device_facts(asking.db, &id, asking.scope()).await?;
    let facts = facts.iter().filter(|fact| {
        let name = format!(
            "{}/{}",
            fact.source.as_deref().unwrap_or_default(),
            fact.fact_name
        );
        name.to_lowercase().contains(wanted)
    });
    let facts = facts.map(|fact| {
        json!({
            "source": fact.source,
            "name": listing::short(&fact.fact_name),
            "value": listing::short(&fact.fact_data),
        })
    });
    Ok(room.take(
        "facts",
        facts.collect(),
        MOST_ROWS,
        "Say a part of a name in `facts`.",
    ))
}

fn fields_of(device: &Device, asking: &Asking<'_>) -> Json {
    let fields = SALS_ORDER
        .iter()
        .filter(|field| **field != Field::MachineGroup);
    let fields = fields.map(|field| {
        let value = field_of(device.machine.value(*field), asking.app);
        (field.name().to_owned(), value)
    });
    let mut fields: Map<String, Json> = fields.collect();
    fields.insert("group".to_owned(), listing::short(&device.group_name));
    fields.insert("unit".to_owned(), listing::short(&device.unit_name));
    Json::Object(fields)
}

/// What is in trouble comes first.
fn rank(item: &DeviceItem) -> u8 {
    match item.status.as_str() {
        "ERROR" => 0,
        "PENDING" => 1,
        "UNKNOWN" => 2,
        _ => 3,
    }
}
