//! Plugins with their numbers, for the overview, for reports, and one by one at Sal's old addresses.
//!
//! `counts` asks the database, with few statements for all plugins of a page; `draw` makes drawings of the numbers;
//! `details` is for plugins on the page of one machine.

mod bars;
mod counts;
pub(crate) mod details;
pub(crate) mod draw;
mod items;
mod kept;
mod series;

use std::{convert::Infallible, sync::Arc};

use axum::{extract::FromRequestParts, http::request::Parts};
use sal_http::{App, AppError, access::Viewer};
use sal_plugins::{Plugin, Settings};
use sal_store::{Client, settings::list_settings};

use crate::{fleet_part::FleetPart, keyed_locks::KeyedLocks};
use counts::Counts;
use draw::{Links, Widget};
use kept::KeptCounts;

/// What pages with numbers share: the numbers of large fleets that are kept for a while, and who counts now.
#[derive(Clone, Default)]
pub(crate) struct Counting {
    pub(crate) kept: Arc<KeptCounts>,
    /// Summaries that are counted now, so that others wait for them without a connection in hand.
    pub(crate) recounts: Arc<KeyedLocks<()>>,
}

impl<S: Sync> FromRequestParts<S> for Counting {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        // Without the layer, everything is counted anew.
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}

/// The widgets of a page.
pub(crate) struct Drawn {
    /// All machines of the part of the fleet.
    pub(crate) machines: i64,
    /// One for each plugin that is for a system of these machines.
    pub(crate) widgets: Vec<Widget>,
    /// How old the numbers are, in words, where they were not counted just now.
    pub(crate) age: Option<String>,
}

/// Counts and draws plugins for a part of the fleet. Takes the connection, because it may have to let it go and wait.
pub(crate) async fn draw(
    part: &FleetPart,
    plugins: &[&Plugin],
    search: &str,
    viewer: &Viewer,
    kept: &KeptCounts,
    db: Client,
    app: &App,
) -> Result<Drawn, AppError> {
    let settings = settings(&db).await?;
    let (counts, age) = kept
        .get_or_count(part, plugins, &settings, viewer, db, app)
        .await?;
    let counts: Arc<Counts> = counts;
    let links = Links::of(part, viewer);
    let widgets = plugins
        .iter()
        .zip(&counts.plugins)
        .filter(|(plugin, _)| plugin.suits(&counts.os_families))
        .map(|(plugin, counted)| draw::widget(plugin, counted, &settings, &links, search, app))
        .collect();
    Ok(Drawn {
        machines: counts.machines,
        widgets,
        age,
    })
}

/// All settings of the database, for plugins.
pub(crate) async fn settings(db: &Client) -> Result<Settings, AppError> {
    let rows = list_settings(db).await?;
    Ok(Settings::new(
        rows.into_iter().map(|row| (row.name, row.value)),
    ))
}
