//! Saved searches by name: what `search = "Kiosks"` means to somebody, and who uses a search.

use std::cmp::Reverse;

use sal_query::{Condition, Expr, check::Named};

use super::{Asker, Search, list};
use crate::{error::StoreError, ids::SearchId, pool::Executor};

/// The searches that somebody can use by name. Names may be double: the own search comes before those of others, then the
/// newest. One that cannot be read is not there.
#[derive(Debug, Clone, Default)]
pub struct NamedSearches {
    /// Name, name in lower case, filter; the one that counts first.
    found: Vec<(String, String, Expr)>,
}

impl NamedSearches {
    /// Those of a list that [`list`] made for the asker.
    #[must_use]
    pub fn of(searches: &[Search], asker: &Asker<'_>) -> Self {
        let mut usable: Vec<&Search> = searches
            .iter()
            .filter(|search| search.is_saved && !search.name.is_empty())
            .collect();
        usable.sort_by_key(|search| {
            let is_of_another = asker.user != Some(search.owner);
            (is_of_another, Reverse(search.created), Reverse(search.id))
        });
        let found = usable.into_iter().filter_map(|search| {
            let expr = search.expr().ok()?;
            Some((search.name.clone(), search.name.to_lowercase(), expr))
        });
        Self {
            found: found.collect(),
        }
    }

    /// Asks the database for them.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn load(asker: &Asker<'_>, db: &impl Executor) -> Result<Self, StoreError> {
        Ok(Self::of(&list(asker, db).await?, asker))
    }
}

impl Named for NamedSearches {
    fn search(&self, name: &str) -> Option<Expr> {
        let name = name.to_lowercase();
        let found = self.found.iter().find(|(_, lower, _)| *lower == name);
        found.map(|(_, _, expr)| expr.clone())
    }

    fn widget(&self, _widget: &str, _segment: &str) -> Option<Condition> {
        None
    }

    fn searches(&self) -> Vec<String> {
        self.found.iter().map(|(name, ..)| name.clone()).collect()
    }
}

/// Who uses a search by its name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Usage {
    /// Searches that the asker may see: id, name, user name of the owner.
    pub visible: Vec<(SearchId, String, String)>,
    /// How many others there are.
    pub hidden: usize,
}

impl Usage {
    /// Whether nobody does.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.visible.is_empty() && self.hidden == 0
    }
}

/// The other searches whose filter names this one. Deleting or renaming it breaks them, or leads them to another search of
/// the same name.
///
/// # Errors
/// When the database cannot be asked.
pub async fn usage(
    search: &Search,
    asker: &Asker<'_>,
    db: &impl Executor,
) -> Result<Usage, StoreError> {
    let all = list(&Asker::BY_HAND, db).await?;
    let seen = list(asker, db).await?;
    let mut found = Usage::default();
    for user in all.iter().filter(|other| uses(other, search)) {
        if seen.iter().any(|seen| seen.id == user.id) {
            let named = (user.id, user.title(), user.owner_name.clone());
            found.visible.push(named);
        } else {
            found.hidden += 1;
        }
    }
    Ok(found)
}

fn uses(other: &Search, search: &Search) -> bool {
    let name = search.name.to_lowercase();
    other.id != search.id
        && !name.is_empty()
        && other.expr().is_ok_and(|expr| {
            let names = expr.searches();
            names.iter().any(|used| used.to_lowercase() == name)
        })
}
