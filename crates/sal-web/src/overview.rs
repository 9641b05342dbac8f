//! `/`: the fleet in numbers. All tiles and lines of all widgets are counted by one statement, so that numbers on
//! one page belong to one moment.
//!
//! How a widget looks is in `draw`; which widgets there are is in the database.

mod draw;

use askama::Template;
use axum::{
    Router,
    extract::State,
    http::{HeaderMap, header},
    response::Response,
    routing::get,
};
use sal_http::{
    App, AppError,
    access::{Level, Viewer},
};
use sal_plugins::{Panel, Plugin};
use sal_query::Condition;
use sal_store::{
    Client,
    group_keys::{GroupKey, group_keys},
    overview::{GroupCount, count_groups, count_machines},
    plugins::{DEFAULT_WIDGETS, enable_default_widgets, enabled_widgets},
    users::ensure_profile,
};

use crate::{
    page::render,
    shell::{Section, Shell, Theme},
    wording,
};
use draw::Widget;

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/", get(show_overview))
}

#[derive(Template)]
#[template(path = "overview/page.html")]
struct OverviewPage {
    shell: Shell,
    subtitle: String,
    widgets: Vec<Widget>,
    not_drawn: String,
    empty: Option<Empty>,
}

/// What is shown while there is no machine.
enum Empty {
    /// No machine has checked in; these groups wait for one.
    WaitingFor {
        server_url: String,
        groups: Vec<GroupKey>,
    },
    /// There is no group, so no machine can check in; the viewer may make one.
    NoGroup,
    /// The viewer sees no machines and cannot change that.
    NothingToSee,
}

async fn show_overview(
    viewer: Viewer,
    theme: Theme,
    headers: HeaderMap,
    State(app): State<App>,
) -> Result<Response, AppError> {
    let db = app.store.get().await?;
    ensure_profile(&db, &viewer.id).await?;
    let names = widget_names(&db).await?;
    let plugins: Vec<&Plugin> = names
        .iter()
        .filter_map(|name| app.registry.get(name))
        .collect();
    let counts = Counts::read(&plugins, &viewer, &app, &db).await?;
    let empty = match counts.machines {
        0 => Some(empty(&viewer, &headers, &app, &db).await?),
        _ => None,
    };
    let later: Vec<&str> = plugins
        .iter()
        .filter(|plugin| plugin.panels.is_empty())
        .map(|plugin| plugin.title.as_str())
        .collect();
    render(&OverviewPage {
        shell: Shell::of(&viewer, theme, Section::Overview, "Overview", &app),
        subtitle: wording::count_of(counts.machines, "machine", "machines"),
        widgets: draw::widgets(&plugins, counts),
        not_drawn: later.join(", "),
        empty,
    })
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

/// The numbers of a page.
struct Counts {
    /// All machines in scope.
    machines: i64,
    /// One per bucket, in the order of plugins, panels and buckets.
    buckets: std::vec::IntoIter<i64>,
    /// One per grouped panel, in the same order.
    groups: std::vec::IntoIter<Vec<GroupCount>>,
}

impl Counts {
    async fn read(
        plugins: &[&Plugin],
        viewer: &Viewer,
        app: &App,
        db: &Client,
    ) -> Result<Self, AppError> {
        let now = app.now();
        let mut conditions = vec![Condition::everything()];
        let mut groups = Vec::new();
        for panel in plugins.iter().flat_map(|plugin| &plugin.panels) {
            match panel {
                Panel::Buckets { buckets, .. } => {
                    conditions.extend(buckets.iter().map(|bucket| bucket.condition.clone()));
                }
                // One statement per grouped panel: each has its own grouping.
                Panel::Groups(by) => groups.push(
                    count_groups(
                        (by.field, by.then_by),
                        &by.condition,
                        now,
                        &viewer.scope,
                        db,
                    )
                    .await?,
                ),
            }
        }
        let mut buckets = count_machines(&conditions, now, &viewer.scope, db)
            .await?
            .into_iter();
        Ok(Self {
            machines: buckets.next().unwrap_or(0),
            buckets,
            groups: groups.into_iter(),
        })
    }
}

async fn empty(
    viewer: &Viewer,
    headers: &HeaderMap,
    app: &App,
    db: &Client,
) -> Result<Empty, AppError> {
    if viewer.level != Level::GlobalAdmin {
        return Ok(Empty::NothingToSee);
    }
    let groups = group_keys(db).await?;
    if groups.is_empty() {
        return Ok(Empty::NoGroup);
    }
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let scheme = if app.config.secure_cookies {
        "https"
    } else {
        "http"
    };
    Ok(Empty::WaitingFor {
        server_url: format!("{scheme}://{}", host.unwrap_or("sal.example.com")),
        groups,
    })
}
