//! `/settings/users/{makestaff,removestaff,delete}/<id>/`: who manages people, and who goes.
//!
//! In Sal these are bare links that any global admin can open, staff or not. Here they ask first, of staff only.

use askama::Template;
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
    routing::get,
};
use sal_http::{
    Access, App, AppError, Routes,
    access::{
        Level, Staff, Viewer,
        last_admin::{self, Step},
    },
    db::Db,
};
use sal_store::{
    Client, Tx,
    api_tokens::count_tokens_of,
    people::{FoundPerson, administrators, delete_person, set_staff},
};

use super::{LIST, hold_administrators, person};
use crate::{
    audit::{self, Object},
    confirm::Confirm,
    page::{redirect, render_with_status},
    shell::{Section, Shell, Theme},
};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route(
            "/settings/users/makestaff/{id}/",
            Access::Staff,
            get(ask_to_make_staff).post(make_staff),
        )
        .route(
            "/settings/users/removestaff/{id}/",
            Access::Staff,
            get(ask_to_remove_staff).post(remove_staff),
        )
        .route(
            "/settings/users/delete/{id}/",
            Access::Staff,
            get(ask_to_delete).post(delete_user),
        )
}

/// Says why something is not done.
#[derive(Template)]
#[template(path = "users/refused.html")]
struct RefusedPage {
    shell: Shell,
    heading: String,
    problem: &'static str,
}

/// One of the three things that can be done.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Deed {
    MakeStaff,
    RemoveStaff,
    Delete,
}

async fn ask_to_make_staff(
    Staff(viewer): Staff,
    theme: Theme,
    Path(id): Path<String>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    ask(Deed::MakeStaff, &id, &viewer, theme, db, &app).await
}

async fn make_staff(
    Staff(viewer): Staff,
    theme: Theme,
    Path(id): Path<String>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    act(Deed::MakeStaff, &id, &viewer, theme, db, &app).await
}

async fn ask_to_remove_staff(
    Staff(viewer): Staff,
    theme: Theme,
    Path(id): Path<String>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    ask(Deed::RemoveStaff, &id, &viewer, theme, db, &app).await
}

async fn remove_staff(
    Staff(viewer): Staff,
    theme: Theme,
    Path(id): Path<String>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    act(Deed::RemoveStaff, &id, &viewer, theme, db, &app).await
}

async fn ask_to_delete(
    Staff(viewer): Staff,
    theme: Theme,
    Path(id): Path<String>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    ask(Deed::Delete, &id, &viewer, theme, db, &app).await
}

async fn delete_user(
    Staff(viewer): Staff,
    theme: Theme,
    Path(id): Path<String>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    act(Deed::Delete, &id, &viewer, theme, db, &app).await
}

async fn ask(
    deed: Deed,
    id: &str,
    viewer: &Viewer,
    theme: Theme,
    db: Client,
    app: &App,
) -> Result<Response, AppError> {
    let administrators = administrators(&db).await?;
    let person = person(id, &db).await?;
    let heading = deed.question(&person.username);
    let shell = Shell::of(viewer, theme, Section::Users, &heading, app);
    let problem = deed
        .problem(&person)
        .or_else(|| last_admin::problem(deed.step()?, &person, Some(viewer.id), &administrators));
    if let Some(problem) = problem {
        return refuse(shell, heading, problem);
    }
    let mut sentences = deed.sentences();
    if deed == Deed::Delete {
        let tokens = count_tokens_of(&db, &person.id, &app.now()).await?;
        let tokens = tokens.first().map_or(0, |tokens| tokens.count);
        sentences.extend(lost_tokens(tokens));
    }
    let confirm = Confirm {
        shell,
        heading,
        sentences,
        button: deed.button(),
        is_final: deed == Deed::Delete,
        back: LIST.to_owned(),
    };
    confirm.answer()
}

async fn act(
    deed: Deed,
    id: &str,
    viewer: &Viewer,
    theme: Theme,
    db: Client,
    app: &App,
) -> Result<Response, AppError> {
    let tx = db.begin().await?;
    let administrators = hold_administrators(viewer, &tx).await?;
    let person = person(id, &tx).await?;
    let problem = deed
        .problem(&person)
        .or_else(|| last_admin::problem(deed.step()?, &person, Some(viewer.id), &administrators));
    if let Some(problem) = problem {
        tx.rollback().await?;
        let heading = deed.question(&person.username);
        let shell = Shell::of(viewer, theme, Section::Users, &heading, app);
        return refuse(shell, heading, problem);
    }
    let user = Object::new("user", person.id, &person.username);
    deed.store(&person, viewer, &tx).await?;
    let (action, detail) = deed.words();
    audit::note(viewer, action, &user, detail, app, &tx).await?;
    tx.commit().await?;
    Ok(redirect(LIST))
}

/// What a deletion means for programs, where it means something.
fn lost_tokens(count: i64) -> Option<String> {
    let sentence = match count {
        0 => return None,
        1 => {
            "1 API token of this user stops working at once, and cannot be brought back.".to_owned()
        }
        _ => format!(
            "{count} API tokens of this user stop working at once, and cannot be brought back."
        ),
    };
    Some(sentence)
}

fn refuse(shell: Shell, heading: String, problem: &'static str) -> Result<Response, AppError> {
    let page = RefusedPage {
        shell,
        heading,
        problem,
    };
    render_with_status(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

impl Deed {
    /// Why it makes no sense for this person.
    fn problem(self, person: &FoundPerson) -> Option<&'static str> {
        let is_admin = Level::from_code(&person.level) == Level::GlobalAdmin;
        (self == Self::MakeStaff && !is_admin)
            .then_some("Only a global admin can be staff. Change the level first.")
    }

    /// The step that must not lock everybody out.
    fn step(self) -> Option<Step> {
        match self {
            Self::MakeStaff => None,
            Self::RemoveStaff => Some(Step::RemoveStaff),
            Self::Delete => Some(Step::Delete),
        }
    }

    async fn store(self, person: &FoundPerson, viewer: &Viewer, tx: &Tx) -> Result<(), AppError> {
        match self {
            Self::MakeStaff => set_staff(tx, &person.id, &true).await?,
            Self::RemoveStaff => set_staff(tx, &person.id, &false).await?,
            Self::Delete => delete_person(tx, &person.id, &viewer.id).await?,
        };
        Ok(())
    }

    fn question(self, username: &str) -> String {
        match self {
            Self::MakeStaff => format!("Make {username} staff?"),
            Self::RemoveStaff => format!("Take staff from {username}?"),
            Self::Delete => format!("Delete user {username}?"),
        }
    }

    fn sentences(self) -> Vec<String> {
        let sentences: &[&str] = match self {
            Self::MakeStaff => &[
                "Staff manage users: they make and delete accounts, change levels and set passwords.",
            ],
            Self::RemoveStaff => {
                &["A global admin without staff sees and changes everything but users."]
            }
            Self::Delete => &[
                "The account, its memberships in business units and its sessions are removed. Saved searches become yours.",
                "To keep the account and its history, deactivate it instead.",
            ],
        };
        sentences.iter().map(|text| (*text).to_owned()).collect()
    }

    fn button(self) -> &'static str {
        match self {
            Self::MakeStaff => "Make staff",
            Self::RemoveStaff => "Take staff away",
            Self::Delete => "Delete the user",
        }
    }

    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::MakeStaff => ("changed", "is staff now"),
            Self::RemoveStaff => ("changed", "no longer staff"),
            Self::Delete => ("deleted", ""),
        }
    }
}
