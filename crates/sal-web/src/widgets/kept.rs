//! Numbers of large fleets are kept for a while: whatever the fleet's size and however many people look, counting takes
//! at most a twentieth of the time of one connection.
//!
//! Small fleets are always counted anew. The page says how old kept numbers are.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use sal_http::{App, AppError, access::Viewer};
use sal_plugins::{Plugin, Settings};
use tokio::{sync::Mutex as AsyncMutex, time::Instant};

use super::counts::Counts;
use crate::{fleet_part::FleetPart, wording};

/// What was counted last, for each page.
#[derive(Default)]
pub(crate) struct KeptCounts {
    pages: Mutex<HashMap<String, Arc<AsyncMutex<Option<Kept>>>>>,
}

/// The numbers of a page, when they were counted, and how long that took.
struct Kept {
    counts: Arc<Counts>,
    at: Instant,
    took: Duration,
}

impl KeptCounts {
    /// The numbers, and their age in words when they were not counted just now.
    ///
    /// Who comes while somebody else counts the same waits for that.
    pub(super) async fn get_or_count(
        &self,
        part: &FleetPart,
        plugins: &[&Plugin],
        settings: &Settings,
        viewer: &Viewer,
        app: &App,
    ) -> Result<(Arc<Counts>, Option<String>), AppError> {
        let page = self.page(key(part, plugins, viewer));
        let mut kept = page.lock().await;
        if let Some(kept) = &*kept {
            let age = kept.at.elapsed();
            if age < kept.lasts() {
                return Ok((Arc::clone(&kept.counts), Some(wording::seconds(age))));
            }
        }
        let at = Instant::now();
        let counts = Arc::new(Counts::read(part, plugins, settings, viewer, app).await?);
        let took = at.elapsed();
        *kept = (counts.machines > LARGE).then(|| Kept {
            counts: Arc::clone(&counts),
            at: Instant::now(),
            took,
        });
        Ok((counts, None))
    }

    fn page(&self, key: String) -> Arc<AsyncMutex<Option<Kept>>> {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        if pages.len() >= MOST_PAGES && !pages.contains_key(&key) {
            pages.clear();
        }
        Arc::clone(pages.entry(key).or_default())
    }
}

impl Kept {
    fn lasts(&self) -> Duration {
        (self.took * 20).min(LONGEST)
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
/// More pages than that are not remembered.
const MOST_PAGES: usize = 200;
