//! `/settings/api-tokens/secret/<id>/`: a token's secret is drawn and shown once; another one takes its place later.
//!
//! The form says how many secrets there were when it was shown, so that a form that is sent twice does not end the secret
//! of the first time.

use askama::Template;
use axum::{
    Form,
    extract::{Path, State},
    http::{HeaderValue, header},
    response::Response,
    routing::get,
};
use sal_http::{
    Access, App, AppError, Routes,
    access::GlobalAdmin,
    api_token::{TokenSecret, USUAL_OVERLAP_DAYS, days_from, overlap},
    db::Db,
};
use sal_store::{api_tokens::replace_secret, ids::TokenId};
use serde::Deserialize;

use super::{KIND, LIST, living};
use crate::{
    audit::{self, Object},
    page::{redirect, render},
    shell::{Section, Shell, Theme},
    wording::Moment,
};

pub(super) fn routes() -> Routes {
    Routes::new().route(
        "/settings/api-tokens/secret/{id}/",
        Access::GlobalAdmin,
        get(offer_secret).post(show_secret_once),
    )
}

#[derive(Template)]
#[template(path = "settings/api_token.html")]
struct TokenPage {
    shell: Shell,
    name: String,
    secrets: i32,
    /// How long the secret before may go on working, in days, and the words.
    overlaps: &'static [(u16, &'static str)],
    usual: u16,
    /// When the secret before ends, where it works.
    former_ends: Option<Moment>,
    /// After the button was pressed.
    shown: Option<TokenSecret>,
}

#[derive(Deserialize)]
struct SecretForm {
    /// How many there were.
    secrets: i32,
    /// How long the one before goes on working.
    #[serde(default)]
    days: u16,
}

async fn offer_secret(
    GlobalAdmin(viewer): GlobalAdmin,
    theme: Theme,
    Path(id): Path<String>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let (token, now) = (living(&id, &db).await?, app.now());
    let former = token.former_ends.filter(|end| *end > now);
    render(&TokenPage {
        shell: Shell::of(&viewer, theme, Section::Settings, "API token", &app),
        name: token.name,
        secrets: token.secrets,
        overlaps: OVERLAPS,
        usual: USUAL_OVERLAP_DAYS,
        former_ends: former.map(|end| Moment::new(end, now, &app.config.time_zone)),
        shown: None,
    })
}

async fn show_secret_once(
    GlobalAdmin(viewer): GlobalAdmin,
    theme: Theme,
    Path(id): Path<String>,
    State(app): State<App>,
    Db(db): Db,
    Form(form): Form<SecretForm>,
) -> Result<Response, AppError> {
    let id = TokenId(id.parse().map_err(|_no_id| AppError::NotFound)?);
    let longest = OVERLAPS.iter().map(|(days, _)| *days).max().unwrap_or(0);
    let days = form.days.min(longest);
    let former_ends = days_from(app.now(), days);
    let secret = TokenSecret::draw();
    let tx = db.begin().await?;
    let renewed = replace_secret(&tx, &id, &form.secrets, &secret.hash(), &former_ends).await?;
    let Some(token) = renewed.into_iter().next() else {
        tx.rollback().await?;
        return Ok(redirect(LIST));
    };
    let (action, detail) = match form.secrets {
        0 => ("shown", "the secret, once".to_owned()),
        _ => ("renewed", overlap(days)),
    };
    let object = Object::new(KIND, id, &token.name);
    audit::note(&viewer, action, &object, &detail, &app, &tx).await?;
    tx.commit().await?;
    let mut response = render(&TokenPage {
        shell: Shell::of(&viewer, theme, Section::Settings, "API token", &app),
        name: token.name.clone(),
        secrets: form.secrets,
        overlaps: OVERLAPS,
        usual: USUAL_OVERLAP_DAYS,
        former_ends: None,
        shown: Some(secret),
    })?;
    let never = HeaderValue::from_static("no-store");
    response.headers_mut().insert(header::CACHE_CONTROL, never);
    Ok(response)
}

const OVERLAPS: &[(u16, &str)] = &[
    (0, "Not at all"),
    (1, "For a day"),
    (7, "For a week"),
    (30, "For 30 days"),
    (90, "For 90 days"),
];
