//! `/preflight-v2/`: which plugin scripts a client shall run, and their texts.
//!
//! A client deletes every script that is not listed, and all of them when the request fails (sal-protocol §2),
//! so a failure here must be an error and never an empty list.

use axum::extract::{Path, Request, State};
use axum::http::{Method, StatusCode};
use axum::response::Response;
use sal_http::checkin_key::CheckinClient;
use sal_http::{App, AppError, db::machine_client, django, enabled_plugins};
use sal_store::plugins::{DEFAULT_WIDGETS, enable_default_widgets};
use serde::Serialize;

use crate::form;

/// A script without its text.
#[derive(Debug, Serialize)]
struct ListedScript<'a> {
    plugin: &'a str,
    filename: &'a str,
    hash: &'a str,
}

/// A script.
#[derive(Debug, Serialize)]
struct SentScript<'a> {
    plugin: &'a str,
    filename: &'a str,
    hash: &'a str,
    content: &'a str,
}

/// Lists the scripts of all enabled plugins that support the client's `os_family` (form field of a POST).
pub(crate) async fn list_scripts(
    State(app): State<App>,
    _client: CheckinClient,
    request: Request,
) -> Result<Response, AppError> {
    let os_family = os_family(&app, request).await?;
    let db = machine_client(0, &app).await?;
    let defaults = DEFAULT_WIDGETS
        .iter()
        .map(|name| (*name).to_owned())
        .collect();
    enable_default_widgets(&db, &defaults).await?;
    let enabled = enabled_plugins(&db).await?;
    let scripts = app.registry().scripts_for(&enabled, os_family.as_deref());
    let listed: Vec<_> = scripts
        .iter()
        .map(|script| ListedScript {
            plugin: &script.plugin,
            filename: &script.filename,
            hash: &script.hash,
        })
        .collect();
    answer(&listed)
}

/// Sends one script, or an empty list. Scripts of disabled plugins are sent too, as in the original.
pub(crate) async fn send_script(
    State(app): State<App>,
    _client: CheckinClient,
    Path((plugin, name)): Path<(String, String)>,
) -> Result<Response, AppError> {
    if plugin.contains('/') || name.contains('/') {
        return Err(AppError::NotFound);
    }
    let registry = app.registry();
    let found = registry.script(&plugin, &name);
    let sent: Vec<_> = found
        .iter()
        .map(|script| SentScript {
            plugin: &script.plugin,
            filename: &script.filename,
            hash: &script.hash,
            content: &script.content,
        })
        .collect();
    answer(&sent)
}

/// Only a POST can name an operating system; one that does not gets all scripts, like a GET.
async fn os_family(app: &App, request: Request) -> Result<Option<String>, AppError> {
    if request.method() != Method::POST {
        return Ok(None);
    }
    // One that is no form names none, as in the original; the list is the same that a GET gets.
    let (mut form, _is_form) = form::read_whatever(app, request).await?;
    Ok(form.fields.remove("os_family"))
}

fn answer(list: &impl Serialize) -> Result<Response, AppError> {
    let body = serde_json::to_string(list)
        .map_err(|error| AppError::internal("writing a list of scripts", error))?;
    Ok(django::answer(StatusCode::OK, body))
}
