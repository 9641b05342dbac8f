//! `/edit-machine-group/<id>/key/` and `…/former-keys/`: another key for a machine group, while clients that have the one
//! before go on checking in for some time; and the end of that time.

use askama::Template;
use axum::{
    Form,
    extract::{Path, State},
    http::StatusCode,
    response::Response,
    routing::get,
};
use jiff::{SignedDuration, Timestamp};
use sal_http::{
    Access, App, AppError, Routes,
    access::GlobalAdmin,
    checkin_key::users_of_former_keys,
    db::Db,
    random_key::{GROUP_KEY, random_key},
};
use sal_store::{
    Client,
    former_keys::{FormerKeys, end_former_keys, former_keys, lock_group_key, replace_group_key},
    ids::GroupId,
};
use serde::Deserialize;

use super::GROUP;
use crate::{
    audit::{Object, note},
    confirm::Confirm,
    fleet_part::visible_group,
    page::{redirect, render_with_status},
    shell::{Section, Shell, Theme},
};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route(
            "/edit-machine-group/{id}/key/",
            Access::GlobalAdmin,
            get(show).post(replace),
        )
        .route(
            "/edit-machine-group/{id}/former-keys/",
            Access::GlobalAdmin,
            get(ask_to_end).post(end),
        )
}

/// Which of a group's former keys still work, for its page.
pub(super) async fn former(
    group: GroupId,
    now: Timestamp,
    db: &Client,
) -> Result<Option<FormerKeys>, AppError> {
    match former_keys(db, &group, &now).await {
        // Without the table no group had another key, and the page is for more than that.
        Err(error) if error.lacks_a_table() => Ok(None),
        found => Ok(found?.into_iter().next()),
    }
}

#[derive(Template)]
#[template(path = "places/group_key.html")]
struct ReplaceKeyPage {
    shell: Shell,
    heading: String,
    problem: Option<&'static str>,
    back: String,
}

#[derive(Deserialize)]
struct ReplaceForm {
    /// Days that the present key goes on working.
    #[serde(default)]
    days: String,
}

async fn show(
    GlobalAdmin(viewer): GlobalAdmin,
    theme: Theme,
    Path(id): Path<String>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let group = visible_group(&id, &viewer, &db).await?;
    let heading = heading(&group.name);
    let page = ReplaceKeyPage {
        shell: Shell::of(&viewer, theme, Section::Overview, &heading, &app),
        heading,
        problem: None,
        back: path(group.id),
    };
    render_with_status(StatusCode::OK, &page)
}

async fn replace(
    GlobalAdmin(viewer): GlobalAdmin,
    theme: Theme,
    Path(id): Path<String>,
    State(app): State<App>,
    Db(db): Db,
    Form(form): Form<ReplaceForm>,
) -> Result<Response, AppError> {
    let group = visible_group(&id, &viewer, &db).await?;
    let days: Option<i64> = form.days.trim().parse().ok();
    let Some(days) = days.filter(|days| (0..=MOST_DAYS).contains(days)) else {
        let heading = heading(&group.name);
        let page = ReplaceKeyPage {
            shell: Shell::of(&viewer, theme, Section::Overview, &heading, &app),
            heading,
            problem: Some("Enter a whole number of days from 0 to 365."),
            back: path(group.id),
        };
        return render_with_status(StatusCode::UNPROCESSABLE_ENTITY, &page);
    };
    let now = app.now();
    let ends = now.saturating_add(SignedDuration::from_hours(days * 24));
    let ends = ends.unwrap_or(Timestamp::MAX);
    let tx = db.begin().await?;
    // The key that is kept is the one that the lock found.
    let locked = lock_group_key(&tx, &group.id).await?;
    let had_key = locked.first().is_some_and(|group| group.has_key);
    let key = random_key(GROUP_KEY);
    if replace_group_key(&tx, &group.id, &key, &now, &ends).await? == 0 {
        return Err(AppError::NotFound);
    }
    let detail = match days {
        _ if !had_key => "the group got a key".to_owned(),
        0 => "the key was replaced; the one before does not work any more".to_owned(),
        _ => format!("the key was replaced; the one before works until {ends:.0}"),
    };
    let object = Object::new(GROUP, group.id, &group.name);
    note(&viewer, "changed", &object, &detail, &app, &tx).await?;
    tx.commit().await?;
    Ok(redirect(&path(group.id)))
}

async fn ask_to_end(
    GlobalAdmin(viewer): GlobalAdmin,
    theme: Theme,
    Path(id): Path<String>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let group = visible_group(&id, &viewer, &db).await?;
    let former = former(group.id, app.now(), &db).await?;
    let former = former.ok_or(AppError::NotFound)?;
    let heading = format!("End the previous key of {}?", group.name);
    let confirm = Confirm {
        shell: Shell::of(&viewer, theme, Section::Overview, &heading, &app),
        heading,
        sentences: vec![
            users_of_former_keys(former.machines, former.silent),
            "Machines that still have it cannot check in from then on, until they get the present key."
                .to_owned(),
        ],
        button: "End the previous key",
        is_final: true,
        back: path(group.id),
    };
    confirm.answer()
}

async fn end(
    GlobalAdmin(viewer): GlobalAdmin,
    Path(id): Path<String>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let group = visible_group(&id, &viewer, &db).await?;
    let tx = db.begin().await?;
    lock_group_key(&tx, &group.id).await?;
    if end_former_keys(&tx, &group.id).await? == 0 {
        tx.rollback().await?;
        return Ok(redirect(&path(group.id)));
    }
    let object = Object::new(GROUP, group.id, &group.name);
    let detail = "the previous key was ended";
    note(&viewer, "changed", &object, detail, &app, &tx).await?;
    tx.commit().await?;
    Ok(redirect(&path(group.id)))
}

fn heading(name: &str) -> String {
    format!("Replace the key of {name}")
}

fn path(group: GroupId) -> String {
    format!("/edit-machine-group/{group}/")
}

const MOST_DAYS: i64 = 365;
