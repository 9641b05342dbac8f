//! Machines. The serial number stays as it is sent, as in the original.

use sal_http::App;
use sal_store::{
    Tx,
    ids::{GroupId, MachineId},
    machines::delete_machines,
    pool::Executor,
    resources::change::{
        has_serial, insert_machine_of, known_groups, lock_machine_of, update_machine_by,
    },
};
use serde_json::{Map, Value as Json, json};

use super::{Object, id_of, names, no_such, text};
use crate::{access::ApiWrite, error::ApiError};

pub(super) async fn create(
    mut values: Map<String, Json>,
    access: &ApiWrite,
    app: &App,
    tx: Tx,
) -> Result<String, ApiError> {
    check(&values, None, &tx).await?;
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
    let object = object(id, &serial);
    access.commit("made", object, &detail, app, tx).await?;
    Ok(serial)
}

pub(super) async fn update(
    serial: &str,
    mut values: Map<String, Json>,
    access: &ApiWrite,
    app: &App,
    tx: Tx,
) -> Result<String, ApiError> {
    let id = locked(serial, &tx).await?;
    check(&values, Some(id), &tx).await?;
    let new_serial = text(&values, "serial").unwrap_or(serial).to_owned();
    let detail = names(&values);
    as_columns(&mut values);
    update_machine_by(&tx, &id, &Json::Object(values).to_string()).await?;
    let object = object(id, &new_serial);
    access.commit("changed", object, &detail, app, tx).await?;
    Ok(new_serial)
}

pub(super) async fn delete(
    serial: &str,
    access: &ApiWrite,
    app: &App,
    tx: Tx,
) -> Result<(), ApiError> {
    let id = locked(serial, &tx).await?;
    delete_machines(&[id], &tx).await?;
    access
        .commit("removed", object(id, serial), "", app, tx)
        .await
}

async fn locked(serial: &str, tx: &Tx) -> Result<MachineId, ApiError> {
    let found = lock_machine_of(tx, serial).await?;
    let found = found.first().map(|machine| machine.id);
    found.ok_or(ApiError::NoMatch("Machine"))
}

fn object(id: MachineId, serial: &str) -> Object<'_> {
    Object {
        kind: "machine",
        id: id.to_string(),
        name: serial,
    }
}

/// Whether the group exists, and no other machine has the serial number.
async fn check(
    values: &Map<String, Json>,
    own: Option<MachineId>,
    db: &impl Executor,
) -> Result<(), ApiError> {
    let mut errors = Map::new();
    if let Some(group) = id_of(values, "machine_group").map(GroupId)
        && known_groups(db, &[group]).await?.is_empty()
        && let ApiError::Invalid(error) = no_such("machine_group", values)
    {
        errors.extend(error);
    }
    if let Some(serial) = text(values, "serial") {
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
