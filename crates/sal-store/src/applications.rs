//! `inventory_application` and `inventory_inventoryitem` as people read them: which applications a part of the fleet has,
//! in which versions, and where.
//!
//! What machines send is stored by `inventory`. Counts over large parts come from `summaries`.

mod installs;

use tokio_postgres::{Row, types::Type};

pub use installs::{
    Install, InstallOrder, InstallQuery, InstallRow, Which, export_machines, list_installs,
};

use crate::{
    devices::Direction,
    error::StoreError,
    ids::ApplicationId,
    keyset::{Key, ListPage, Listing, Start},
    places::{Place, ask},
    pool::Executor,
    scope::Scope,
};

crate::queries! {
    /// The application with this id, if a machine of the scope has it. A viewer of everything also gets those that no
    /// machine has any more.
    find_application(id: ApplicationId, scope: Scope) -> /// An application.
    Application {
        /// Its id.
        id: ApplicationId,
        /// Its name.
        name: String,
        /// Its bundle id.
        bundleid: String,
        /// Its bundle name.
        bundlename: String,
    } = "SELECT id, name, bundleid, bundlename FROM inventory_application WHERE id = $1
           AND ($2::int[] IS NULL OR EXISTS (
               SELECT FROM inventory_inventoryitem i JOIN server_machine m ON m.id = i.machine_id
               JOIN server_machinegroup g ON g.id = m.machine_group_id
               WHERE i.application_id = $1 AND g.business_unit_id = ANY($2::int[])))";

    /// Whether Postgres understands this pattern; the error says that it does not.
    try_pattern(pattern: str) -> /// An answer without meaning.
    Tried {
        /// Whether it matches nothing.
        matches: bool,
    } = "SELECT '' ~ $1 AS matches";
}

/// Where counts come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CountsFrom {
    /// Counted now.
    Items,
    /// The summary of the place.
    Summary,
}

/// What sorts a list of applications; the name decides among equals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApplicationOrder {
    /// Its name.
    Name,
    /// Its bundle id.
    BundleId,
    /// Its bundle name.
    BundleName,
    /// How many machines have it.
    Machines,
    /// How many versions there are.
    Versions,
}

/// What a page of the list shows.
#[derive(Debug, Clone)]
pub struct ApplicationQuery {
    /// Where the counts come from.
    pub from: CountsFrom,
    /// Words that must all occur in name, bundle id or bundle name.
    pub search: String,
    /// Applications whose bundle id matches this regular expression are left out; empty leaves out none.
    pub without: String,
    /// Whether to leave out what VMware and Parallels show of their guests.
    pub without_guests: bool,
    /// What sorts the list.
    pub order: ApplicationOrder,
    /// Which come first.
    pub direction: Direction,
    /// Whether names are sorted as the database sorts them, upper case apart, as Django does.
    pub case_matters: bool,
    /// Where the page is.
    pub start: Start,
    /// How many to return; none for all.
    pub limit: Option<i64>,
}

/// An application and who has it.
#[derive(Debug, Clone, PartialEq)]
pub struct CountedApplication {
    /// The application.
    pub application: Application,
    /// How many machines of the place have it.
    pub machines: i64,
    /// How often they have it: a machine can have an application twice.
    pub installs: i64,
    /// In how many versions.
    pub versions: i64,
}

/// Lists applications of a place.
///
/// # Errors
/// When the database cannot be asked, or does not understand the pattern.
pub async fn list_applications(
    query: &ApplicationQuery,
    place: &Place,
    scope: &Scope,
    db: &impl Executor,
) -> Result<ListPage<CountedApplication>, StoreError> {
    let counts = match query.from {
        CountsFrom::Items => counting(place),
        // It is of the whole place, whoever reads it.
        CountsFrom::Summary if !place.is_within(scope) => return Ok(ListPage::EMPTY),
        CountsFrom::Summary => SUMMARY.to_owned(),
    };
    let from = format!(
        "FROM ({counts}) c JOIN inventory_application a ON a.id = c.application
         WHERE concat_ws(E'\\n', a.name, a.bundleid, a.bundlename) ILIKE ALL ($3::text[])
           AND ($4::text = '' OR a.bundleid !~ $4::text)
           AND NOT ($5::bool AND (strpos(a.bundleid, 'com.vmware.proxyApp.') > 0
                                  OR strpos(a.bundleid, 'com.parallels.winapp.') > 0))"
    );
    let (units, id) = (scope.units(), place.id());
    let (words, kind) = (words(&query.search), place.kind());
    let listing = Listing {
        order: query.order.keys(query.direction, query.case_matters),
        columns: "a.id, a.name, a.bundleid, a.bundlename, c.machines, c.installs, c.versions",
        from: &from,
        shown: "shown.id, shown.name, shown.bundleid, shown.bundlename, shown.machines, shown.installs, shown.versions",
        beside: "",
        parameters: vec![
            (&units, Type::INT4_ARRAY),
            (&id, Type::INT8),
            (&words, Type::TEXT_ARRAY),
            (&query.without, Type::TEXT),
            (&query.without_guests, Type::BOOL),
            (&kind, Type::TEXT),
        ],
    };
    listing.read(&query.start, query.limit, counted, db).await
}

