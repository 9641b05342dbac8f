//! Saved searches on the overview: those that their owners put there and the viewer may use.
//!
//! They are counted after the page has come: a search may be slow, and the page must not be.

use sal_http::{AppError, access::Viewer};
use sal_store::{
    Client,
    searches::{Overview, Search, list},
};

use crate::{fleet_part::FleetPart, searches::asker};

/// A search on the overview.
pub(crate) struct Shown {
    pub(crate) name: String,
    pub(crate) description: String,
    /// Where its machines are.
    pub(crate) href: String,
    /// Where its number, or its first machines, are.
    pub(crate) part: String,
}

/// The searches of a page.
#[derive(Default)]
pub(crate) struct Shelf {
    pub(crate) tiles: Vec<Shown>,
    pub(crate) lists: Vec<Shown>,
}

impl Shelf {
    pub(crate) async fn read(
        part: &FleetPart,
        viewer: &Viewer,
        db: &Client,
    ) -> Result<Self, AppError> {
        if !viewer.sees_machines() {
            return Ok(Self::default());
        }
        let all = list(&asker(viewer), db).await?;
        let of = |wanted: Overview| {
            let fitting = all.iter().filter(|search| search.overview == wanted);
            fitting
                .take(MOST)
                .map(|search| Shown::of(search, part))
                .collect()
        };
        Ok(Self {
            tiles: of(Overview::Tile),
            lists: of(Overview::List),
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.tiles.is_empty() && self.lists.is_empty()
    }
}

impl Shown {
    fn of(search: &Search, part: &FleetPart) -> Self {
        let place = part
            .parameter()
            .map_or_else(String::new, |(name, id)| format!("?{name}={id}"));
        let what = if search.overview == Overview::List {
            "first"
        } else {
            "count"
        };
        Self {
            name: search.title(),
            description: search.description.clone(),
            href: format!("/search/run_search/{}/{place}", search.id),
            part: format!("/search/{what}/{}/{place}", search.id),
        }
    }
}

/// So many of each are shown.
const MOST: usize = 12;
