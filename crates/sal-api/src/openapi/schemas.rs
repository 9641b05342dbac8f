//! What is sent and taken, as JSON Schema.

use crate::changed;
use sal_store::resources::{Column, Kind, MACHINES, RESOURCES, Resource};
use serde_json::{Map, Value as Json, json};

use crate::write::{
    bulk,
    fields::{self, Field},
};

/// The schema of what is shown of a resource.
pub(super) fn reference(name: &str) -> Json {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// Every named schema.
pub(super) fn all() -> Json {
    let mut all = Map::new();
    for resource in RESOURCES {
        let names: Vec<&str> = resource.fields().collect();
        all.insert(resource.object.to_owned(), object(resource, &names));
        all.insert(format!("{}Page", resource.object), page(resource));
    }
    for (resource, fields) in [
        ("BusinessUnit", fields::UNIT),
        ("MachineGroup", fields::GROUP),
        ("Machine", fields::MACHINE),
    ] {
        all.insert(format!("{resource}New"), written(fields, Required::AsSaid));
        all.insert(
            format!("{resource}Change"),
            written(fields, Required::Nothing),
        );
    }
    all.insert(
        "FoundMachine".to_owned(),
        object(&MACHINES, &crate::execute::SHORT),
    );
    all.insert("BulkChange".to_owned(), bulk_change());
    all.insert("BulkOutcome".to_owned(), bulk_outcome());
    all.insert("Detail".to_owned(), detail());
    all.insert("FieldErrors".to_owned(), field_errors());
    Json::Object(all)
}

/// An object with these fields of a resource, and no others. `fields=` leaves some out, so that none is required.
fn object(resource: &Resource, names: &[&str]) -> Json {
    let mut properties = Map::new();
    for column in resource.columns {
        match column.name.split_once('.') {
            None if names.contains(&column.name) => {
                properties.insert(column.name.to_owned(), value(column.name, column));
            }
            Some((outer, inner)) if names.contains(&outer) => {
                let nested = properties.entry(outer).or_insert_with(
                    || json!({ "type": "object", "properties": {}, "additionalProperties": false }),
                );
                if let Some(Json::Object(inside)) = nested.get_mut("properties") {
                    inside.insert(inner.to_owned(), value(inner, column));
                }
            }
            _ => {}
        }
    }
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}

fn value(name: &str, column: &Column) -> Json {
    let is_always_there = name == "id" || column.name == "serial" || column.kind == Kind::Flag;
    let types = |name: &str| match is_always_there {
        true => json!(name),
        false => json!([name, "null"]),
    };
    match column.kind {
        Kind::Integer => json!({ "type": types("integer"), "format": "int64" }),
        Kind::Text => json!({ "type": types("string") }),
        Kind::Flag => json!({ "type": types("boolean") }),
        Kind::Time => json!({ "type": types("string"), "format": "date-time" }),
        Kind::Uuid => json!({ "type": types("string"), "format": "uuid" }),
        Kind::Json => inner(column.name),
    }
}

/// What the database puts together as JSON.
fn inner(name: &str) -> Json {
    let integer = || json!({ "type": "integer", "format": "int64" });
    let text = || json!({ "type": "string" });
    match name {
        "users" => json!({ "type": "array", "items": integer() }),
        "payloads" => list_of(&json!({
            "id": integer(), "payload_type": text(), "identifier": text(), "uuid": text(), "profile": integer(),
        })),
        "search_groups" => {
            let rows = list_of(&json!({
                "id": integer(), "search_models": text(), "search_field": text(), "and_or": text(), "operator": text(),
                "search_term": text(), "position": integer(), "search_group": integer(),
            }));
            list_of(&json!({
                "id": integer(), "search_rows": rows, "and_or": text(), "position": integer(), "saved_search": integer(),
            }))
        }
        _ => json!({}),
    }
}

fn list_of(properties: &Json) -> Json {
    let item = json!({ "type": "object", "properties": properties, "additionalProperties": false });
    json!({ "type": "array", "items": item })
}

fn page(resource: &Resource) -> Json {
    let mut page = json!({
        "type": "object",
        "required": ["next", "previous", "results"],
        "properties": {
            "count": { "type": "integer", "format": "int64", "description": "Rows of the whole list; left out in a walk by `cursor`." },
            "next": { "type": ["string", "null"], "format": "uri", "description": "The next page, as an absolute address." },
            "previous": { "type": ["string", "null"], "format": "uri" },
            "results": { "type": "array", "items": reference(resource.object) },
        },
        "additionalProperties": false,
    });
    if changed::is_known_of(resource)
        && let Some(Json::Object(properties)) = page.get_mut("properties")
    {
        properties.insert("changes".to_owned(), changes());
        let next = "What to ask with the next time; where `changed_since` was asked for.";
        properties.insert(
            changed::NAME.to_owned(),
            json!({ "type": "string", "description": next }),
        );
    }
    page
}

fn changes() -> Json {
    let gone = json!({
        "machine": { "type": "integer", "format": "int64" },
        "serial": { "type": ["string", "null"] },
    });
    json!({
        "type": "object",
        "description": "On the first page, where `changed_since` was asked for.",
        "properties": {
            "machines": {
                "type": ["array", "null"],
                "items": { "type": "integer", "format": "int64" },
                "description": "The ids of machines whose rows these are, all of them: forget what you hold of these machines. null at first, for everything.",
            },
            "gone": list_of(&gone),
        },
        "additionalProperties": false,
    })
}

/// Whether a body has to have everything that is needed.
#[derive(Clone, Copy, PartialEq)]
enum Required {
    AsSaid,
    Nothing,
}

fn written(fields: &[Field], required: Required) -> Json {
    let needed: Vec<&str> = fields
        .iter()
        .filter(|field| field.is_required && required == Required::AsSaid)
        .map(|field| field.name)
        .collect();
    let properties = fields
        .iter()
        .map(|field| (field.name.to_owned(), taken(field)));
    json!({
        "type": "object",
        "required": needed,
        "properties": properties.collect::<Map<_, _>>(),
        "description": "What is not named here is ignored.",
    })
}

fn taken(field: &Field) -> Json {
    let types = |name: &str| match field.is_nullable {
        true => json!([name, "null"]),
        false => json!(name),
    };
    match field.kind {
        fields::Kind::Text(most) => {
            let least = usize::from(!field.is_nullable);
            json!({ "type": types("string"), "minLength": least, "maxLength": most })
        }
        fields::Kind::Int4 => json!({ "type": types("integer"), "format": "int32" }),
        fields::Kind::Int8 => json!({ "type": types("integer"), "format": "int64" }),
        fields::Kind::Flag => json!({ "type": types("boolean") }),
        fields::Kind::Time => json!({ "type": types("string"), "format": "date-time" }),
        fields::Kind::Choice(choices) => json!({ "type": types("string"), "enum": choices }),
        fields::Kind::Id => json!({ "type": types("integer"), "format": "int64" }),
        fields::Kind::Ids => {
            json!({ "type": "array", "items": { "type": "integer", "format": "int64" } })
        }
    }
}

fn bulk_change() -> Json {
    json!({
        "type": "object",
        "required": ["action"],
        "properties": {
            "action": { "enum": ["move", "deploy", "undeploy", "delete"] },
            "machine_group": { "type": "integer", "description": "Where to, with `move`." },
            "ids": { "type": "array", "maxItems": bulk::MOST, "items": { "type": "integer", "format": "int64" } },
            "serials": { "type": "array", "maxItems": bulk::MOST, "items": { "type": "string" } },
            "filter": { "type": "string", "description": "The machines that a filter finds." },
            "dry_run": { "type": "boolean", "default": false },
            "expected": { "type": "integer", "minimum": 0, "description": "How many there have to be." },
        },
        "oneOf": [{ "required": ["ids"] }, { "required": ["serials"] }, { "required": ["filter"] }],
        "additionalProperties": false,
    })
}

fn bulk_outcome() -> Json {
    let outcomes = [
        "moved",
        "deployed",
        "undeployed",
        "deleted",
        "unchanged",
        "not found",
    ];
    json!({
        "type": "object",
        "required": ["dry_run", "changed", "results"],
        "properties": {
            "dry_run": { "type": "boolean" },
            "changed": { "type": "integer" },
            "results": { "type": "array", "items": {
                "type": "object",
                "required": ["machine", "outcome"],
                "properties": {
                    "machine": { "type": ["string", "integer"], "description": "As it was asked for." },
                    "id": { "type": "integer", "format": "int64" },
                    "serial": { "type": "string" },
                    "outcome": { "enum": outcomes },
                },
                "additionalProperties": false,
            } },
        },
        "additionalProperties": false,
    })
}

fn detail() -> Json {
    json!({
        "type": "object",
        "required": ["detail"],
        "properties": { "detail": { "type": "string", "description": "What is wrong." } },
    })
}

fn field_errors() -> Json {
    json!({
        "type": "object",
        "description": "What is wrong, by field or parameter; `detail` where the whole body cannot be read.",
        "additionalProperties": {
            "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }],
        },
    })
}
