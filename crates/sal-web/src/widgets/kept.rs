//! Numbers of large fleets are kept for a while: whatever the fleet's size and however many people look, counting takes
//! at most a twentieth of the time of one connection.
//!
//! Small fleets are always counted anew. The page says how old kept numbers are.

use std::{sync::Arc, time::Duration};

use sal_http::{App, AppError, access::Viewer, db::page_client};
use sal_plugins::{Plugin, Settings};
use sal_store::Client;
use tokio::time::Instant;

use super::counts::Counts;
use crate::{fleet_part::FleetPart, keyed_locks::KeyedLocks, wording};

/// What was counted last, for each page.
#[derive(Default)]
pub(crate) struct KeptCounts {
    pages: KeyedLocks<Option<Kept>>,
}

/// The numbers of a page, when counting them began and ended.
struct Kept {
    counts: Arc<Counts>,
    began: Instant,
    at: Instant,
}

impl KeptCounts {
    /// The numbers, and their age in words when they were not counted just now.
    ///
    /// Who comes while somebody else counts the same waits for that, without a connection, and takes what was counted
    /// when the counting began after he came.
    pub(super) async fn get_or_count(
        &self,
        part: &FleetPart,
        plugins: &[&Plugin],
        settings: &Settings,
        viewer: &Viewer,
        db: Client,
        app: &App,
    ) -> Result<(Arc<Counts>, Option<String>), AppError> {
        let came = Instant::now();
        let page = self.pages.of(&key(part, plugins, viewer));
        let (mut kept, db) = match page.try_lock() {
            Ok(kept) => (kept, Some(db)),
            Err(_somebody_counts) => {
                drop(db);
                (page.lock().await, None)
            }
        };
        if let Some(kept) = &*kept
            && (kept.began >= came || kept.at.elapsed() < kept.lasts())
        {
            let age = kept.at.elapsed();
            let age = (!age.is_zero() && kept.is_large()).then(|| wording::seconds(age));
            return Ok((Arc::clone(&kept.counts), age));
        }
        let db = match db {
            Some(db) => db,
            None => page_client(app).await?,
        };
        let began = Instant::now();
        let counts = Arc::new(Counts::read(part, plugins, settings, viewer, &db, app).await?);
        *kept = Some(Kept {
            counts: Arc::clone(&counts),
            began,
            at: Instant::now(),
        });
        Ok((counts, None))
    }
}

impl Kept {
    /// For how long they are shown. Those of small fleets serve only who waited for them.
    fn lasts(&self) -> Duration {
        if self.is_large() {
            (self.at.duration_since(self.began) * 20).min(LONGEST)
        } else {
            Duration::ZERO
        }
    }

    fn is_large(&self) -> bool {
        self.counts.machines > LARGE
    }
}

/// What the numbers depend on: the part, the plugins, and which machines the viewer may see.
fn key(part: &FleetPart, plugins: &[&Plugin], viewer: &Viewer) -> String {
    let names: Vec<&str> = plugins.iter().map(|plugin| plugin.name.as_str()).collect();
    format!(
        "{} {:?} {}",
        part.path(),
        part.scope(viewer).units(),
        names.join(" ")
    )
}

/// Machines up to which numbers are always counted anew.
const LARGE: i64 = 5_000;
/// A page renews itself every minute.
const LONGEST: Duration = Duration::from_secs(50);
