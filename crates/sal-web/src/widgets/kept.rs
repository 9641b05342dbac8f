//! Numbers of large parts of the fleet are shown as they were counted last, so that no page waits for them: they are in the
//! database (`stored`), the page says how old they are and asks for new ones by itself. Whatever the fleet's size and however
//! many people look, counting takes at most a twentieth of the time of one connection.
//!
//! Small parts are always counted anew.

use std::sync::Arc;

use sal_http::{App, AppError, db::page_client};
use sal_plugins::{Plugin, Settings};
use sal_store::{
    Client,
    places::has_at_most,
    pool::Executor,
    scope::Scope,
    summaries::{Counted, Patience, allow_time},
};
use tokio::{sync::Mutex, time::Instant};

use super::{Counting, counts::Counts, stored::Stored};
use crate::{
    counted::{When, Wish, due, in_time},
    fleet_part::FleetPart,
    keyed_locks::KeyedLocks,
};

/// What was counted last by this server, for each page: for those who wait meanwhile.
#[derive(Default)]
pub(crate) struct KeptCounts {
    pages: KeyedLocks<Option<Kept>>,
}

/// The numbers of a page, when counting them began, and what is said of their age.
struct Kept {
    counts: Arc<Counts>,
    began: Instant,
    when: When,
}

/// Which numbers.
pub(super) struct Wanted<'a> {
    pub(super) part: &'a FleetPart,
    pub(super) plugins: &'a [&'a Plugin],
    pub(super) settings: &'a Settings,
    /// Never wider than the viewer's.
    pub(super) scope: &'a Scope,
    pub(super) wish: Wish,
}

/// Numbers, and when they were counted.
pub(super) type Found = (Arc<Counts>, When);

/// The numbers: of a small part counted now, of a large one as they were counted last.
pub(super) async fn get_or_count(
    wanted: &Wanted<'_>,
    counting: &Counting,
    db: Client,
    app: &App,
) -> Result<Found, AppError> {
    let came = Instant::now();
    let page = counting.kept.pages.of(&wanted.key());
    if has_at_most(FEW_MACHINES, &wanted.part.place(), wanted.scope, &db).await? {
        return count_small(wanted, &page, came, db, app).await;
    }
    let stored = wanted.stored(app);
    let last = match stored.find(&db).await {
        Err(error) if error.lacks_a_table() => None,
        found => found?,
    };
    let found = last.as_ref().map(|(_, counted)| counted);
    let Some(patience) = due(found, wanted.wish, app.now()) else {
        return Ok(shown(last));
    };
    drop(db);
    let large = Large {
        part: wanted.part.clone(),
        plugins: wanted
            .plugins
            .iter()
            .map(|&plugin| plugin.clone())
            .collect(),
        settings: wanted.settings.clone(),
        scope: wanted.scope.clone(),
        stored,
    };
    let count = large.count(page, came, patience, counting.clone(), app.clone());
    Ok(match in_time(count, wanted.wish, &counting.tasks).await? {
        Some(counted) => counted?.unwrap_or_else(|| shown(last)),
        None => shown(last),
    })
}

/// Counts now. Who comes while somebody else counts the same waits for that, without a connection, and takes what was
/// counted when the counting began after he came.
async fn count_small(
    wanted: &Wanted<'_>,
    page: &Mutex<Option<Kept>>,
    came: Instant,
    db: Client,
    app: &App,
) -> Result<Found, AppError> {
    let (mut kept, db) = match page.try_lock() {
        Ok(kept) => (kept, Some(db)),
        Err(_somebody_counts) => {
            drop(db);
            (page.lock().await, None)
        }
    };
    if let Some(kept) = kept.as_ref().filter(|kept| kept.began >= came) {
        return Ok(kept.found());
    }
    let db = match db {
        Some(db) => db,
        None => page_client(app).await?,
    };
    let began = Instant::now();
    let counts = Arc::new(wanted.read(&db, app).await?);
    let when = When::Now;
    Ok(kept
        .insert(Kept {
            counts,
            began,
            when,
        })
        .found())
}

/// What a count of a large part needs for going on after the visit that asked for it.
struct Large {
    part: FleetPart,
    plugins: Vec<Plugin>,
    settings: Settings,
    scope: Scope,
    stored: Stored,
}

impl Large {
    /// Counts, or leaves it to whoever counts already; what was counted after the visitor came is new enough.
    async fn count(
        self,
        page: Arc<Mutex<Option<Kept>>>,
        came: Instant,
        patience: Patience,
        counting: Counting,
        app: App,
    ) -> Result<Option<Found>, AppError> {
        let mut kept = match page.try_lock() {
            Ok(kept) => kept,
            Err(_somebody_counts) if patience == Patience::Leave => return Ok(None),
            Err(_somebody_counts) => page.lock().await,
        };
        if let Some(kept) = kept.as_ref().filter(|kept| kept.began >= came) {
            return Ok(Some(kept.found()));
        }
        let _turn = counting.turn().await;
        let plugins: Vec<&Plugin> = self.plugins.iter().collect();
        let wanted = Wanted {
            part: &self.part,
            plugins: &plugins,
            settings: &self.settings,
            scope: &self.scope,
            wish: Wish::Wait,
        };
        let began = Instant::now();
        let db = page_client(&app).await?;
        let (counts, when) = wanted.count_patiently(&self.stored, db, &app).await?;
        let when = When::Then(when);
        Ok(Some(
            kept.insert(Kept {
                counts,
                began,
                when,
            })
            .found(),
        ))
    }
}

impl Kept {
    fn found(&self) -> Found {
        (Arc::clone(&self.counts), self.when.clone())
    }
}

impl Wanted<'_> {
    pub(super) fn stored(&self, app: &App) -> Stored {
        let zone = &app.config.time_zone;
        Stored::of(self.part, self.plugins, self.settings, self.scope, zone)
    }

    async fn read(&self, db: &impl Executor, app: &App) -> Result<Counts, AppError> {
        Counts::read(self.part, self.plugins, self.settings, self.scope, db, app).await
    }

    /// Counts a large part, which may take longer than a page's statements, and keeps the numbers.
    pub(super) async fn count_patiently(
        &self,
        stored: &Stored,
        db: Client,
        app: &App,
    ) -> Result<(Arc<Counts>, Counted), AppError> {
        let (began, counted) = (Instant::now(), app.now());
        let tx = db.begin().await?;
        allow_time(&tx).await?;
        let counts = self.read(&tx, app).await?;
        let milliseconds = i32::try_from(began.elapsed().as_millis()).unwrap_or(i32::MAX);
        let counted = Counted {
            counted,
            milliseconds,
        };
        let db = tx.rollback().await?;
        match stored.keep(&counts, &counted, &db).await {
            // Our table may be missing, or be read and not written.
            Err(error) if error.lacks_a_table() => {}
            kept => kept?,
        }
        Ok((Arc::new(counts), counted))
    }

    /// What the numbers depend on: the part, the plugins, and which machines the viewer may see.
    fn key(&self) -> String {
        let names = self.plugins.iter().map(|plugin| plugin.name.as_str());
        let names: Vec<&str> = names.collect();
        let units = self.scope.units();
        format!("{} {units:?} {}", self.part.path(), names.join(" "))
    }
}

fn shown(last: Option<(Counts, Counted)>) -> Found {
    match last {
        Some((counts, counted)) => (Arc::new(counts), When::Then(counted)),
        None => (Arc::default(), When::NotYet),
    }
}

/// Up to so many machines are counted at each visit, which takes some tens of milliseconds.
pub(crate) const FEW_MACHINES: i64 = 1_000;
