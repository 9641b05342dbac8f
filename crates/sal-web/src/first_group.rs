//! `POST /first-group/`: the first business unit and machine group of an empty server, with a key for clients.
//!
//! Offered by the overview while there is no group. Later ones are made in `places`.

use axum::{Form, extract::State, response::Response, routing::post};
use sal_http::random_key::{GROUP_KEY, random_key};
use sal_http::{Access, App, AppError, Routes, access::GlobalAdmin, db::Db};
use sal_store::{
    group_keys::group_keys,
    groups::{insert_group, insert_unit},
};
use serde::Deserialize;

use crate::{
    audit::{self, Object},
    given_name::{PLACE_NAME, given_name},
    page::redirect,
};

pub(crate) fn routes() -> Routes {
    Routes::new().route(
        "/first-group/",
        Access::GlobalAdmin,
        post(create_first_group),
    )
}

#[derive(Deserialize)]
struct FirstGroupForm {
    unit: String,
    group: String,
}

async fn create_first_group(
    GlobalAdmin(viewer): GlobalAdmin,
    State(app): State<App>,
    Db(db): Db,
    Form(form): Form<FirstGroupForm>,
) -> Result<Response, AppError> {
    let unit = given_name(&form.unit, PLACE_NAME).map_err(AppError::BadRequest)?;
    let group = given_name(&form.group, PLACE_NAME).map_err(AppError::BadRequest)?;
    let tx = db.begin().await?;
    // Pressed twice, the button must not make two.
    if group_keys(&tx, &None, &None).await?.is_empty() {
        let made = insert_unit(&tx, unit).await?;
        if let Some(made) = made.first() {
            let unit = Object::new("business unit", made.id, unit);
            audit::note(&viewer, "made", &unit, "", &app, &tx).await?;
            let key = random_key(GROUP_KEY);
            let made = insert_group(&tx, &made.id, group, key.as_str()).await?;
            let id = made.first().ok_or(AppError::NotFound)?.id;
            let (group, detail) = (
                Object::new("machine group", id, group),
                format!("in business unit {}", unit.name),
            );
            audit::note(&viewer, "made", &group, &detail, &app, &tx).await?;
        }
    }
    tx.commit().await?;
    Ok(redirect("/"))
}
