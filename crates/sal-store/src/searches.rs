//! Saved searches: Sal's `search_savedsearch`, its groups and rows, and our `salrs_search` beside them.
//!
//! Sal's row says name, owner and when the search was made; ours says filter, description and with whom it is shared. A
//! search without a row of ours is Sal's own: its groups and rows say what it means ([`sal_query::sal_search`]), and
//! everybody sees it, as in Sal. Who may see what is decided here; who may look at machines at all, and what the audit log
//! says, at the doors. [`change`] writes, [`named`] answers `search = "Kiosks"`, [`compare`] runs a search as Sal would.

pub mod change;
pub mod compare;
pub mod named;
pub mod rows;

use jiff::Timestamp;
use sal_query::{
    Expr,
    sal_search::{self, Reading, SalSearch},
};

use crate::{
    error::StoreError,
    ids::{SearchId, UnitId, UserId},
    pool::Executor,
    scope::Scope,
};

pub use change::{Filter, NewSearch, create, delete, update};
pub use named::{NamedSearches, Usage, usage};

crate::queries! {
    /// Searches that somebody may see: the own ones, those shared with everybody or with a unit of the scope, and Sal's own.
    /// All of them for whoever may see everything; those that nobody saved only by their id.
    visible_searches(scope: Scope, user: Option<UserId>, sees_all: bool, id: Option<SearchId>) -> /// A search as the tables have it.
    SearchRow {
        /// Its id.
        id: SearchId,
        /// Its name; Sal calls those without one unsaved.
        name: Option<String>,
        /// When it was made.
        created: Timestamp,
        /// Whether somebody saved it.
        is_saved: bool,
        /// Who made it.
        owner: UserId,
        /// The user name of whoever made it.
        owner_name: String,
        /// Our filter, unless it is Sal's own.
        filter: Option<String>,
        /// What it is for.
        description: Option<String>,
        /// With whom it is shared.
        sharing: Option<String>,
        /// With which unit.
        unit_id: Option<UnitId>,
        /// The unit's name, while there is one.
        unit_name: Option<String>,
        /// How it is on the overview.
        overview: Option<String>,
        /// When it was last changed here.
        updated: Option<Timestamp>,
        /// Sal's rows as they were written with the filter.
        mirror: Option<String>,
    } = "SELECT s.id, s.name, s.created, s.save_search AS is_saved, s.created_by_id AS owner, u.username AS owner_name,
                o.filter, o.description, o.sharing, o.unit_id, b.name AS unit_name, o.overview, o.updated, o.mirror
         FROM search_savedsearch s
         JOIN auth_user u ON u.id = s.created_by_id
         LEFT JOIN salrs_search o ON o.search_id = s.id
         LEFT JOIN server_businessunit b ON b.id = o.unit_id
         WHERE CASE WHEN $4::bigint IS NULL THEN s.save_search ELSE s.id = $4 END
           AND ($3 OR s.created_by_id = $2 OR o.search_id IS NULL OR o.sharing = 'everybody'
                OR (o.sharing = 'unit' AND b.id IS NOT NULL AND ($1::int[] IS NULL OR o.unit_id = ANY($1))))
         ORDER BY lower(s.name), s.created DESC, s.id DESC";
}

/// Who asks for searches.
#[derive(Debug, Clone, Copy)]
pub struct Asker<'a> {
    /// The user; nobody on the command line.
    pub user: Option<UserId>,
    /// Whose units count for what is shared with units.
    pub scope: &'a Scope,
    /// Sees and changes everybody's: global admins, and the command line.
    pub is_admin: bool,
}

impl Asker<'static> {
    /// Who runs a command on the server.
    pub const BY_HAND: Self = Self {
        user: None,
        scope: &Scope::All,
        is_admin: true,
    };
}

/// A saved search.
#[derive(Debug, Clone)]
pub struct Search {
    /// Its id.
    pub id: SearchId,
    /// Its name; empty for a search that nobody named.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
    /// Whether somebody saved it; Sal removes the others after 30 days.
    pub is_saved: bool,
    /// Whose it is.
    pub owner: UserId,
    /// That user's name.
    pub owner_name: String,
    /// What it is for; may be empty.
    pub description: String,
    /// Who sees it.
    pub sharing: Sharing,
    /// The name of the unit that it is shared with.
    pub unit_name: Option<String>,
    /// How it is on the overview.
    pub overview: Overview,
    /// When it was last changed here; none for Sal's own.
    pub updated: Option<Timestamp>,
    /// What it means.
    pub definition: Definition,
    /// Sal's groups and rows, whoever wrote them.
    pub sal: SalSearch,
}

/// Where a search's meaning comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Definition {
    /// Our filter.
    Filter(String),
    /// Sal's groups and rows: nobody saved it here.
    Sal,
    /// Sal's groups and rows: it was saved here with this filter, and changed in a Django Sal since.
    ChangedInSal(String),
}

/// Who sees a search beside its owner and global admins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    /// Nobody.
    Private,
    /// Whoever sees the machines of this unit.
    Unit(UnitId),
    /// Everybody.
    Everybody,
}

