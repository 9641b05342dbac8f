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
pub(crate) mod series;
mod stored;

use std::{convert::Infallible, sync::Arc};

use axum::{extract::FromRequestParts, http::request::Parts};
use sal_http::{App, AppError, access::Viewer};
use sal_plugins::{Plugin, Settings};
use sal_store::{Client, settings::list_settings};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio_util::task::TaskTracker;

use crate::{
    counted::{Age, When, Wish, is_stale},
    fleet_part::FleetPart,
    keyed_locks::KeyedLocks,
    wording,
};
use draw::{Links, Widget};
pub(crate) use kept::FEW_MACHINES;
use kept::KeptCounts;

/// What pages with numbers share: the numbers of large fleets that are kept for a while, and who counts now.
#[derive(Clone)]
pub(crate) struct Counting {
    pub(crate) kept: Arc<KeptCounts>,
    /// Summaries that are counted now, so that others wait for them without a connection in hand.
    pub(crate) recounts: Arc<KeyedLocks<()>>,
    /// Large counts go on after the visit that asked for them, so that their number has a limit of its own.
    turns: Arc<Semaphore>,
    pub(crate) tasks: TaskTracker,
}

impl Default for Counting {
    fn default() -> Self {
        Self {
            kept: Arc::default(),
            recounts: Arc::default(),
            turns: Arc::new(Semaphore::new(LARGE_COUNTS)),
            tasks: TaskTracker::new(),
        }
    }
}

impl Counting {
    /// The right to count a large part of the fleet; waits without a connection.
    pub(crate) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        // It is never closed.
        self.turns.acquire().await.ok()
    }
}

impl<S: Sync> FromRequestParts<S> for Counting {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        // Without the layer, everything is counted anew.
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}

/// Which plugins are drawn for which part of the fleet.
pub(crate) struct Asked<'a> {
    pub(crate) part: &'a FleetPart,
    pub(crate) plugins: &'a [&'a Plugin],
    /// Words that the names of a table's lines must have.
    pub(crate) search: &'a str,
    pub(crate) wish: Wish,
}

/// The widgets of a page.
pub(crate) struct Drawn {
    /// All machines of the part of the fleet; none while they are counted for the first time.
    pub(crate) machines: Option<i64>,
    /// One for each plugin that is for a system of these machines.
    pub(crate) widgets: Vec<Widget>,
    /// How old the numbers are, where they may not have been counted just now.
    pub(crate) age: Age,
}

impl Drawn {
    /// How many machines, in words.
    pub(crate) fn machines_in_words(&self) -> String {
        match self.machines {
            Some(machines) => wording::count_of(machines, "machine", "machines"),
            None => "Counting machines…".to_owned(),
        }
    }
}

/// Counts and draws plugins for a part of the fleet. Takes the connection, because it may have to let it go and wait.
pub(crate) async fn draw(
    asked: &Asked<'_>,
    viewer: &Viewer,
    counting: &Counting,
    db: Client,
    app: &App,
) -> Result<Drawn, AppError> {
    let settings = settings(&db).await?;
    let wanted = kept::Wanted {
        part: asked.part,
        plugins: asked.plugins,
        settings: &settings,
        scope: &asked.part.scope(viewer),
        wish: asked.wish,
    };
    let (counts, when) = kept::get_or_count(&wanted, counting, db, app).await?;
    let links = Links::of(asked.part, viewer);
    let widgets = asked
        .plugins
        .iter()
        .zip(&counts.plugins)
        .filter(|(plugin, _)| plugin.suits(&counts.os_families))
        .map(|(plugin, counted)| {
            draw::widget(plugin, counted, &settings, &links, asked.search, app)
        })
        .collect();
    Ok(Drawn {
        machines: (!matches!(when, When::NotYet)).then_some(counts.machines),
        widgets,
        age: Age {
            when,
            wish: asked.wish,
        },
    })
}

/// Counts the numbers of a part of the fleet again and keeps them, if they are missing or older than an hour. Whether it did,
/// and whether there were some.
pub(crate) async fn recount(
    part: &FleetPart,
    plugins: &[&Plugin],
    db: Client,
    app: &App,
) -> Result<(bool, bool), AppError> {
    let settings = settings(&db).await?;
    let wanted = kept::Wanted {
        part,
        plugins,
        settings: &settings,
        scope: &part.whole(),
        wish: Wish::Recount,
    };
    let stored = wanted.stored(app);
    let found = stored.find(&db).await?;
    let was_there = found.is_some();
    if found.is_some_and(|(_, when)| !is_stale(&when, app.now())) {
        return Ok((false, true));
    }
    wanted.count_patiently(&stored, db, app).await?;
    Ok((true, was_there))
}

/// All settings of the database, for plugins.
pub(crate) async fn settings(db: &Client) -> Result<Settings, AppError> {
    let rows = list_settings(db).await?;
    Ok(Settings::new(
        rows.into_iter().map(|row| (row.name, row.value)),
    ))
}

/// Counts of large parts that go on at once.
const LARGE_COUNTS: usize = 2;
