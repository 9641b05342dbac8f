//! Counts of large places are made before somebody asks for them, and again when they are an hour old, so that no page waits
//! for a count: not at the first visit, not after a restart, not on another server.
//!
//! One of all servers does it: who says so first, for two minutes after each count. It takes a twentieth of the time of one
//! connection, but for what is not there at all.

use std::time::Duration;

use rand::RngExt;
use sal_http::{App, AppError, db::page_client};
use sal_plugins::Plugin;
use sal_store::{
    Client,
    places::has_at_most,
    plugins::{enabled_reports, enabled_widgets},
    summaries::{
        LargePlace, Patience, Summary, claim_background, find_summary, forget_old_counts,
        large_places,
    },
    units::{find_group, find_unit},
};
use tokio::time::Instant;
use tracing::{debug, warn};

use crate::{
    counted::{self, is_stale},
    fleet_part::FleetPart,
    overview::shown_widgets,
    widgets::{self, FEW_MACHINES},
};

/// Keeps counts fresh for as long as it is polled.
pub async fn keep_counts(app: App) {
    let server = format!("{:016x}", rand::rng().random::<u64>());
    let mut has_failed = false;
    loop {
        match round(&server, &app).await {
            Ok(()) => has_failed = false,
            // Once is enough for the log: a database that is away is told of by those who need it more.
            Err(error) if has_failed => debug!("counting in the background waits: {error}"),
            Err(error) => {
                has_failed = true;
                warn!("counting in the background waits: {error}");
            }
        }
        tokio::time::sleep(BETWEEN_ROUNDS).await;
    }
}

/// Counts what is missing or stale, once.
///
/// # Errors
/// When the database cannot be asked. A missing table is no error: then nothing is kept.
pub async fn round(server: &str, app: &App) -> Result<(), AppError> {
    match try_round(server, app).await {
        Err(AppError::Store(error)) if error.lacks_a_table() => Ok(()),
        ended => ended,
    }
}

async fn try_round(server: &str, app: &App) -> Result<(), AppError> {
    let db = page_client(app).await?;
    if !claims(server, &db, app).await? {
        return Ok(());
    }
    forget_old_counts(&db, &app.now()).await?;
    let parts = large_parts(&db).await?;
    drop(db);
    for part in &parts {
        for what in [
            What::Overview,
            What::Applications,
            What::Updates,
            What::Reports,
        ] {
            let db = page_client(app).await?;
            if !claims(server, &db, app).await? {
                return Ok(());
            }
            let began = Instant::now();
            let rest = match what.count(part, db, app).await? {
                (false, _) => continue,
                (true, true) => 19,
                // Who waits for a first count waits for those before it.
                (true, false) => 1,
            };
            tokio::time::sleep((began.elapsed() * rest).min(LONGEST_REST)).await;
        }
    }
    Ok(())
}

/// Whether this server is the one that counts.
async fn claims(server: &str, db: &Client, app: &App) -> Result<bool, AppError> {
    Ok(!claim_background(db, server, &app.now()).await?.is_empty())
}

async fn large_parts(db: &Client) -> Result<Vec<FleetPart>, AppError> {
    let mut parts = Vec::new();
    let all = FleetPart::All;
    if !has_at_most(FEW_MACHINES, &all.place(), &all.whole(), db).await? {
        parts.push(all);
    }
    for place in large_places(db, &FEW_MACHINES).await? {
        parts.extend(part_of(&place, db).await?);
    }
    Ok(parts)
}

async fn part_of(place: &LargePlace, db: &Client) -> Result<Option<FleetPart>, AppError> {
    Ok(match &place.group_id {
        Some(group) => find_group(db, group)
            .await?
            .into_iter()
            .next()
            .map(FleetPart::Group),
        None => {
            let unit = find_unit(db, &place.unit_id).await?;
            unit.into_iter().next().map(FleetPart::Unit)
        }
    })
}

/// What is counted together.
#[derive(Clone, Copy)]
enum What {
    Overview,
    Applications,
    Updates,
    Reports,
}

impl What {
    /// Whether it was counted, and whether there was a count before.
    async fn count(
        self,
        part: &FleetPart,
        db: Client,
        app: &App,
    ) -> Result<(bool, bool), AppError> {
        let registry = app.registry();
        match self {
            Self::Overview => {
                let names = enabled_widgets(&db).await?.into_iter().map(|row| row.name);
                let names: Vec<String> = names.collect();
                let plugins = shown_widgets(&names, part, &registry, app);
                widgets::recount(part, &plugins, db, app).await
            }
            Self::Reports => {
                let mut all = (false, true);
                let reports = enabled_reports(&db).await?;
                drop(db);
                for report in reports {
                    let plugin: Option<&Plugin> = registry.get(&report.name);
                    let plugins: Vec<&Plugin> = plugin.into_iter().collect();
                    let db = page_client(app).await?;
                    let (counted, was_there) = widgets::recount(part, &plugins, db, app).await?;
                    all = (all.0 || counted, all.1 && was_there);
                }
                Ok(all)
            }
            Self::Applications => summary(Summary::Applications, part, db, app).await,
            Self::Updates => summary(Summary::Updates, part, db, app).await,
        }
    }
}

async fn summary(
    what: Summary,
    part: &FleetPart,
    db: Client,
    app: &App,
) -> Result<(bool, bool), AppError> {
    let place = part.place();
    let found = find_summary(what, &place, &db).await?;
    if found
        .as_ref()
        .is_some_and(|found| !is_stale(found, app.now()))
    {
        return Ok((false, true));
    }
    counted::count(what, &place, Patience::Leave, db, app).await?;
    Ok((true, found.is_some()))
}

/// How long it rests when everything is fresh.
const BETWEEN_ROUNDS: Duration = Duration::from_secs(60);
/// Shorter than the two minutes for which a server is the one that counts.
const LONGEST_REST: Duration = Duration::from_secs(90);
