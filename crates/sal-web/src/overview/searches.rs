//! Saved searches on the overview: those that their owners put there and the viewer may use.
//!
//! Who sees numbers only gets the number also of a search that shows machines to others. They are counted after the page has come: a search may be slow, and the page must not be.

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
        let all = list(&asker(viewer), db).await?;
        let sees_machines = viewer.sees_machines();
        let (mut tiles, mut lists) = (Vec::new(), Vec::new());
        for search in &all {
            match search.overview {
                Overview::No => {}
                Overview::List if sees_machines => lists.push(Shown::of(search, "first", part)),
                Overview::List | Overview::Tile => tiles.push(Shown::of(search, "count", part)),
            }
        }
        tiles.truncate(MOST);
        lists.truncate(MOST);
        Ok(Self { tiles, lists })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.tiles.is_empty() && self.lists.is_empty()
    }
}

impl Shown {
    /// `what` is where its number or its first machines are: `count` or `first`.
    fn of(search: &Search, what: &str, part: &FleetPart) -> Self {
        let place = part
            .parameter()
            .map_or_else(String::new, |(name, id)| format!("?{name}={id}"));
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
