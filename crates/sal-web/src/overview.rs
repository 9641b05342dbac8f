//! `/`, `/dashboard/<unit>/`, `/machinegroup/<group>/`: the fleet, a business unit or a machine group in numbers. All
//! tiles and lines of all widgets are counted by one statement, so that numbers on one page belong to one moment.
//!
//! What is counted and how a widget looks is in `crate::widgets`, how a Mac joins in `joining`, and where one can go
//! from here in `surroundings`; which widgets there are is in the database.

mod attention;
mod joining;
mod searches;
mod surroundings;

use askama::Template;
use axum::{
    extract::{FromRequestParts, Path, Query},
    http::{HeaderMap, request::Parts},
    response::Response,
    routing::get,
};
use sal_http::{
    Access, App, AppError, Routes,
    access::{Level, Viewer},
    db::Db,
    enabled_plugins,
    origin::Origin,
};
use sal_plugins::{Plugin, Registry, Unrun, Why};
use sal_store::{
    Client,
    ids::UnitId,
    plugins::{DEFAULT_WIDGETS, enable_default_widgets, enabled_widgets},
    users::ensure_profile,
};
use serde::Deserialize;

use crate::{
    counted::{Freshness, Wish, again},
    fleet_part::{FleetPart, unit_path, visible_group, visible_unit},
    page::{redirect, render},
    shell::{Section, Shell, Theme},
    widgets::{self, Counting, draw::Widget},
};
use attention::Attention;
use joining::{Empty, Joining};
use searches::Shelf;
use surroundings::{Link, Places};

pub(crate) fn routes() -> Routes {
    Routes::new()
        .route("/", Access::Viewer, get(show_overview))
        .route("/dashboard/{unit}/", Access::Viewer, get(show_unit))
        .route("/machinegroup/{group}/", Access::Viewer, get(show_group))
}

#[derive(Template)]
#[template(path = "overview/page.html")]
struct OverviewPage {
    shell: Shell,
    /// Where this page is, for renewing itself.
    path: String,
    heading: String,
    subtitle: String,
    way_up: Vec<Link>,
    actions: Vec<Link>,
    places: Option<Places>,
    attention: Option<Attention>,
    /// For global admins: enabled plugins that are not run here, in words.
    unrun: Vec<String>,
    /// Saved searches.
    shelf: Shelf,
    widgets: Vec<Widget>,
    freshness: Option<Freshness>,
    empty: Option<Empty>,
    /// On the page of a group that has machines: how another one joins.
    joining: Vec<Joining>,
}

/// Who looks at a page, and with what.
struct Visit {
    viewer: Viewer,
    theme: Theme,
    headers: HeaderMap,
    origin: Origin,
    counting: Counting,
    wish: Wish,
    app: App,
    db: Client,
}

/// The query string as it came.
#[derive(Default, Deserialize)]
struct Params {
    recount: Option<String>,
}

impl FromRequestParts<App> for Visit {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, AppError> {
        Ok(Self {
            viewer: Viewer::from_request_parts(parts, app).await?,
            theme: Theme::from_request_parts(parts, app).await?,
            headers: parts.headers.clone(),
            origin: Origin::of(parts, app),
            counting: Counting::from_request_parts(parts, app)
                .await
                .unwrap_or_default(),
            wish: Query::<Params>::from_request_parts(parts, app)
                .await
                .map_or(Wish::Show, |Query(params)| {
                    Wish::of(params.recount.as_deref())
                }),
            app: app.clone(),
            db: Db::from_request_parts(parts, app).await?.0,
        })
    }
}

async fn show_overview(visit: Visit) -> Result<Response, AppError> {
    ensure_profile(&visit.db, &visit.viewer.id).await?;
    // As in Sal, a member of one unit starts there.
    if let Some(&[unit]) = visit.viewer.scope.units() {
        return Ok(redirect(&unit_path(UnitId(unit))));
    }
    visit.show(&FleetPart::All).await
}

