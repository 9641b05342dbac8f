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
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
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
    previous: Option<String>,
    next: Option<String>,
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
    page: Option<String>,
}

async fn show_users(
    Staff(viewer): Staff,
    theme: Theme,
    Query(query): Query<UsersQuery>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let search = query.q.unwrap_or_default().trim().replace('\0', "");
    let page = query.page.and_then(|page| page.parse().ok());
    let page = page.unwrap_or(1).clamp(1, MAX_PAGE);
    let offset = (page - 1) * PAGE_SIZE;
    let people = list_people(&db, search.as_str(), &PAGE_SIZE, &offset).await?;
    let total = people.first().map_or(0, |person| person.total);
    let href = |page| page_path(&search, page);
    let line = |person| UserLine::new(person, viewer.id, &app);
    render(&UsersPage {
        shell: Shell::of(&viewer, theme, Section::Users, "Users", &app),
        total: wording::count_of(total, "user", "users"),
        previous: (page > 1).then(|| href(page - 1)),
        next: (offset + PAGE_SIZE < total).then(|| href(page + 1)),
        lines: people.into_iter().map(line).collect(),
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

fn page_path(search: &str, page: i64) -> String {
    let search = utf8_percent_encode(search, NON_ALPHANUMERIC);
    format!("{LIST}?q={search}&page={page}")
}

const LIST: &str = "/settings/users/";
const PAGE_SIZE: i64 = 100;
const MAX_PAGE: i64 = 1_000_000;
