//! `/settings/users/`: the people who may log in, with their levels and business units. For global admins who are staff.
//!
//! Making and changing a person is in `new` and `edit`, staff and removal in `flags`, accounts of single sign-on in `link`. Who may manage people cannot be
//! taken from the last one who does; the rule is in `sal_http::access::last_admin`.

mod edit;
mod flags;
mod form;
mod link;
mod new;

use askama::Template;
use axum::{
    extract::{Query, State},
    response::Response,
    routing::get,
};
use jiff::Timestamp;
use sal_http::{
    Access, App, AppError, Routes,
    access::{Level, Staff, Viewer},
    db::Db,
};
use sal_store::{
    Tx,
    ids::UserId,
    people::{
        Administrator, FoundPerson, ListedPerson, administrators, find_person, list_people,
        lock_administrators,
    },
    pool::Executor,
    users::ensure_profile,
};
use serde::Deserialize;

use crate::{
    fleet_part::number,
    page::render,
    paging::{Pages, Position, address},
    shell::{Section, Shell, Theme},
    wording::{self, Moment},
};

pub(crate) fn routes() -> Routes {
    Routes::new()
        .route(LIST, Access::Staff, get(show_users))
        .merge(new::routes())
        .merge(edit::routes())
        .merge(flags::routes())
        .merge(link::routes())
}

#[derive(Template)]
#[template(path = "users/list.html")]
struct UsersPage {
    shell: Shell,
    search: String,
    total: String,
    lines: Vec<UserLine>,
    pages: Pages,
}

/// A person as a line of the table.
struct UserLine {
    id: UserId,
    username: String,
    /// First and last name.
    name: String,
    level: &'static str,
    units: String,
    is_admin: bool,
    is_staff: bool,
    is_superuser: bool,
    is_active: bool,
    has_password: bool,
    is_you: bool,
    last_login: Option<Moment>,
}

#[derive(Deserialize)]
struct UsersQuery {
    q: Option<String>,
    #[serde(flatten)]
    position: Position,
}

async fn show_users(
    Staff(viewer): Staff,
    theme: Theme,
    Query(query): Query<UsersQuery>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let search = query.q.unwrap_or_default().trim().replace('\0', "");
    let start = query.position.start(ORDER, PAGE_SIZE);
    let page = list_people(&search, &start, Some(PAGE_SIZE), &db).await?;
    let line = |person| UserLine::new(person, viewer.id, &app);
    render(&UsersPage {
        shell: Shell::of(&viewer, theme, Section::Users, "Users", &app),
        total: wording::count_of(page.total, "user", "users"),
        pages: Pages::of(&page, ORDER, PAGE_SIZE, |at| {
            address(LIST, &[("q", &search), at])
        }),
        lines: page.rows.into_iter().map(line).collect(),
        search,
    })
}

impl UserLine {
    fn new(person: ListedPerson, viewer: UserId, app: &App) -> Self {
        let level = Level::from_code(&person.level);
        let moment = |at: Timestamp| Moment::new(at, app.now(), &app.config.time_zone);
        let name = format!("{} {}", person.first_name, person.last_name);
        Self {
            id: person.id,
            username: person.username,
            name: name.trim().to_owned(),
            level: level.title(),
            is_admin: level == Level::GlobalAdmin,
            units: match level {
                Level::GlobalAdmin => "All".to_owned(),
                _ => person.units.join(", "),
            },
            is_staff: person.is_staff,
            is_superuser: person.is_superuser,
            is_active: person.is_active,
            has_password: person.has_password,
            is_you: person.id == viewer,
            last_login: person.last_login.map(moment),
        }
    }
}

/// Everybody who can manage people, held until the transaction ends.
async fn hold_administrators(viewer: &Viewer, tx: &Tx) -> Result<Vec<Administrator>, AppError> {
    // Whoever is alone is an administrator by that alone; from now on the tables say so too.
    ensure_profile(tx, &viewer.id).await?;
    lock_administrators(tx).await?;
    Ok(administrators(tx).await?)
}

/// The person whose id stands in the URL.
///
/// # Errors
/// Not found when there is none.
async fn person(id: &str, db: &impl Executor) -> Result<FoundPerson, AppError> {
    let id = UserId(number(id)?);
    let found = find_person(db, &id).await?.into_iter().next();
    found.ok_or(AppError::NotFound)
}

const LIST: &str = "/settings/users/";
/// The only order that there is, in the borders of pages.
const ORDER: &str = "users";
const PAGE_SIZE: i64 = 100;
