//! The machines that a saved search finds.

use axum::http::StatusCode;
use axum::response::Response;
use sal_http::{App, db::program_client};
use sal_query::check::check_expr;
use sal_store::{
    ids::SearchId,
    resources::{self, Conditions, MACHINES, Machines, Page},
    searches::{self, Asker, NamedSearches, Search},
};
use serde_json::{Map, Value as Json};

use crate::{access::ApiRead, answer, error::ApiError, query::Query, render};

/// A plain array, with all fields where `full` is said.
pub(crate) async fn run(
    id: &str,
    query: &Query,
    access: &ApiRead,
    app: &App,
) -> Result<Response, ApiError> {
    let db = program_client(app).await?;
    let no_match = || ApiError::NoMatch("SavedSearch");
    let id = SearchId(id.parse().map_err(|_no_id| no_match())?);
    let asker = access.asker();
    let search = searches::load(id, &asker, &db).await?;
    let search = search.ok_or_else(no_match)?;
    let all = searches::list(&asker, &db).await?;
    let conditions = Conditions {
        machines: Some(machines(&search, &all, &asker, app)?),
        ..Conditions::default()
    };
    let everything = Page {
        after: None,
        offset: 0,
        limit: i64::MAX,
    };
    let found = resources::page(&MACHINES, &conditions, everything, &access.scope, &db).await?;
    drop(db);
    let is_full = query.has("full");
    let rows = found.into_iter().map(|record| {
        let row = render::object(&MACHINES, record, &app.config.time_zone);
        if is_full { row } else { short(&row) }
    });
    Ok(answer::json(StatusCode::OK, &Json::Array(rows.collect())))
}

fn machines(
    search: &Search,
    all: &[Search],
    asker: &Asker<'_>,
    app: &App,
) -> Result<Machines, ApiError> {
    let unusable = |why: String| ApiError::field("filter", why);
    let asker = Asker {
        user: Some(search.owner),
        ..*asker
    };
    let expr = search.expr().map_err(|faults| {
        unusable(format!(
            "This search cannot be read: {}.",
            faults.join("; ")
        ))
    })?;
    let condition = check_expr(
        &expr,
        &app.config.time_zone,
        &NamedSearches::of(all, &asker),
    );
    Ok(Machines {
        condition: condition.map_err(|error| unusable(error.to_string()))?,
        now: app.now(),
    })
}

fn short(row: &Json) -> Json {
    let fields = SHORT.iter().filter_map(|name| {
        let value = row.get(name)?;
        Some(((*name).to_owned(), value.clone()))
    });
    Json::Object(fields.collect::<Map<_, _>>())
}

const SHORT: [&str; 5] = ["id", "last_checkin", "serial", "hostname", "console_user"];