async fn show_unit(Path(unit): Path<String>, visit: Visit) -> Result<Response, AppError> {
    let unit = visible_unit(&unit, &visit.viewer, &visit.db).await?;
    visit.show(&FleetPart::Unit(unit)).await
}

async fn show_group(Path(group): Path<String>, visit: Visit) -> Result<Response, AppError> {
    let group = visible_group(&group, &visit.viewer, &visit.db).await?;
    visit.show(&FleetPart::Group(group)).await
}

impl Visit {
    async fn show(self, part: &FleetPart) -> Result<Response, AppError> {
        let Self {
            viewer,
            theme,
            headers,
            origin,
            counting,
            wish,
            app,
            db,
        } = self;
        let names = widget_names(&db).await?;
        let registry = app.registry();
        let plugins = shown_widgets(&names, part, &registry, &app);
        let attention = Attention::read(part, &viewer, &db, &app).await?;
        let shelf = Shelf::read(part, &viewer, &db).await?;
        let unrun = unrun(&viewer, &registry, &db).await?;
        let places = Places::around(part, &viewer, &db).await?;
        let server_url = joining::server_url(&headers, &origin);
        let mut joining = joining::joining(part, &viewer, &server_url, &db).await?;
        let asked = widgets::Asked {
            part,
            plugins: &plugins,
            search: "",
            wish,
        };
        let drawn = widgets::draw(&asked, &viewer, &counting, db, &app).await?;
        let empty = (drawn.machines == Some(0)).then(|| {
            Empty::of(
                part,
                &viewer,
                places.lines.len(),
                std::mem::take(&mut joining),
            )
        });
        if !matches!(part, FleetPart::Group(_)) {
            joining.clear();
        }
        let heading = part.name().unwrap_or("Overview").to_owned();
        render(&OverviewPage {
            shell: Shell::of(&viewer, theme, Section::Overview, &heading, &app),
            path: part.path(),
            subtitle: drawn.machines_in_words(),
            way_up: surroundings::way_up(part, &viewer),
            actions: surroundings::actions(part, &viewer),
            places: (!places.lines.is_empty()).then_some(places),
            attention,
            unrun,
            shelf,
            widgets: drawn.widgets,
            freshness: drawn.age.freshness(again(&part.path()), "overview", &app),
            heading,
            empty,
            joining,
        })
    }
}

/// The widgets of the page of a part of the fleet.
pub(crate) fn shown_widgets<'a>(
    names: &[String],
    part: &FleetPart,
    registry: &'a Registry,
    app: &App,
) -> Vec<&'a Plugin> {
    let shown = names
        .iter()
        .filter(|name| app.config.visibility.shows(name, part.page()));
    shown.filter_map(|name| registry.get(name)).collect()
}

/// What an administrator should know of plugins of a former deployment: they would be missed without a word.
async fn unrun(viewer: &Viewer, registry: &Registry, db: &Client) -> Result<Vec<String>, AppError> {
    if viewer.level != Level::GlobalAdmin {
        return Ok(Vec::new());
    }
    let unrun = registry.unrun(&enabled_plugins(db).await?);
    let words = |plugin: Unrun| match plugin.why {
        Why::IsPython => format!("{} (Python, shown as a table)", plugin.name),
        Why::IsNotHere => format!("{} (not on this server)", plugin.name),
    };
    Ok(unrun.into_iter().map(words).collect())
}

/// Names of the enabled widgets; Sal's default ones are enabled at the first visit.
async fn widget_names(db: &Client) -> Result<Vec<String>, AppError> {
    let names = |widgets: Vec<sal_store::plugins::EnabledWidget>| {
        widgets
            .into_iter()
            .map(|widget| widget.name)
            .collect::<Vec<_>>()
    };
    let enabled = names(enabled_widgets(db).await?);
    if !enabled.is_empty() {
        return Ok(enabled);
    }
    let defaults = DEFAULT_WIDGETS
        .iter()
        .map(|&name| name.to_owned())
        .collect();
    enable_default_widgets(db, &defaults).await?;
    Ok(names(enabled_widgets(db).await?))
}