/// How a search is on the overview.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Overview {
    /// It is not.
    #[default]
    No,
    /// A tile with the number of machines.
    Tile,
    /// A list of the first machines.
    List,
}

impl Overview {
    /// As it is in the database and in forms.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::Tile => "tile",
            Self::List => "list",
        }
    }

    /// Reads that; anything else is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut all = [Self::No, Self::Tile, Self::List].into_iter();
        all.find(|overview| overview.text() == text)
    }
}

impl Sharing {
    /// As it is in the database and in forms.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Unit(_) => "unit",
            Self::Everybody => "everybody",
        }
    }

    /// The unit.
    #[must_use]
    pub fn unit(self) -> Option<UnitId> {
        match self {
            Self::Unit(unit) => Some(unit),
            Self::Private | Self::Everybody => None,
        }
    }

    /// Reads both; a unit that is not named, or any other word, is none.
    #[must_use]
    pub fn parse(text: &str, unit: Option<UnitId>) -> Option<Self> {
        match text {
            "private" => Some(Self::Private),
            "unit" => unit.map(Self::Unit),
            "everybody" => Some(Self::Everybody),
            _ => None,
        }
    }
}

impl Search {
    /// Whether this asker may change, share and delete it: the owner, and global admins.
    #[must_use]
    pub fn may_be_changed_by(&self, asker: &Asker<'_>) -> bool {
        asker.is_admin || asker.user == Some(self.owner)
    }

    /// The name for people: Sal's words where nobody gave one.
    #[must_use]
    pub fn title(&self) -> String {
        if self.name.is_empty() {
            return format!("Unsaved search {}", self.id);
        }
        self.name.clone()
    }

    /// Sal's rows, read.
    #[must_use]
    pub fn reading(&self) -> Reading {
        sal_search::read(&self.sal)
    }

    /// Whether Sal's rows say what it means.
    #[must_use]
    pub fn is_sals(&self) -> bool {
        !matches!(self.definition, Definition::Filter(_))
    }

    /// The filter.
    ///
    /// # Errors
    /// Why there is none: a sentence for each row of Sal's that cannot be read, or what is wrong with the text.
    pub fn expr(&self) -> Result<Expr, Vec<String>> {
        match &self.definition {
            Definition::Filter(text) => match sal_query::parse(text) {
                Ok(parsed) => Ok(parsed.expr),
                Err(error) => Err(vec![error.to_string()]),
            },
            Definition::Sal | Definition::ChangedInSal(_) => self.reading().expr(),
        }
    }

    /// The filter as text: as it was typed, or Sal's rows in words.
    ///
    /// # Errors
    /// As [`Self::expr`].
    pub fn text(&self) -> Result<String, Vec<String>> {
        match &self.definition {
            Definition::Filter(text) => Ok(text.clone()),
            Definition::Sal | Definition::ChangedInSal(_) => Ok(self.expr()?.to_string()),
        }
    }
}

/// The saved searches that somebody may see, by name.
///
/// # Errors
/// When the database cannot be asked.
pub async fn list(asker: &Asker<'_>, db: &impl Executor) -> Result<Vec<Search>, StoreError> {
    let found = visible_searches(db, asker.scope, &asker.user, &asker.is_admin, &None).await?;
    with_rows(found, db).await
}

/// A search that somebody may see, saved or not.
///
/// # Errors
/// When the database cannot be asked.
pub async fn load(
    id: SearchId,
    asker: &Asker<'_>,
    db: &impl Executor,
) -> Result<Option<Search>, StoreError> {
    let found = visible_searches(db, asker.scope, &asker.user, &asker.is_admin, &Some(id)).await?;
    Ok(with_rows(found, db).await?.pop())
}

async fn with_rows(found: Vec<SearchRow>, db: &impl Executor) -> Result<Vec<Search>, StoreError> {
    let ids: Vec<SearchId> = found.iter().map(|row| row.id).collect();
    let mut of = rows::of(&ids, db).await?;
    let searches = found.into_iter().map(|row| {
        let sal = of.remove(&row.id).unwrap_or_default();
        row.with(sal)
    });
    Ok(searches.collect())
}

impl SearchRow {
    fn with(self, sal: SalSearch) -> Search {
        let sharing = match &self.sharing {
            // Sal shows everybody's searches to everybody.
            None => Sharing::Everybody,
            Some(text) => Sharing::parse(text, self.unit_id).unwrap_or(Sharing::Private),
        };
        let definition = match (self.filter, self.mirror) {
            (Some(filter), Some(mirror)) if mirror == rows::mirror(&sal) => {
                Definition::Filter(filter)
            }
            (Some(filter), _) => Definition::ChangedInSal(filter),
            (None, _) => Definition::Sal,
        };
        Search {
            id: self.id,
            name: self.name.unwrap_or_default(),
            created: self.created,
            is_saved: self.is_saved,
            owner: self.owner,
            owner_name: self.owner_name,
            description: self.description.unwrap_or_default(),
            sharing,
            unit_name: self.unit_name,
            overview: self
                .overview
                .and_then(|text| Overview::parse(&text))
                .unwrap_or_default(),
            updated: self.updated,
            definition,
            sal,
        }
    }
}
