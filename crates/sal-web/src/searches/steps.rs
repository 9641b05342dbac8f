//! The steps of Sal's own builder, as Sal's forms and links have them: one row is added, one group is turned. In Sal
//! links do it; here they lead to the builder, and the same address does it by POST.

use axum::{
    Form,
    extract::{Path, State},
    response::Response,
    routing::get,
};
use sal_http::{
    Access, App, AppError, Routes,
    access::{SeesMachines, Viewer},
    db::Db,
};
use sal_store::{
    Client,
    ids::{SearchGroupId, SearchId, SearchRowId},
    search_steps::{
        add_group, add_row, begin_search, change_row, remove_group, remove_row, search_of_group,
        search_of_row, turn_group,
    },
};
use serde::Deserialize;

use super::own;
use crate::page::redirect;

pub(super) fn routes() -> Routes {
    Routes::new()
        .route(
            "/search/new/",
            Access::SeesMachines,
            get(to_new).post(begin),
        )
        .route(
            "/search/new_search_group/{id}/",
            Access::SeesMachines,
            get(to_builder).post(new_group),
        )
        .route(
            "/search/new_search_row/{id}/",
            Access::SeesMachines,
            get(group_to_builder).post(new_row),
        )
        .route(
            "/search/edit_search_row/{id}/",
            Access::SeesMachines,
            get(row_to_builder).post(edit_row),
        )
        .route(
            "/search/delete_search_group/{id}/",
            Access::SeesMachines,
            get(group_to_builder).post(delete_group),
        )
        .route(
            "/search/delete_search_row/{id}/",
            Access::SeesMachines,
            get(row_to_builder).post(delete_row),
        )
        .route(
            "/search/and_or_group/{id}/",
            Access::SeesMachines,
            get(group_to_builder).post(and_or),
        )
}

/// Sal's form of a row.
#[derive(Deserialize)]
struct RowForm {
    #[serde(default)]
    search_models: String,
    #[serde(default)]
    search_field: String,
    #[serde(default)]
    and_or: String,
    #[serde(default)]
    operator: String,
    #[serde(default)]
    search_term: String,
}

impl RowForm {
    /// The form as Sal takes it.
    ///
    /// # Errors
    /// A bad request that names the field.
    fn checked(mut self) -> Result<Self, AppError> {
        let wrong = |field: &str, wanted: &str| {
            Err(AppError::BadRequest(format!("`{field}` must be {wanted}.")))
        };
        if !MODELS.contains(&self.search_models.as_str()) {
            return wrong("search_models", &MODELS.join(", "));
        }
        if !OPERATORS.contains(&self.operator.as_str()) {
            return wrong("operator", &OPERATORS.join(", "));
        }
        if self.and_or.is_empty() {
            "AND".clone_into(&mut self.and_or);
        }
        if !["AND", "OR"].contains(&self.and_or.as_str()) {
            return wrong("and_or", "AND or OR");
        }
        for (name, value) in [
            ("search_field", &self.search_field),
            ("search_term", &self.search_term),
        ] {
            let fits = (1..=MOST_CHARACTERS).contains(&value.trim().chars().count());
            if !fits || value.contains('\0') {
                return wrong(name, &format!("1 to {MOST_CHARACTERS} characters"));
            }
        }
        // Django cuts the blanks around what forms send.
        self.search_field = self.search_field.trim().to_owned();
        self.search_term = self.search_term.trim().to_owned();
        Ok(self)
    }
}

async fn to_new(_viewer: SeesMachines) -> Response {
    redirect("/search/builder/")
}

async fn begin(
    SeesMachines(viewer): SeesMachines,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let tx = db.begin().await?;
    let made = begin_search(&tx, &viewer.id, &app.now()).await?;
    let id = made.first().map(|made| made.id).ok_or(AppError::NotFound)?;
    add_group(&tx, &id).await?;
    tx.commit().await?;
    Ok(redirect(&path(id)))
}

async fn to_builder(
    SeesMachines(viewer): SeesMachines,
    Path(id): Path<String>,
    Db(db): Db,
) -> Result<Response, AppError> {
    Ok(redirect(&path(own(&id, &viewer, &db).await?.id)))
}

