//! `/settings/api-tokens/`: the tokens that programs show to the REST API.
//!
//! `make` has the form, `secret` shows a secret once and replaces it, `end` revokes. What a token may do never changes:
//! whoever wants another makes another.

mod end;
mod make;
mod secret;

use askama::Template;
use axum::{extract::State, response::Response, routing::get};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use sal_http::{Access, App, AppError, Routes, access::GlobalAdmin, api_token::may, db::Db};
use sal_store::{
    api_tokens::{ListedToken, list_tokens},
    ids::TokenId,
    pool::Executor,
};

use crate::{
    page::render,
    shell::{Section, Shell, Theme},
    wording::Moment,
};

pub(crate) fn routes() -> Routes {
    Routes::new()
        .route(LIST, Access::GlobalAdmin, get(show_tokens))
        .merge(make::routes())
        .merge(secret::routes())
        .merge(end::routes())
}

#[derive(Template)]
#[template(path = "settings/api_tokens.html")]
struct TokensPage {
    shell: Shell,
    tokens: Vec<TokenLine>,
}

/// A token as a line of the table.
struct TokenLine {
    id: i64,
    name: String,
    owner: String,
    may: &'static str,
    units: String,
    tone: &'static str,
    state: &'static str,
    /// When it ends or ended.
    ends: Option<Moment>,
    used: Option<Moment>,
    address: String,
    /// When the secret before ends, while it works.
    former_ends: Option<Moment>,
    /// Whether the secret before was used since it was replaced.
    former_is_used: bool,
    has_secret: bool,
    is_revoked: bool,
}

async fn show_tokens(
    GlobalAdmin(viewer): GlobalAdmin,
    theme: Theme,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let (now, zone) = (app.now(), &app.config.time_zone);
    let tokens = list_tokens(&db).await?;
    render(&TokensPage {
        shell: Shell::of(&viewer, theme, Section::Settings, "API tokens", &app),
        tokens: tokens.iter().map(|token| line(token, now, zone)).collect(),
    })
}

fn line(token: &ListedToken, now: Timestamp, zone: &TimeZone) -> TokenLine {
    let moment = |at: Timestamp| Moment::new(at, now, zone);
    let (tone, state) = state(token, now);
    let former = token.former_ends.filter(|end| *end > now);
    TokenLine {
        id: token.id.0,
        name: token.name.clone(),
        owner: token
            .owner
            .clone()
            .unwrap_or_else(|| "(deleted)".to_owned()),
        may: may(token.can_write, token.sees_keys),
        units: units(token),
        tone,
        state,
        ends: token.revoked.or(token.expires).map(moment),
        used: token.last_used.map(moment),
        address: token.last_address.clone().unwrap_or_default(),
        former_ends: former.map(moment),
        former_is_used: token.former_used.is_some(),
        has_secret: token.has_secret,
        is_revoked: token.revoked.is_some(),
    }
}

/// The state in a word, and its tone.
fn state(token: &ListedToken, now: Timestamp) -> (&'static str, &'static str) {
    if token.works(now) {
        ("good", "Works")
    } else if token.revoked.is_some() {
        ("none", "Revoked")
    } else if token.expires.is_some_and(|end| end <= now) {
        ("warn", "Expired")
    } else if !token.has_secret {
        ("warn", "Secret not shown yet")
    } else {
        ("bad", "Owner is no longer a global admin")
    }
}

fn units(token: &ListedToken) -> String {
    match &token.units {
        None => "All".to_owned(),
        Some(_) if token.unit_names.is_empty() => "None left (all deleted)".to_owned(),
        Some(_) => token.unit_names.join(", "),
    }
}

/// A token that was not revoked.
async fn living(id: &str, db: &impl Executor) -> Result<ListedToken, AppError> {
    let id = TokenId(id.parse().map_err(|_no_id| AppError::NotFound)?);
    let mut all = list_tokens(db).await?.into_iter();
    all.find(|token| token.id == id && token.revoked.is_none())
        .ok_or(AppError::NotFound)
}

const LIST: &str = "/settings/api-tokens/";
const KIND: &str = "API token";
