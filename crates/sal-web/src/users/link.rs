//! `/settings/users/link/<id>/`: which account of a single sign-on provider is this person. Nobody becomes a user by
//! having the same name: somebody who is staff says so here, or on the command line.

use askama::Template;
use axum::{
    Form,
    extract::{Path, State},
    http::StatusCode,
    response::Response,
    routing::get,
};
use sal_http::{
    Access, App, AppError, Routes,
    access::{
        Staff, Viewer,
        oidc::link::{self, By, Identity, LinkFault, User},
    },
    db::Db,
};
use sal_store::{Tx, identities::identities_of, people::FoundPerson, pool::Executor};
use serde::Deserialize;

use super::person;
use crate::{
    page::{redirect, render, render_with_status},
    shell::{Section, Shell, Theme},
    wording::Moment,
};

pub(super) fn routes() -> Routes {
    Routes::new().route(
        "/settings/users/link/{id}/",
        Access::Staff,
        get(show_links).post(change_links),
    )
}

#[derive(Template)]
#[template(path = "users/link.html")]
struct LinkPage {
    shell: Shell,
    id: i32,
    username: String,
    lines: Vec<Line>,
    issuer: String,
    subject: String,
    problem: Option<String>,
}

/// An account of the person.
struct Line {
    issuer: String,
    subject: String,
    last_login: Moment,
}

#[derive(Deserialize)]
struct LinkForm {
    /// `link` or `unlink`.
    action: String,
    issuer: String,
    subject: String,
}

async fn show_links(
    Staff(viewer): Staff,
    theme: Theme,
    Path(id): Path<String>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let person = person(&id, &db).await?;
    render(&LinkPage::of(&person, &viewer, theme, &app, &db).await?)
}

async fn change_links(
    Staff(viewer): Staff,
    theme: Theme,
    Path(id): Path<String>,
    State(app): State<App>,
    Db(db): Db,
    Form(form): Form<LinkForm>,
) -> Result<Response, AppError> {
    let tx = db.begin().await?;
    let person = person(&id, &tx).await?;
    match change(&form, &person, &viewer, &app, &tx).await {
        Ok(()) => {
            tx.commit().await?;
            Ok(redirect(&path(&person)))
        }
        Err(LinkFault::Store(error)) => Err(error.into()),
        Err(fault) => {
            let db = tx.rollback().await?;
            let page = LinkPage {
                issuer: form.issuer,
                subject: form.subject,
                problem: Some(sentence(&fault)),
                ..LinkPage::of(&person, &viewer, theme, &app, &db).await?
            };
            render_with_status(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
    }
}

async fn change(
    form: &LinkForm,
    person: &FoundPerson,
    viewer: &Viewer,
    app: &App,
    tx: &Tx,
) -> Result<(), LinkFault> {
    let account = Identity::parse(&form.issuer, &form.subject)?;
    let user = User {
        id: person.id,
        name: &person.username,
    };
    let by = By {
        id: Some(viewer.id),
        name: &viewer.name,
    };
    if form.action == "unlink" {
        return link::unlink(user, &account, by, app.now(), tx).await;
    }
    let _is_new = link::link(user, &account, by, app.now(), tx).await?;
    Ok(())
}

impl LinkPage {
    async fn of(
        person: &FoundPerson,
        viewer: &Viewer,
        theme: Theme,
        app: &App,
        db: &impl Executor,
    ) -> Result<Self, AppError> {
        let lines = identities_of(db, &person.id).await?.into_iter();
        let title = format!("Single sign-on of {}", person.username);
        let configured = app.oidc.as_ref();
        Ok(Self {
            shell: Shell::of(viewer, theme, Section::Users, &title, app),
            id: person.id.0,
            username: person.username.clone(),
            lines: lines
                .map(|line| Line {
                    issuer: line.issuer,
                    subject: line.subject,
                    last_login: Moment::new(line.last_login, app.now(), &app.config.time_zone),
                })
                .collect(),
            issuer: configured
                .map_or_else(String::new, |oidc| oidc.config.issuer.as_str().to_owned()),
            subject: String::new(),
            problem: None,
        })
    }
}

/// The fault as a sentence of a page.
fn sentence(fault: &LinkFault) -> String {
    let text = fault.to_string();
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(characters).chain(['.']).collect()
}

fn path(person: &FoundPerson) -> String {
    format!("/settings/users/link/{}/", person.id.0)
}