async fn group_to_builder(
    SeesMachines(viewer): SeesMachines,
    Path(id): Path<String>,
    Db(db): Db,
) -> Result<Response, AppError> {
    Ok(redirect(&path(of_group(&id, &viewer, &db).await?.1)))
}

async fn row_to_builder(
    SeesMachines(viewer): SeesMachines,
    Path(id): Path<String>,
    Db(db): Db,
) -> Result<Response, AppError> {
    Ok(redirect(&path(of_row(&id, &viewer, &db).await?.1)))
}

async fn new_group(
    SeesMachines(viewer): SeesMachines,
    Path(id): Path<String>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let search = own(&id, &viewer, &db).await?.id;
    add_group(&db, &search).await?;
    Ok(redirect(&path(search)))
}

async fn new_row(
    SeesMachines(viewer): SeesMachines,
    Path(id): Path<String>,
    Db(db): Db,
    Form(form): Form<RowForm>,
) -> Result<Response, AppError> {
    let (group, search) = of_group(&id, &viewer, &db).await?;
    let row = form.checked()?;
    add_row(
        &db,
        &group,
        &row.search_models,
        &row.search_field,
        &row.and_or,
        &row.operator,
        &row.search_term,
    )
    .await?;
    Ok(redirect(&path(search)))
}

async fn edit_row(
    SeesMachines(viewer): SeesMachines,
    Path(id): Path<String>,
    Db(db): Db,
    Form(form): Form<RowForm>,
) -> Result<Response, AppError> {
    let (id, search) = of_row(&id, &viewer, &db).await?;
    let row = form.checked()?;
    change_row(
        &db,
        &id,
        &row.search_models,
        &row.search_field,
        &row.and_or,
        &row.operator,
        &row.search_term,
    )
    .await?;
    Ok(redirect(&path(search)))
}

async fn delete_group(
    SeesMachines(viewer): SeesMachines,
    Path(id): Path<String>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let (group, search) = of_group(&id, &viewer, &db).await?;
    remove_group(&db, &group).await?;
    Ok(redirect(&path(search)))
}

async fn delete_row(
    SeesMachines(viewer): SeesMachines,
    Path(id): Path<String>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let (row, search) = of_row(&id, &viewer, &db).await?;
    remove_row(&db, &row).await?;
    Ok(redirect(&path(search)))
}

async fn and_or(
    SeesMachines(viewer): SeesMachines,
    Path(id): Path<String>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let (group, search) = of_group(&id, &viewer, &db).await?;
    turn_group(&db, &group).await?;
    Ok(redirect(&path(search)))
}

/// A group and its search, which the viewer may change.
async fn of_group(
    id: &str,
    viewer: &Viewer,
    db: &Client,
) -> Result<(SearchGroupId, SearchId), AppError> {
    let group = SearchGroupId(number(id)?);
    let search = search_of_group(db, &group).await?.into_iter().next();
    let search = search.ok_or(AppError::NotFound)?.search;
    Ok((group, own(&search.to_string(), viewer, db).await?.id))
}

/// A row and its search, which the viewer may change.
async fn of_row(
    id: &str,
    viewer: &Viewer,
    db: &Client,
) -> Result<(SearchRowId, SearchId), AppError> {
    let row = SearchRowId(number(id)?);
    let search = search_of_row(db, &row).await?.into_iter().next();
    let search = search.ok_or(AppError::NotFound)?.search;
    Ok((row, own(&search.to_string(), viewer, db).await?.id))
}

fn number(id: &str) -> Result<i64, AppError> {
    let digits = id.bytes().all(|byte| byte.is_ascii_digit());
    digits
        .then(|| id.parse().ok())
        .flatten()
        .ok_or(AppError::NotFound)
}

fn path(search: SearchId) -> String {
    format!("/search/build_search/{search}/")
}

const MODELS: [&str; 7] = [
    "Machine",
    "Facter",
    "External Script",
    "Application Inventory",
    "Application Version",
    "Profile",
    "Profile Payload",
];
const OPERATORS: [&str; 7] = ["Contains", "=", "!=", "<", "<=", ">", ">="];
/// What Sal's columns hold.
const MOST_CHARACTERS: usize = 254;
