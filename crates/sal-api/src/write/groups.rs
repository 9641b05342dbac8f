//! Machine groups. Their keys are made here and cannot be chosen.

use axum::http::StatusCode;
use sal_http::{
    App,
    random_key::{GROUP_KEY, random_key},
};
use sal_store::{
    Tx,
    groups::{delete_groups, insert_group, update_group},
    ids::{GroupId, UnitId},
    pool::Executor,
    resources::{
        MACHINE_GROUPS,
        change::{group_by_name, known_units, lock_group_of, lock_name},
    },
};
use serde_json::{Map, Value as Json};

use super::{Making, Note, Object, id_of, names, no_such, text};
use crate::{access::ApiWrite, error::ApiError};

pub(super) async fn create(
    values: &Map<String, Json>,
    making: Making,
    access: &ApiWrite,
    app: &App,
    tx: Tx,
) -> Result<(StatusCode, Json), ApiError> {
    let name = text(values, "name").unwrap_or_default();
    let unit = unit(values, access, &tx).await?.ok_or(ApiError::NotFound)?;
    if making == Making::OrFind {
        lock_name(&tx, &format!("group {unit} {name}")).await?;
        if let Some(found) = group_by_name(&tx, name, &unit).await?.first() {
            let id = found.id.to_string();
            return access.found(&MACHINE_GROUPS, &id, app, tx).await;
        }
    }
    let made = insert_group(&tx, &unit, name, &random_key(GROUP_KEY)).await?;
    let group = made
        .first()
        .map(|group| group.id)
        .ok_or(ApiError::NotFound)?;
    let note = note("made", group, name, "");
    let id = group.to_string();
    let made = access.finish(&MACHINE_GROUPS, &id, note, app, tx).await?;
    Ok((StatusCode::CREATED, made))
}

pub(super) async fn update(
    id: &str,
    values: &Map<String, Json>,
    access: &ApiWrite,
    app: &App,
    tx: Tx,
) -> Result<Json, ApiError> {
    let (group, old_name, old_unit) = locked(id, access, &tx).await?;
    let unit = unit(values, access, &tx).await?.unwrap_or(old_unit);
    let name = text(values, "name").unwrap_or(&old_name);
    update_group(&tx, &group, name, &unit).await?;
    let detail = names(values);
    let note = note("changed", group, name, &detail);
    let id = group.to_string();
    access.finish(&MACHINE_GROUPS, &id, note, app, tx).await
}

pub(super) async fn delete(id: &str, access: &ApiWrite, app: &App, tx: Tx) -> Result<(), ApiError> {
    let (group, name, _) = locked(id, access, &tx).await?;
    let machines = delete_groups(&[group], &tx).await?;
    let detail = format!("with {machines} machines");
    access
        .commit(
            note("removed", group, &name, &detail),
            (StatusCode::NO_CONTENT, None),
            app,
            tx,
        )
        .await
}

async fn locked(
    id: &str,
    access: &ApiWrite,
    tx: &Tx,
) -> Result<(GroupId, String, UnitId), ApiError> {
    let no_match = || ApiError::NoMatch("MachineGroup");
    let group = GroupId(id.trim().parse().map_err(|_no_id| no_match())?);
    let found = lock_group_of(tx, &group).await?.into_iter().next();
    let found = found.filter(|group| access.has(group.business_unit_id));
    let found = found.ok_or_else(no_match)?;
    Ok((group, found.name, found.business_unit_id))
}

fn note<'a>(action: &'static str, group: GroupId, name: &'a str, detail: &'a str) -> Note<'a> {
    let object = Object {
        kind: "machine group",
        id: group.to_string(),
        name,
    };
    Note {
        action,
        object,
        detail,
    }
}

async fn unit(
    values: &Map<String, Json>,
    access: &ApiWrite,
    db: &impl Executor,
) -> Result<Option<UnitId>, ApiError> {
    let Some(id) = id_of(values, "business_unit").map(UnitId) else {
        return Ok(None);
    };
    let is_there = access.has(id) && !known_units(db, &[id]).await?.is_empty();
    match is_there {
        true => Ok(Some(id)),
        false => Err(no_such("business_unit", values)),
    }
}
