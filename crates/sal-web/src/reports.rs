//! `/reports/` and `/report/<plugin>/<all, business_unit or machine_group>/<id>/`: plugins with a page of their own.
//!
//! Also `/load_plugin/…`, the address at which Sal's pages fetch one plugin, for bookmarks and wallboards.

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    response::Response,
    routing::get,
};
use sal_http::{Access, App, AppError, Routes, access::Viewer, db::Db};
use sal_plugins::{Kind, Plugin};
use sal_store::{
    Client,
    device::device_by_id,
    ids::MachineId,
    plugins::{enabled_details, enabled_reports},
};
use serde::Deserialize;

use crate::{
    counted::{Freshness, Wish},
    fleet_part::{FleetPart, number, old_address},
    page::render,
    paging::address,
    shell::{Section, Shell, Theme},
    widgets::{
        self, Counting,
        details::{self, DetailCard, Subject},
        draw::Widget,
    },
};

pub(crate) fn routes() -> Routes {
    Routes::new()
        .route("/reports/", Access::Viewer, get(list_reports))
        .route(
            "/report/{plugin}/{kind}/{id}/",
            Access::Viewer,
            get(show_report),
        )
        .route(
            "/load_plugin/{plugin}/{kind}/{id}/",
            Access::Viewer,
            get(show_plugin),
        )
}

#[derive(Template)]
#[template(path = "reports/list.html")]
struct ReportsPage {
    shell: Shell,
    reports: Vec<ReportLine>,
}

struct ReportLine {
    title: String,
    description: String,
    href: String,
}

#[derive(Template)]
#[template(path = "reports/page.html")]
struct ReportPage {
    shell: Shell,
    subtitle: String,
    widget: Widget,
    is_counting: bool,
    freshness: Option<Freshness>,
}

#[derive(Template)]
#[template(path = "reports/fragment.html")]
struct Fragment {
    widgets: Vec<Widget>,
}

#[derive(Template)]
#[template(path = "reports/details.html")]
struct DetailFragment {
    details: Vec<DetailCard>,
}

#[derive(Deserialize)]
struct ReportQuery {
    #[serde(default)]
    q: String,
    recount: Option<String>,
}

async fn list_reports(
    viewer: Viewer,
    theme: Theme,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let enabled = enabled_reports(&db).await?;
    let registry = app.registry();
    let place = match viewer.scope.units() {
        None => "all/0".to_owned(),
        Some([unit, ..]) => format!("business_unit/{unit}"),
        Some([]) => return Err(AppError::Forbidden),
    };
    let reports = enabled
        .iter()
        .filter_map(|row| registry.get(&row.name))
        .map(|plugin| ReportLine {
            title: plugin.title.clone(),
            description: plugin.description.clone(),
            href: format!("/report/{}/{place}/", plugin.name),
        })
        .collect();
    render(&ReportsPage {
        shell: Shell::of(&viewer, theme, Section::Reports, "Reports", &app),
        reports,
    })
}

async fn show_report(
    viewer: Viewer,
    theme: Theme,
    Path((name, kind, id)): Path<(String, String, String)>,
    Query(query): Query<ReportQuery>,
    counting: Counting,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let registry = app.registry();
    let plugin = find(&name, Kind::Report, &registry)?;
    let part = old_address(&kind, &id, &viewer, &db).await?;
    let search = query.q.trim();
    let asked = widgets::Asked {
        part: &part,
        plugins: &[plugin],
        search,
        wish: Wish::of(query.recount.as_deref()),
    };
    let drawn = widgets::draw(&asked, &viewer, &counting, db, &app).await?;
    let path = format!("/report/{name}/{kind}/{id}/");
    let again = address(&path, &[("q", search), ("recount", "1")]);
    let subtitle = format!(
        "{}{}",
        drawn.machines_in_words(),
        part.name()
            .map_or_else(String::new, |name| format!(" in {name}"))
    );
    render(&ReportPage {
        shell: Shell::of(&viewer, theme, Section::Reports, &plugin.title, &app),
        subtitle,
        is_counting: drawn.machines.is_none(),
        freshness: drawn.age.freshness(again, "report", &app),
        widget: drawn
            .widgets
            .into_iter()
            .next()
            .unwrap_or_else(|| Widget::without_machines(plugin)),
    })
}

async fn show_plugin(
    viewer: Viewer,
    Path((name, kind, id)): Path<(String, String, String)>,
    counting: Counting,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let registry = app.registry();
    let plugin = registry.get(&name).ok_or(AppError::NotFound)?;
    let part = match (plugin.kind, kind.as_str()) {
        (Kind::Detail, "machine") => return show_detail(plugin, &id, &viewer, db, &app).await,
        (Kind::Detail, _) => return Err(AppError::NotFound),
        // Sal looks whether the machine may be seen, and then counts all that the viewer sees.
        (_, "machine") => {
            let id = MachineId(number(&id)?.into());
            let found = device_by_id(&db, id, &viewer.scope).await?;
            found.ok_or(AppError::NotFound)?;
            FleetPart::All
        }
        _ => old_address(&kind, &id, &viewer, &db).await?,
    };
    let asked = widgets::Asked {
        part: &part,
        plugins: &[plugin],
        search: "",
        wish: Wish::Wait,
    };
    let drawn = widgets::draw(&asked, &viewer, &counting, db, &app).await?;
    render(&Fragment {
        widgets: drawn.widgets,
    })
}

async fn show_detail(
    plugin: &Plugin,
    id: &str,
    viewer: &Viewer,
    db: Client,
    app: &App,
) -> Result<Response, AppError> {
    if !viewer.sees_machines() {
        return Err(AppError::StatsOnly);
    }
    let id = MachineId(number(id)?.into());
    let found = device_by_id(&db, id, &viewer.scope).await?;
    let device = found.ok_or(AppError::NotFound)?;
    let enabled = enabled_details(&db).await?;
    if !enabled.iter().any(|row| row.name == plugin.name) {
        return Err(AppError::NotFound);
    }
    let settings = widgets::settings(&db).await?;
    let subject = Subject {
        id,
        serial: &device.machine.serial,
        os_family: &device.machine.os_family,
        rows: &[],
    };
    let details = details::cards(&[plugin], &subject, &settings, viewer, db, app).await?;
    render(&DetailFragment { details })
}

fn find<'a>(
    name: &str,
    kind: Kind,
    registry: &'a sal_plugins::Registry,
) -> Result<&'a Plugin, AppError> {
    registry
        .get(name)
        .filter(|plugin| plugin.kind == kind)
        .ok_or(AppError::NotFound)
}