/// A version or a path of an application, and how many machines have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    /// The version or the path.
    pub value: String,
    /// How many machines.
    pub machines: i64,
}

/// Which column tells variants apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The version.
    Version,
    /// Where it is.
    Path,
}

/// The versions or paths of an application in a place, most machines first, and how many there are in all.
///
/// # Errors
/// When the database cannot be asked.
pub async fn list_variants(
    application: ApplicationId,
    by: By,
    most: i64,
    place: &Place,
    scope: &Scope,
    db: &impl Executor,
) -> Result<(Vec<Variant>, i64), StoreError> {
    let column = match by {
        By::Version => "i.version",
        By::Path => "coalesce(i.path, '')",
    };
    let sql = format!(
        "SELECT value, count(*) AS machines, count(*) OVER ()
         FROM (SELECT DISTINCT {column} AS value, m.id FROM inventory_inventoryitem i JOIN ({}) ON m.id = i.machine_id
               WHERE i.application_id = $3) one
         GROUP BY value ORDER BY machines DESC, value LIMIT $4",
        place.machines()
    );
    let parameters: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 2] =
        [(&application, Type::INT8), (&most, Type::INT8)];
    let rows = ask(&sql, place, &parameters, scope, db).await?;
    let total = rows.first().map_or(Ok(0), |row| row.try_get(2))?;
    let variant = |row: &Row| {
        Ok(Variant {
            value: row.try_get(0)?,
            machines: row.try_get(1)?,
        })
    };
    let variants = rows
        .iter()
        .map(variant)
        .collect::<Result<_, StoreError>>()?;
    Ok((variants, total))
}

/// The statement that counts a place. Versions are told apart byte by byte, which needs no collation.
///
/// The whole fleet is read in the order of the index by application (0008), with the machines as a filter: `IS TRUE`
/// keeps Postgres from making a join of it, which would lose that order and sort 15 million rows. At 100,000 machines
/// that takes a quarter of the time.
pub(crate) fn counting(place: &Place) -> String {
    let machines = place.machines();
    let items = match place {
        Place::All => format!("WHERE (i.machine_id IN (SELECT m.id FROM {machines})) IS TRUE"),
        _ => format!("JOIN ({machines}) ON m.id = i.machine_id"),
    };
    format!(
        "SELECT i.application_id AS application, count(DISTINCT i.machine_id) AS machines, count(*) AS installs,
                count(DISTINCT i.version COLLATE \"C\") AS versions
         FROM inventory_inventoryitem i {items} GROUP BY i.application_id"
    )
}

/// Every word as a pattern of LIKE that finds it anywhere. Characters that Postgres cannot hold are in no text.
pub(crate) fn words(search: &str) -> Vec<String> {
    search
        .split_whitespace()
        .map(|word| {
            let mut pattern = String::from("%");
            for character in word.chars().filter(|character| *character != '\0') {
                if "%_\\".contains(character) {
                    pattern.push('\\');
                }
                pattern.push(character);
            }
            pattern.push('%');
            pattern
        })
        .collect()
}

impl ApplicationOrder {
    fn keys(self, direction: Direction, case_matters: bool) -> Vec<Key> {
        let key = match (self, case_matters) {
            (Self::Name, false) => Key::text("lower(a.name)"),
            (Self::Name, true) => Key::text("a.name"),
            (Self::BundleId, false) => Key::text("lower(a.bundleid)"),
            (Self::BundleId, true) => Key::text("a.bundleid"),
            (Self::BundleName, false) => Key::text("lower(a.bundlename)"),
            (Self::BundleName, true) => Key::text("a.bundlename"),
            (Self::Machines, _) => Key::integer("c.machines"),
            (Self::Versions, _) => Key::integer("c.versions"),
        };
        let mut keys = vec![key.going(direction)];
        if self != Self::Name {
            keys.push(Key::text("lower(a.name)"));
        }
        keys.push(Key::integer("a.id"));
        keys
    }
}

fn counted(row: &Row) -> Result<CountedApplication, StoreError> {
    Ok(CountedApplication {
        application: Application {
            id: row.try_get(0)?,
            name: row.try_get(1)?,
            bundleid: row.try_get(2)?,
            bundlename: row.try_get(3)?,
        },
        machines: row.try_get(4)?,
        installs: row.try_get(5)?,
        versions: row.try_get(6)?,
    })
}

/// What was counted of a place the last time; who may read it was asked before.
const SUMMARY: &str = "SELECT c.* FROM salrs_summary s,
    jsonb_to_recordset(s.counts) AS c (application bigint, machines bigint, installs bigint, versions bigint)
    WHERE s.what = 'applications' AND s.place = $6::text AND s.place_id = $2::bigint";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_searched_for_is_text_and_no_pattern() {
        assert_eq!(
            words(" 100%  a_b\\ x\0y "),
            ["%100\\%%", "%a\\_b\\\\%", "%xy%"]
        );
        assert!(words("  ").is_empty());
    }
}
