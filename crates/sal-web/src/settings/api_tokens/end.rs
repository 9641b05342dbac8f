//! `/settings/api-tokens/{revoke,former}/<id>/`: refuses a token, or only the secret before, from now on.

use askama::Template;
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
    routing::get,
};
use sal_http::{Access, App, AppError, Routes, access::GlobalAdmin, db::Db};
use sal_store::api_tokens::{end_former_secret, revoke_token};

use super::{KIND, LIST, living};
use crate::{
    audit::{self, Object},
    confirm::Confirm,
    page::{redirect, render_with_status},
    shell::{Section, Shell, Theme},
};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route(
            "/settings/api-tokens/revoke/{id}/",
            Access::GlobalAdmin,
            get(ask_to_revoke).post(revoke),
        )
        .route(
            "/settings/api-tokens/former/{id}/",
            Access::GlobalAdmin,
            get(ask_to_end_former).post(end_former),
        )
}

/// Says that there is no previous secret.
#[derive(Template)]
#[template(path = "settings/nothing_to_end.html")]
struct NothingToEnd {
    shell: Shell,
    heading: String,
}

async fn ask_to_revoke(
    GlobalAdmin(viewer): GlobalAdmin,
    theme: Theme,
    Path(id): Path<String>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let token = living(&id, &db).await?;
    let heading = format!("Revoke API token {}?", token.name);
    let confirm = Confirm {
        shell: Shell::of(&viewer, theme, Section::Settings, &heading, &app),
        heading,
        sentences: vec![
            "Programs that use it are refused from then on. The token cannot be brought back."
                .to_owned(),
        ],
        button: "Revoke the token",
        is_final: true,
        back: LIST.to_owned(),
    };
    confirm.answer()
}

async fn revoke(
    GlobalAdmin(viewer): GlobalAdmin,
    Path(id): Path<String>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let tx = db.begin().await?;
    let token = living(&id, &tx).await?;
    revoke_token(&tx, &token.id, &app.now()).await?;
    let object = Object::new(KIND, token.id, &token.name);
    audit::note(&viewer, "revoked", &object, "", &app, &tx).await?;
    tx.commit().await?;
    Ok(redirect(LIST))
}

async fn ask_to_end_former(
    GlobalAdmin(viewer): GlobalAdmin,
    theme: Theme,
    Path(id): Path<String>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let token = living(&id, &db).await?;
    let heading = format!("End the previous secret of {}?", token.name);
    if token.former_ends.is_none_or(|end| end <= app.now()) {
        let page = NothingToEnd {
            shell: Shell::of(&viewer, theme, Section::Settings, &heading, &app),
            heading,
        };
        return render_with_status(StatusCode::NOT_FOUND, &page);
    }
    let used = match token.former_used {
        Some(_) => "Somebody has used it since it was replaced.",
        None => "Nobody has used it since it was replaced.",
    };
    let confirm = Confirm {
        shell: Shell::of(&viewer, theme, Section::Settings, &heading, &app),
        heading,
        sentences: vec![
            used.to_owned(),
            "Programs that still use it are refused from then on. The present secret goes on working.".to_owned(),
        ],
        button: "End it now",
        is_final: true,
        back: LIST.to_owned(),
    };
    confirm.answer()
}

async fn end_former(
    GlobalAdmin(viewer): GlobalAdmin,
    Path(id): Path<String>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let tx = db.begin().await?;
    let token = living(&id, &tx).await?;
    if end_former_secret(&tx, &token.id).await? > 0 {
        let object = Object::new(KIND, token.id, &token.name);
        let detail = "the previous secret ended";
        audit::note(&viewer, "changed", &object, detail, &app, &tx).await?;
    }
    tx.commit().await?;
    Ok(redirect(LIST))
}
