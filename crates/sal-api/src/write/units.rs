//! Business units.

use axum::http::StatusCode;
use sal_http::App;
use sal_store::{
    Tx,
    groups::insert_unit,
    ids::{UnitId, UserId},
    pool::Executor,
    resources::{
        BUSINESS_UNITS,
        change::{known_users, lock_name, replace_members, unit_by_name},
    },
    scope::Scope,
    units::{delete_unit, lock_unit, rename_unit},
};
use serde_json::{Map, Value as Json};

use super::{Making, Note, Object, invalid_pk, names, text};
use crate::{access::ApiWrite, error::ApiError};

pub(super) async fn create(
    values: &Map<String, Json>,
    making: Making,
    access: &ApiWrite,
    app: &App,
    tx: Tx,
) -> Result<(StatusCode, Json), ApiError> {
    if making == Making::OrFind {
        let name = text(values, "name").unwrap_or_default();
        lock_name(&tx, &format!("unit {name}")).await?;
        if let Some(found) = unit_by_name(&tx, name, &access.scope).await?.first() {
            let id = found.id.to_string();
            return access.found(&BUSINESS_UNITS, &id, app, tx).await;
        }
    }
    if access.scope != Scope::All {
        return Err(ApiError::OutOfScope(
            "This token is for some business units; to make others, a token for all of them is needed.",
        ));
    }
    let name = text(values, "name").unwrap_or_default();
    let users = users(values, &tx).await?;
    let made = insert_unit(&tx, name).await?;
    let unit = made.first().map(|unit| unit.id).ok_or(ApiError::NotFound)?;
    replace_members(&tx, &unit, &users.unwrap_or_default()).await?;
    let note = note("made", unit, name, "");
    let id = unit.to_string();
    let made = access.finish(&BUSINESS_UNITS, &id, note, app, tx).await?;
    Ok((StatusCode::CREATED, made))
}

pub(super) async fn update(
    id: &str,
    values: &Map<String, Json>,
    access: &ApiWrite,
    app: &App,
    tx: Tx,
) -> Result<Json, ApiError> {
    let (unit, old_name) = locked(id, access, &tx).await?;
    if access.scope != Scope::All && values.contains_key("users") {
        return Err(ApiError::OutOfScope(
            "This token is for some business units; to change who belongs to one, a token for all of them is needed.",
        ));
    }
    let users = users(values, &tx).await?;
    let name = text(values, "name").unwrap_or(&old_name);
    rename_unit(&tx, &unit, name).await?;
    if let Some(users) = users {
        replace_members(&tx, &unit, &users).await?;
    }
    let detail = names(values);
    let note = note("changed", unit, name, &detail);
    let id = unit.to_string();
    access.finish(&BUSINESS_UNITS, &id, note, app, tx).await
}

pub(super) async fn delete(id: &str, access: &ApiWrite, app: &App, tx: Tx) -> Result<(), ApiError> {
    let (unit, name) = locked(id, access, &tx).await?;
    let machines = delete_unit(unit, &tx).await?;
    let detail = format!("with {machines} machines");
    access
        .commit(
            note("removed", unit, &name, &detail),
            (StatusCode::NO_CONTENT, None),
            app,
            tx,
        )
        .await
}

async fn locked(id: &str, access: &ApiWrite, tx: &Tx) -> Result<(UnitId, String), ApiError> {
    let no_match = || ApiError::NoMatch("BusinessUnit");
    let unit = UnitId(id.trim().parse().map_err(|_no_id| no_match())?);
    if !access.has(unit) {
        return Err(no_match());
    }
    let found = lock_unit(tx, &unit).await?.into_iter().next();
    Ok((unit, found.ok_or_else(no_match)?.name))
}

fn note<'a>(action: &'static str, unit: UnitId, name: &'a str, detail: &'a str) -> Note<'a> {
    let object = Object {
        kind: "business unit",
        id: unit.to_string(),
        name,
    };
    Note {
        action,
        object,
        detail,
    }
}

/// The users that are sent; none where the field is not.
async fn users(
    values: &Map<String, Json>,
    db: &impl Executor,
) -> Result<Option<Vec<UserId>>, ApiError> {
    let Some(Json::Array(ids)) = values.get("users") else {
        return Ok(None);
    };
    let wanted: Vec<UserId> = ids
        .iter()
        .map(|id| {
            UserId(
                id.as_i64()
                    .and_then(|id| i32::try_from(id).ok())
                    .unwrap_or(0),
            )
        })
        .collect();
    let known = known_users(db, &wanted).await?;
    let is_known = |user: &UserId| known.iter().any(|known| known.id == *user);
    match ids.iter().zip(&wanted).find(|(_, user)| !is_known(user)) {
        Some((id, _)) => Err(invalid_pk("users", id)),
        None => Ok(Some(wanted)),
    }
}
