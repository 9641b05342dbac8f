//! Machines. The serial number stays as it is sent, as in the original.

use axum::http::StatusCode;
use sal_http::App;
use sal_store::{
    Tx,
    changed::note_moves,
    ids::{GroupId, MachineId},
    machines::delete_machines,
    pool::Executor,
    resources::{
        MACHINES,
        change::{has_serial, insert_machine_of, known_groups, lock_machine_of, update_machine_by},
    },
    scope::Scope,
};
use serde_json::{Map, Value as Json, json};

use super::{Note, Object, id_of, names, no_such, text};
use crate::{access::ApiWrite, error::ApiError};

pub(super) async fn create(
    mut values: Map<String, Json>,
    access: &ApiWrite,
    app: &App,
    tx: Tx,
) -> Result<Json, ApiError> {
    let errors = group_errors(&values, access, &tx).await?;
    check(errors, &values, None, access, &tx).await?;
    let serial = text(&values, "serial").unwrap_or_default().to_owned();
    let detail = names(&values);
    as_columns(&mut values);
    for (name, value) in [
        ("deployed", json!(true)),
        ("broken_client", json!(false)),
        ("memory_kb", json!(0)),
        ("os_family", json!("Darwin")),
        ("first_checkin", json!(app.now().to_string())),
    ] {
        values.entry(name).or_insert(value);
    }
    let made = insert_machine_of(&tx, &Json::Object(values).to_string()).await?;
    let id = made.first().map(|machine| machine.id).ok_or_else(taken)?;
    let note = note("made", id, &serial, &detail);
    access.finish(&MACHINES, &serial, note, app, tx).await
}

pub(super) async fn update(
    serial: &str,
    mut values: Map<String, Json>,
    access: &ApiWrite,
    app: &App,
    tx: Tx,
) -> Result<Json, ApiError> {
    // The group before the machine, as whoever deletes a group locks them.
    let errors = group_errors(&values, access, &tx).await?;
    let id = locked(serial, access, &tx).await?;
    check(errors, &values, Some(id), access, &tx).await?;
    if let Some(group) = id_of(&values, "machine_group") {
        note_moves(&tx, &[id], &GroupId(group)).await?;
    }
    let new_serial = text(&values, "serial").unwrap_or(serial).to_owned();
    let detail = names(&values);
    as_columns(&mut values);
    let changed = update_machine_by(&tx, &id, &Json::Object(values).to_string()).await;
    changed.map_err(|error| match error.is_a_duplicate() {
        // Another program gave it to another machine meanwhile.
        true => taken(),
        false => error.into(),
    })?;
    let note = note("changed", id, &new_serial, &detail);
    access.finish(&MACHINES, &new_serial, note, app, tx).await
}

pub(super) async fn delete(
    serial: &str,
    access: &ApiWrite,
    app: &App,
    tx: Tx,
) -> Result<(), ApiError> {
    let id = locked(serial, access, &tx).await?;
    delete_machines(&[id], &tx).await?;
    access
        .commit(
            note("removed", id, serial, ""),
            (StatusCode::NO_CONTENT, None),
            app,
            tx,
        )
        .await
}

async fn locked(serial: &str, access: &ApiWrite, tx: &Tx) -> Result<MachineId, ApiError> {
    let found = lock_machine_of(tx, serial).await?;
    let mut found = found.iter();
    let own = found.find(|machine| access.has(machine.business_unit_id));
    own.map(|machine| machine.id)
        .ok_or(ApiError::NoMatch("Machine"))
}

fn note<'a>(action: &'static str, id: MachineId, serial: &'a str, detail: &'a str) -> Note<'a> {
    let object = Object {
        kind: "machine",
        id: id.to_string(),
        name: serial,
    };
    Note {
        action,
        object,
        detail,
    }
}

/// Whether the group exists for the program.
async fn group_errors(
    values: &Map<String, Json>,
    access: &ApiWrite,
    db: &impl Executor,
) -> Result<Map<String, Json>, ApiError> {
    let mut errors = Map::new();
    if let Some(group) = id_of(values, "machine_group").map(GroupId) {
        let known = known_groups(db, &[group]).await?;
        let is_there = known.iter().any(|group| access.has(group.business_unit_id));
        if !is_there && let ApiError::Invalid(error) = no_such("machine_group", values) {
            errors.extend(error);
        }
    }
    Ok(errors)
}

/// Whether nothing is wrong with the group, and no other machine has the serial number.
async fn check(
    mut errors: Map<String, Json>,
    values: &Map<String, Json>,
    own: Option<MachineId>,
    access: &ApiWrite,
    db: &impl Executor,
) -> Result<(), ApiError> {
    // What cannot be made must not tell which serial numbers other units have.
    let tells = errors.is_empty() || access.scope == Scope::All;
    if tells && let Some(serial) = text(values, "serial") {
        let others = has_serial(db, serial).await?;
        if others.iter().any(|machine| Some(machine.id) != own)
            && let ApiError::Invalid(error) = taken()
        {
            errors.extend(error);
        }
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(ApiError::Invalid(errors))
    }
}

fn taken() -> ApiError {
    ApiError::field("serial", "machine with this serial already exists.")
}

/// The one field whose column has another name.
fn as_columns(values: &mut Map<String, Json>) {
    if let Some(group) = values.remove("machine_group") {
        values.insert("machine_group_id".to_owned(), group);
    }
}
