//! `/business_unit/delete/<id>/` and `/machine_group/delete/<id>/`: ask, saying what goes with it; the POST deletes all of
//! it at once. Sal's second addresses, `…/really/delete/…`, are the same pages.

use axum::{
    extract::{Path, State},
    response::Response,
    routing::get,
};
use sal_http::{Access, App, AppError, Routes, access::GlobalAdmin, db::Db};
use sal_store::{
    groups::{GroupContents, count_in_group, delete_groups},
    units::{UnitContents, count_in_unit, delete_unit},
};

use super::{GROUP, UNIT};
use crate::{
    audit::{Object, note},
    confirm::Confirm,
    fleet_part::{group_path, unit_path, visible_group, visible_unit},
    page::redirect,
    shell::{Section, Shell, Theme},
    wording::count_of,
};

pub(super) fn routes() -> Routes {
    let unit = || get(ask_unit).post(remove_unit);
    let group = || get(ask_group).post(remove_group);
    Routes::new()
        .route("/business_unit/delete/{id}/", Access::GlobalAdmin, unit())
        .route(
            "/business_unit/really/delete/{id}/",
            Access::GlobalAdmin,
            unit(),
        )
        .route("/machine_group/delete/{id}/", Access::GlobalAdmin, group())
        .route(
            "/machine_group/really/delete/{id}/",
            Access::GlobalAdmin,
            group(),
        )
}

async fn ask_unit(
    GlobalAdmin(viewer): GlobalAdmin,
    theme: Theme,
    Path(id): Path<String>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let unit = visible_unit(&id, &viewer, &db).await?;
    let contents = count_in_unit(&db, &unit.id).await?.into_iter().next();
    let contents = contents.ok_or(AppError::NotFound)?;
    Confirm {
        shell: Shell::of(&viewer, theme, Section::Overview, "Delete a unit", &app),
        heading: format!("Delete business unit {}?", unit.name),
        sentences: vec![
            format!("With it go {}.", in_unit(&contents)),
            "Everything the machines sent goes with them.".to_owned(),
            NO_CHECKINS.to_owned(),
        ],
        button: "Delete all of it",
        is_final: true,
        back: unit_path(unit.id),
    }
    .answer()
}

async fn remove_unit(
    GlobalAdmin(viewer): GlobalAdmin,
    Path(id): Path<String>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let unit = visible_unit(&id, &viewer, &db).await?;
    let tx = db.begin().await?;
    let contents = count_in_unit(&tx, &unit.id).await?.into_iter().next();
    let contents = contents.ok_or(AppError::NotFound)?;
    delete_unit(unit.id, &tx).await?;
    let object = Object::new(UNIT, unit.id, &unit.name);
    let detail = format!("with {}", in_unit(&contents));
    note(&viewer, "deleted", &object, &detail, &app, &tx).await?;
    tx.commit().await?;
    Ok(redirect("/units/"))
}

async fn ask_group(
    GlobalAdmin(viewer): GlobalAdmin,
    theme: Theme,
    Path(id): Path<String>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let group = visible_group(&id, &viewer, &db).await?;
    let contents = count_in_group(&db, &group.id).await?.into_iter().next();
    let contents = contents.ok_or(AppError::NotFound)?;
    Confirm {
        shell: Shell::of(&viewer, theme, Section::Overview, "Delete a group", &app),
        heading: format!("Delete machine group {}?", group.name),
        sentences: vec![
            format!("It belongs to business unit {}.", group.unit),
            format!("With it go {}.", in_group(&contents)),
            "Everything the machines sent goes with them.".to_owned(),
            NO_CHECKINS.to_owned(),
        ],
        button: "Delete all of it",
        is_final: true,
        back: group_path(group.id),
    }
    .answer()
}

async fn remove_group(
    GlobalAdmin(viewer): GlobalAdmin,
    Path(id): Path<String>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let group = visible_group(&id, &viewer, &db).await?;
    let tx = db.begin().await?;
    let contents = count_in_group(&tx, &group.id).await?.into_iter().next();
    let contents = contents.ok_or(AppError::NotFound)?;
    delete_groups(&[group.id], &tx).await?;
    let object = Object::new(GROUP, group.id, &group.name);
    let detail = format!("of {}, with {}", group.unit, in_group(&contents));
    note(&viewer, "deleted", &object, &detail, &app, &tx).await?;
    tx.commit().await?;
    Ok(redirect(&unit_path(group.unit_id)))
}

fn in_unit(contents: &UnitContents) -> String {
    [
        count_of(contents.groups, "machine group", "machine groups"),
        count_of(contents.machines, "machine", "machines"),
        count_of(contents.licences, "licence", "licences"),
        count_of(contents.members, "membership", "memberships"),
    ]
    .join(", ")
}

fn in_group(contents: &GroupContents) -> String {
    [
        count_of(contents.machines, "machine", "machines"),
        count_of(contents.catalogs, "Munki catalog", "Munki catalogs"),
    ]
    .join(", ")
}

const NO_CHECKINS: &str = "Clients that have one of its keys can no longer check in.";
