//! `/settings/api-keys/`: the keys that programs show to the REST API.
//!
//! Changing and deleting is in `keep`. The private part is shown once, on request: a page that was only opened, or fetched ahead by a browser, does not
//! use that up.

mod keep;

use askama::Template;
use axum::{
    Form,
    extract::{Path, State},
    http::{HeaderValue, StatusCode, header},
    response::Response,
    routing::get,
};
use sal_http::random_key::{API_KEY_PRIVATE, API_KEY_PUBLIC, random_key};
use sal_http::{Access, App, AppError, Routes, access::GlobalAdmin, db::Db};
use sal_store::{
    api_keys::{
        ListedApiKey, TakenApiKey, find_api_key, insert_api_key, list_api_keys, take_api_key,
    },
    ids::ApiKeyId,
};
use serde::Deserialize;

use crate::{
    audit::{self, Object},
    fleet_part::number,
    given_name::{API_KEY_NAME, given_name},
    page::{redirect, render, render_with_status},
    shell::{Section, Shell, Theme},
};

pub(crate) fn routes() -> Routes {
    Routes::new()
        .route(LIST, Access::GlobalAdmin, get(show_api_keys))
        .route(
            "/settings/api-keys/new/",
            Access::GlobalAdmin,
            get(show_new_api_key).post(create_api_key),
        )
        .route(
            "/settings/api-keys/display/{id}/",
            Access::GlobalAdmin,
            get(offer_api_key).post(show_api_key_once),
        )
        .merge(keep::routes())
}

#[derive(Template)]
#[template(path = "settings/api_keys.html")]
struct ApiKeysPage {
    shell: Shell,
    keys: Vec<ListedApiKey>,
}

#[derive(Template)]
#[template(path = "settings/new_api_key.html")]
struct NewApiKeyPage {
    shell: Shell,
    name: String,
    read_write: bool,
    problem: Option<String>,
}

#[derive(Template)]
#[template(path = "settings/api_key.html")]
struct ApiKeyPage {
    shell: Shell,
    name: String,
    /// The key, after the button was pressed.
    taken: Option<TakenApiKey>,
}

#[derive(Deserialize)]
struct NewApiKeyForm {
    #[serde(default)]
    name: String,
    /// A ticked box, whatever it sends.
    read_write: Option<String>,
}

async fn show_api_keys(
    GlobalAdmin(viewer): GlobalAdmin,
    theme: Theme,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    render(&ApiKeysPage {
        shell: Shell::of(&viewer, theme, Section::Settings, "API keys", &app),
        keys: list_api_keys(&db).await?,
    })
}

async fn show_new_api_key(
    GlobalAdmin(viewer): GlobalAdmin,
    theme: Theme,
    State(app): State<App>,
) -> Result<Response, AppError> {
    render(&NewApiKeyPage {
        shell: Shell::of(&viewer, theme, Section::Settings, "New API key", &app),
        name: String::new(),
        read_write: false,
        problem: None,
    })
}

async fn create_api_key(
    GlobalAdmin(viewer): GlobalAdmin,
    theme: Theme,
    State(app): State<App>,
    Db(db): Db,
    Form(form): Form<NewApiKeyForm>,
) -> Result<Response, AppError> {
    let read_write = form.read_write.is_some();
    let name = match given_name(&form.name, API_KEY_NAME) {
        Ok(name) => name,
        // what cannot be taken is answered with 422.
        Err(problem) => {
            let page = NewApiKeyPage {
                shell: Shell::of(&viewer, theme, Section::Settings, "New API key", &app),
                name: form.name,
                read_write,
                problem: Some(problem),
            };
            return render_with_status(StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
    };
    let (public, private) = (random_key(API_KEY_PUBLIC), random_key(API_KEY_PRIVATE));
    let tx = db.begin().await?;
    let made = insert_api_key(&tx, name, public.as_str(), private.as_str(), &read_write).await?;
    let id = made.first().ok_or(AppError::NotFound)?.id;
    let key = Object::new(KIND, id, name);
    audit::note(&viewer, "made", &key, may(read_write), &app, &tx).await?;
    tx.commit().await?;
    Ok(redirect(&format!("/settings/api-keys/display/{id}/")))
}

async fn offer_api_key(
    GlobalAdmin(viewer): GlobalAdmin,
    theme: Theme,
    Path(id): Path<String>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let id = ApiKeyId(number(&id)?);
    let found = find_api_key(&db, &id).await?.into_iter().next();
    let key = found.ok_or(AppError::NotFound)?;
    if key.has_been_seen {
        return Ok(redirect(LIST));
    }
    render(&ApiKeyPage {
        shell: Shell::of(&viewer, theme, Section::Settings, "API key", &app),
        name: key.name,
        taken: None,
    })
}

async fn show_api_key_once(
    GlobalAdmin(viewer): GlobalAdmin,
    theme: Theme,
    Path(id): Path<String>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let id = ApiKeyId(number(&id)?);
    let tx = db.begin().await?;
    let Some(key) = take_api_key(&tx, &id).await?.into_iter().next() else {
        tx.rollback().await?;
        return Ok(redirect(LIST));
    };
    let object = Object::new(KIND, id, &key.name);
    audit::note(&viewer, "shown", &object, PRIVATE_PART, &app, &tx).await?;
    tx.commit().await?;
    let mut response = render(&ApiKeyPage {
        shell: Shell::of(&viewer, theme, Section::Settings, "API key", &app),
        name: key.name.clone(),
        taken: Some(key),
    })?;
    let never = HeaderValue::from_static("no-store");
    response.headers_mut().insert(header::CACHE_CONTROL, never);
    Ok(response)
}

/// The words for what a key may do.
fn may(read_write: bool) -> &'static str {
    if read_write { "read and write" } else { "read" }
}

const LIST: &str = "/settings/api-keys/";
const KIND: &str = "API key";
const PRIVATE_PART: &str = "the private part, once";
