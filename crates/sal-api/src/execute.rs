//! The machines that a saved search finds.

use axum::response::Response;
use sal_http::{App, db::program_client};
use sal_query::check::check_expr;
use sal_store::{
    ids::SearchId,
    resources::{Conditions, MACHINES, Machines},
    searches::{self, Asker, NamedSearches, Search},
};

use crate::{
    Asked,
    access::ApiRead,
    answer::Format,
    error::ApiError,
    stream::{self, Rows},
};

/// A plain array, or lines, with all fields where `full` is said.
pub(crate) async fn run(
    id: &str,
    format: Format,
    asked: &Asked<'_>,
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
    drop(db);
    let conditions = Conditions {
        machines: Some(machines(&search, &all, &asker, app)?),
        ..Conditions::default()
    };
    let fields = (!asked.query.has("full")).then_some(SHORT.as_slice());
    let rows = Rows {
        resource: &MACHINES,
        fields,
        conditions: &conditions,
        changes: None,
    };
    stream::send(&rows, format, &asked.parts.method, access, app).await
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

/// What is shown of each machine.
pub(crate) const SHORT: [&str; 5] = ["id", "last_checkin", "serial", "hostname", "console_user"];
