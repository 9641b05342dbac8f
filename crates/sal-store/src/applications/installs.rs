//! The machines that have an application: a page of them for people, all of them for files.

use jiff::Timestamp;
use tokio_postgres::{
    Row,
    types::{ToSql, Type},
};

use super::words;
use crate::{
    devices::Direction,
    error::StoreError,
    ids::{ApplicationId, MachineId},
    keyset::{Key, ListPage, Listing, Start},
    machine_row::{MachineRow, columns_of},
    places::{Place, ask},
    pool::Executor,
    scope::Scope,
};

/// Which installs of an application are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// All of them.
    All,
    /// Those of a version.
    Version(String),
    /// Those at a path.
    Path(String),
}

/// What sorts a list of machines; machines without a value come last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstallOrder {
    /// Host name.
    Name,
    /// Serial number.
    Serial,
    /// User at the last check-in.
    User,
    /// Last check-in.
    LastCheckin,
}

/// What a page of the list shows.
#[derive(Debug, Clone)]
pub struct InstallQuery {
    /// The application.
    pub application: ApplicationId,
    /// Which installs.
    pub which: Which,
    /// Words that must all occur in host name, serial number or user.
    pub search: String,
    /// What sorts the list.
    pub order: InstallOrder,
    /// Which come first.
    pub direction: Direction,
    /// Whether names are sorted as the database sorts them, upper case apart, as Django does.
    pub case_matters: bool,
    /// Where the page is.
    pub start: Start,
    /// How many to return.
    pub limit: i64,
}

/// A machine that has the application.
#[derive(Debug, Clone, PartialEq)]
pub struct Install {
    /// Its id.
    pub id: MachineId,
    /// Serial number.
    pub serial: String,
    /// Name.
    pub hostname: Option<String>,
    /// User at the last check-in.
    pub console_user: Option<String>,
    /// Last check-in.
    pub last_checkin: Option<Timestamp>,
    /// How often it has the application.
    pub installs: i64,
    /// In which versions.
    pub versions: Vec<String>,
}

/// Lists machines that have an application.
///
/// # Errors
/// When the database cannot be asked.
pub async fn list_installs(
    query: &InstallQuery,
    place: &Place,
    scope: &Scope,
    db: &impl Executor,
) -> Result<ListPage<Install>, StoreError> {
    let (condition, value) = query.which.condition();
    let from = format!(
        "FROM {machines}
         WHERE EXISTS (SELECT FROM inventory_inventoryitem i
                       WHERE i.machine_id = m.id AND i.application_id = $3 AND {condition})
           AND concat_ws(E'\\n', m.hostname, m.serial, m.console_user) ILIKE ALL ($5::text[])",
        machines = place.machines(),
    );
    // Versions are read for the machines of this page only.
    let beside = format!(
        "JOIN server_machine m ON m.id = shown.id
         CROSS JOIN LATERAL (SELECT count(*) AS installs, array_agg(DISTINCT i.version::text) AS versions
               FROM inventory_inventoryitem i
               WHERE i.machine_id = shown.id AND i.application_id = $3 AND {condition}) i"
    );
    let (units, id) = (scope.units(), place.id());
    let words = words(&query.search);
    let listing = Listing {
        order: query.order.keys(query.direction, query.case_matters),
        columns: "m.id",
        from: &from,
        shown: "m.id, m.serial, m.hostname, m.console_user, m.last_checkin, i.installs, i.versions",
        beside: &beside,
        parameters: vec![
            (&units, Type::INT4_ARRAY),
            (&id, Type::INT8),
            (&query.application, Type::INT8),
            (&value, Type::TEXT),
            (&words, Type::TEXT_ARRAY),
        ],
    };
    let limit = Some(query.limit);
    listing.read(&query.start, limit, install, db).await
}

/// An install of an application, with the machine that has it.
#[derive(Debug, Clone, PartialEq)]
pub struct InstallRow {
    /// The install. With `id` it says where the next rows begin.
    pub item: i64,
    /// The machine.
    pub id: MachineId,
    /// The machine's own row.
    pub machine: MachineRow,
    /// Name of the business unit.
    pub unit: String,
    /// Name of the machine group.
    pub group: String,
}

/// The machines of the installs after this one, in the order of machines: one row for each install, as Sal exports them.
///
/// # Errors
/// When the database cannot be asked.
pub async fn export_machines(
    (application, which): (ApplicationId, &Which),
    (after_machine, after_item): (MachineId, i64),
    most: i64,
    place: &Place,
    scope: &Scope,
    db: &impl Executor,
) -> Result<Vec<InstallRow>, StoreError> {
    let (condition, value) = which.condition();
    let sql = format!(
        "SELECT {}m.id, i.id, u.name, g.name
         FROM inventory_inventoryitem i JOIN ({}) ON m.id = i.machine_id
         JOIN server_businessunit u ON u.id = g.business_unit_id
         WHERE i.application_id = $3 AND {condition} AND (i.machine_id, i.id) > ($5, $6)
         ORDER BY i.machine_id, i.id LIMIT $7",
        columns_of("m"),
        place.machines()
    );
    let parameters: [(&(dyn ToSql + Sync), Type); 5] = [
        (&application, Type::INT8),
        (&value, Type::TEXT),
        (&after_machine, Type::INT8),
        (&after_item, Type::INT8),
        (&most, Type::INT8),
    ];
    let rows = ask(&sql, place, &parameters, scope, db).await?;
    rows.iter().map(install_row).collect()
}

impl InstallOrder {
    fn keys(self, direction: Direction, case_matters: bool) -> Vec<Key> {
        let key = match (self, case_matters) {
            (Self::Name, false) => Key::text("lower(m.hostname)").that_may_miss(),
            (Self::Name, true) => Key::text("m.hostname").that_may_miss(),
            (Self::Serial, _) => Key::text("m.serial"),
            (Self::User, false) => Key::text("lower(m.console_user)").that_may_miss(),
            (Self::User, true) => Key::text("m.console_user").that_may_miss(),
            (Self::LastCheckin, _) => Key::time("m.last_checkin").that_may_miss(),
        };
        vec![key.going(direction), Key::integer("m.id")]
    }
}

impl Which {
    /// A condition on items `i`, and its value as parameter 4.
    fn condition(&self) -> (&'static str, &str) {
        match self {
            Self::All => ("$4::text = ''", ""),
            Self::Version(version) => ("i.version = $4::text", version),
            Self::Path(path) => ("coalesce(i.path, '') = $4::text", path),
        }
    }
}

fn install(row: &Row) -> Result<Install, StoreError> {
    Ok(Install {
        id: row.try_get(0)?,
        serial: row.try_get(1)?,
        hostname: row.try_get(2)?,
        console_user: row.try_get(3)?,
        last_checkin: row.try_get(4)?,
        installs: row.try_get(5)?,
        versions: row.try_get::<_, Option<_>>(6)?.unwrap_or_default(),
    })
}

fn install_row(row: &Row) -> Result<InstallRow, StoreError> {
    let (machine, rest) = MachineRow::read(row)?;
    Ok(InstallRow {
        machine,
        id: row.try_get(rest)?,
        item: row.try_get(rest + 1)?,
        unit: row.try_get(rest + 2)?,
        group: row.try_get(rest + 3)?,
    })
}
