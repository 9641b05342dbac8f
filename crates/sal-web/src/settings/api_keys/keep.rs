//! `/settings/api-keys/{edit,delete}/<id>/`: gives a key another name or right, and removes it.

use askama::Template;
use axum::{
    Form,
    extract::{Path, State},
    http::StatusCode,
    response::Response,
    routing::get,
};
use sal_http::{Access, App, AppError, Routes, access::GlobalAdmin, db::Db};
use sal_store::{
    api_keys::{FoundApiKey, delete_api_key, find_api_key, update_api_key},
    ids::ApiKeyId,
    pool::Executor,
};

use super::{KIND, LIST, NewApiKeyForm, may};
use crate::{
    audit::{self, Object},
    confirm::Confirm,
    fleet_part::number,
    given_name::{API_KEY_NAME, given_name},
    page::{redirect, render, render_with_status},
    shell::{Section, Shell, Theme},
};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route(
            "/settings/api-keys/edit/{id}/",
            Access::GlobalAdmin,
            get(show_key).post(change_key),
        )
        .route(
            "/settings/api-keys/delete/{id}/",
            Access::GlobalAdmin,
            get(ask_to_delete).post(delete_key),
        )
}

#[derive(Template)]
#[template(path = "settings/edit_api_key.html")]
struct EditApiKeyPage {
    shell: Shell,
    heading: String,
    public_key: String,
    name: String,
    read_write: bool,
    problem: Option<String>,
}

async fn show_key(
    GlobalAdmin(viewer): GlobalAdmin,
    theme: Theme,
    Path(id): Path<String>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let (_, key) = key(&id, &db).await?;
    render(&EditApiKeyPage {
        shell: Shell::of(&viewer, theme, Section::Settings, "API key", &app),
        heading: key.name.clone(),
        public_key: key.public_key,
        name: key.name,
        read_write: key.read_write,
        problem: None,
    })
}

async fn change_key(
    GlobalAdmin(viewer): GlobalAdmin,
    theme: Theme,
    Path(id): Path<String>,
    State(app): State<App>,
    Db(db): Db,
    Form(form): Form<NewApiKeyForm>,
) -> Result<Response, AppError> {
    let read_write = form.read_write.is_some();
    let tx = db.begin().await?;
    let (id, before) = key(&id, &tx).await?;
    let name = match given_name(&form.name, API_KEY_NAME) {
        Ok(name) => name,
        Err(problem) => {
            tx.rollback().await?;
            let page = EditApiKeyPage {
                shell: Shell::of(&viewer, theme, Section::Settings, "API key", &app),
                heading: before.name,
                public_key: before.public_key,
                name: form.name,
                read_write,
                problem: Some(problem),
            };
            return render_with_status(StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
    };
    update_api_key(&tx, &id, name, &read_write).await?;
    let (object, detail) = (
        Object::new(KIND, id, name),
        changes(&before, name, read_write),
    );
    audit::note(&viewer, "changed", &object, &detail, &app, &tx).await?;
    tx.commit().await?;
    Ok(redirect(LIST))
}

async fn ask_to_delete(
    GlobalAdmin(viewer): GlobalAdmin,
    theme: Theme,
    Path(id): Path<String>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let (_, key) = key(&id, &db).await?;
    let heading = format!("Delete API key {}?", key.name);
    let confirm = Confirm {
        shell: Shell::of(&viewer, theme, Section::Settings, &heading, &app),
        heading,
        sentences: vec![
            "Programs that use it are refused from then on. The key cannot be brought back."
                .to_owned(),
            format!("Its public key is {}.", key.public_key),
        ],
        button: "Delete the key",
        is_final: true,
        back: LIST.to_owned(),
    };
    confirm.answer()
}

async fn delete_key(
    GlobalAdmin(viewer): GlobalAdmin,
    Path(id): Path<String>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let tx = db.begin().await?;
    let (id, key) = key(&id, &tx).await?;
    delete_api_key(&tx, &id).await?;
    let object = Object::new(KIND, id, &key.name);
    audit::note(&viewer, "deleted", &object, may(key.read_write), &app, &tx).await?;
    tx.commit().await?;
    Ok(redirect(LIST))
}

async fn key(id: &str, db: &impl Executor) -> Result<(ApiKeyId, FoundApiKey), AppError> {
    let id = ApiKeyId(number(id)?);
    let found = find_api_key(db, &id).await?.into_iter().next();
    Ok((id, found.ok_or(AppError::NotFound)?))
}

fn changes(before: &FoundApiKey, name: &str, read_write: bool) -> String {
    let mut words = Vec::new();
    if before.name != name {
        words.push(format!("name {} → {name}", before.name));
    }
    if before.read_write != read_write {
        words.push(format!("{} → {}", may(before.read_write), may(read_write)));
    }
    if words.is_empty() {
        words.push("nothing".to_owned());
    }
    words.join(", ")
}
