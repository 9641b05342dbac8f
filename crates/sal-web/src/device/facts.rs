//! `/machine_detail/facts/<id or serial>/<source>/`: the facts of one source; `None` stands for those without a source,
//! which clients of older versions sent.

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    response::Response,
    routing::get,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sal_http::{Access, App, AppError, Routes, access::SeesMachines, db::Db};
use sal_store::{device::tabs::device_source_facts, ids::MachineId};

use super::{
    find,
    params::{TabParams, contains},
    path_of,
};
use crate::{
    machine,
    page::render,
    shell::{Section, Shell, Theme},
    wording,
};

pub(super) fn routes() -> Routes {
    Routes::new().route(
        "/machine_detail/facts/{key}/{source}/",
        Access::SeesMachines,
        get(show_facts),
    )
}

#[derive(Template)]
#[template(path = "device/facts.html")]
struct FactsPage {
    shell: Shell,
    machine: String,
    machine_href: String,
    /// Where this page is.
    path: String,
    heading: String,
    count: String,
    filter: String,
    facts: Vec<(String, String)>,
    has_any: bool,
}

async fn show_facts(
    SeesMachines(viewer): SeesMachines,
    theme: Theme,
    Path((key, source)): Path<(String, String)>,
    Query(params): Query<TabParams>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    if source.contains('\0') {
        return Err(AppError::NotFound);
    }
    let device = find(&key, &viewer, &db).await?;
    let is_legacy = source == LEGACY;
    let name = (!is_legacy).then(|| source.clone());
    let rows = device_source_facts(&db, &device.id, &name, &viewer.scope).await?;
    let has_any = !rows.is_empty();
    let facts: Vec<_> = rows
        .into_iter()
        .map(|fact| (fact.fact_name, fact.fact_data))
        .filter(|(name, value)| contains(params.filter(), &[name, value]))
        .collect();
    let title = if is_legacy { "Legacy" } else { &source };
    let machine = machine::name(&device.machine);
    let count = i64::try_from(facts.len()).unwrap_or(i64::MAX);
    render(&FactsPage {
        shell: Shell::of(
            &viewer,
            theme,
            Section::Devices,
            &format!("{title} facts · {machine}"),
            &app,
        ),
        machine,
        machine_href: path_of(device.id),
        path: facts_path(device.id, &source),
        heading: format!("{title} facts"),
        count: wording::count_of(count, "fact", "facts"),
        filter: params.filter().to_owned(),
        facts,
        has_any,
    })
}

/// Where the facts of a source are; [`LEGACY`] for those without one.
pub(super) fn facts_path(id: MachineId, source: &str) -> String {
    let source = utf8_percent_encode(source, NON_ALPHANUMERIC);
    format!("/machine_detail/facts/{id}/{source}/")
}

/// What Sal's addresses call facts without a source.
pub(super) const LEGACY: &str = "None";
