//! Many machines at once, for databases that shall be as full as a real fleet's: COPY instead of check-ins.
//!
//! What is written is what check-ins, inventories and profile lists of machines that are not there would write: the
//! same `Changes`, planned against nothing. Only the way into the tables is another one, see [`rows`]'s COPY.
//! Not for servers at work: nothing is compared, and a machine that is there already is an error.

mod rows;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use tokio_postgres::Client;

use crate::checkin;
use crate::error::StoreError;
use crate::ids::GroupId;
use crate::inventory::{self, ApplicationName};
use crate::profiles;

crate::queries! {
    /// How many machines there are, counted no further than one.
    any_machine() -> /// Whether there is one.
    AnyMachine {
        /// Whether there is one.
        found: bool,
    } = "SELECT EXISTS (SELECT FROM server_machine) AS found";

    /// The serial numbers of all machines.
    all_serials() -> /// A machine.
    KnownSerial {
        /// Its serial number.
        serial: String,
    } = "SELECT serial FROM server_machine";

    /// All machine groups, the oldest first.
    all_groups() -> /// A group.
    AnyGroup {
        /// Its id.
        id: GroupId,
    } = "SELECT id FROM server_machinegroup ORDER BY id";

    /// Takes ids for as many machines from their sequence, so that the rows below can name them.
    take_machine_ids(count: i64) -> /// An id nobody else gets.
    MachineIdTaken {
        /// The id.
        id: i64,
    } = "SELECT nextval(pg_get_serial_sequence('server_machine', 'id')) AS id FROM generate_series(1, $1::bigint)";

    /// Takes ids for results of plugin scripts.
    take_script_ids(count: i64) -> /// An id nobody else gets.
    ScriptIdTaken {
        /// The id.
        id: i64,
    } = "SELECT nextval(pg_get_serial_sequence('server_pluginscriptsubmission', 'id')) AS id FROM generate_series(1, $1::bigint)";

    /// Takes ids for profiles.
    take_profile_ids(count: i64) -> /// An id nobody else gets.
    ProfileIdTaken {
        /// The id.
        id: i64,
    } = "SELECT nextval(pg_get_serial_sequence('profiles_profile', 'id')) AS id FROM generate_series(1, $1::bigint)";
}

/// Everything of a machine that is not there yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMachine {
    /// What its check-in writes, planned against nothing.
    pub checkin: checkin::Changes,
    /// When it came first; not after its check-in.
    pub first_checkin: Timestamp,
    /// The hash and the items of its inventory, if it sent one.
    pub inventory: Option<(String, inventory::Changes)>,
    /// Its profiles.
    pub profiles: profiles::Changes,
}

/// Applications whose ids are known from machines before.
#[derive(Debug, Default)]
pub struct KnownApplications(BTreeMap<ApplicationName, i64>);

/// How many rows went into which table.
pub type Counts = BTreeMap<&'static str, u64>;

/// Writes machines in one transaction, whole or not at all. Sources and groups must be there; applications are made.
///
/// # Errors
/// The first refusal: a machine, or another row with a key, that is there already.
pub async fn copy_machines(
    machines: &[NewMachine],
    known: &mut KnownApplications,
    db: &mut Client,
) -> Result<Counts, StoreError> {
    know_applications(machines, known, db).await?;
    let tx = db.transaction().await?;
    let ids = rows::Ids::take(machines, tx.client()).await?;
    let counts = rows::copy(machines, &ids, &known.0, &tx).await?;
    tx.commit().await?;
    Ok(counts)
}

/// Applications are made first and by themselves, as sources are: another session may make the same ones.
async fn know_applications(
    machines: &[NewMachine],
    known: &mut KnownApplications,
    db: &Client,
) -> Result<(), StoreError> {
    let new: BTreeSet<&ApplicationName> = machines
        .iter()
        .filter_map(|machine| machine.inventory.as_ref())
        .flat_map(|(_, changes)| &changes.applications)
        .filter(|name| !known.0.contains_key(*name))
        .collect();
    if new.is_empty() {
        return Ok(());
    }
    let part =
        |part: fn(&ApplicationName) -> &String| new.iter().map(|name| part(name).clone()).collect();
    let rows = inventory::applications(
        db,
        &part(|name| &name.name),
        &part(|name| &name.bundleid),
        &part(|name| &name.bundlename),
    )
    .await?;
    known.0.extend(rows.into_iter().map(|row| {
        let name = ApplicationName {
            name: row.name,
            bundleid: row.bundleid,
            bundlename: row.bundlename,
        };
        (name, row.id)
    }));
    Ok(())
}

/// Lets this session write rows without Postgres looking up each foreign key by itself, which is most of the work: the
/// ids were taken a moment before in the same transaction. `false` where the login may not (it takes a superuser,
/// `rds_superuser`, or the right to set the parameter); then the rows are checked and it takes longer.
pub async fn trust_ids(db: &Client) -> bool {
    let set = db.batch_execute("SET session_replication_role = replica");
    set.await.is_ok()
}

/// Lets Postgres count what is there, so that its plans fit.
///
/// # Errors
/// When the connection is lost.
pub async fn analyze(db: &Client) -> Result<(), StoreError> {
    Ok(db.batch_execute("ANALYZE").await?)
}
