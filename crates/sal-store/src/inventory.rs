//! `inventory_inventory`, `inventory_inventoryitem` and `inventory_application`: which applications a machine has.
//!
//! Applications are shared by all machines: identity is name, bundle id and bundle name. A machine's items are a
//! multiset, since the same application in the same version can be listed twice.

use std::collections::HashMap;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all};
use jiff::Timestamp;

use crate::error::StoreError;
use crate::ids::MachineId;
use crate::pool::Tx;

crate::queries! {
    /// The hash of the inventory of the machine with the first of these serial numbers that there is.
    hash_of_first(serials: Vec<String>) -> /// A machine and what it sent last.
    KnownInventory {
        /// SHA-256 of the plist in hexadecimal digits; NULL when it sent none.
        sha256hash: Option<String>,
    } = "SELECT v.sha256hash FROM server_machine m LEFT JOIN inventory_inventory v ON v.machine_id = m.id
         WHERE m.serial = ANY($1::text[]) ORDER BY array_position($1::text[], m.serial::text) LIMIT 1";

    /// The last inventory of a machine, and how many items it has.
    inventory_of(machine: MachineId) -> /// What there is before a submission.
    StoredInventory {
        /// SHA-256 of the plist in hexadecimal digits.
        sha256hash: String,
        /// How many items the machine has.
        items: i64,
    } = "SELECT v.sha256hash, (SELECT count(*) FROM inventory_inventoryitem i WHERE i.machine_id = $1) AS items
         FROM inventory_inventory v WHERE v.machine_id = $1";

    /// All items of a machine.
    items_of(machine: MachineId) -> /// An item that is there.
    ItemRow {
        /// The row.
        id: i64,
        /// Name of the application.
        name: String,
        /// Its bundle id.
        bundleid: String,
        /// Its bundle name.
        bundlename: String,
        /// Which version.
        version: String,
        /// Where it is.
        path: Option<String>,
    } = "SELECT i.id, a.name, a.bundleid, a.bundlename, i.version, i.path
         FROM inventory_inventoryitem i JOIN inventory_application a ON a.id = i.application_id
         WHERE i.machine_id = $1 ORDER BY i.id";

    /// The ids of these applications, which must all be different; those that are not there are made, in the order
    /// of their names, so that two submissions of the same new ones wait for each other instead of deadlocking.
    /// One that another submission made meanwhile is locked by a column that is no key: a lock on the key would stand
    /// against the foreign keys of that submission's items, and the two would deadlock after all.
    /// Those that are there are locked against being removed, as the foreign keys of the items would do at the commit:
    /// maintenance removes applications that no machine has, and must not take one away that is about to be used.
    applications(names: Vec<String>, bundleids: Vec<String>, bundlenames: Vec<String>) -> /// An application.
    ApplicationRow {
        /// Its id.
        id: i64,
        /// Its name.
        name: String,
        /// Its bundle id.
        bundleid: String,
        /// Its bundle name.
        bundlename: String,
    } = "WITH wanted AS (
             SELECT name, bundleid, bundlename FROM unnest($1::text[], $2::text[], $3::text[])
                 AS sent (name, bundleid, bundlename)),
         there AS (
             SELECT a.id, a.name, a.bundleid, a.bundlename FROM wanted w JOIN inventory_application a
                 ON a.name = w.name AND a.bundleid = w.bundleid AND a.bundlename = w.bundlename
             FOR KEY SHARE OF a),
         made AS (
             INSERT INTO inventory_application (name, bundleid, bundlename, \"servicepackIneffect\")
             SELECT w.name, w.bundleid, w.bundlename, '' FROM wanted w
             WHERE NOT EXISTS (SELECT 1 FROM there t
                 WHERE t.name = w.name AND t.bundleid = w.bundleid AND t.bundlename = w.bundlename)
             ORDER BY w.name, w.bundleid, w.bundlename
             ON CONFLICT (name, bundleid, bundlename)
             DO UPDATE SET \"servicepackIneffect\" = inventory_application.\"servicepackIneffect\"
             RETURNING id, name, bundleid, bundlename)
         SELECT id, name, bundleid, bundlename FROM there
         UNION ALL SELECT id, name, bundleid, bundlename FROM made";

    /// Adds items in this order.
    insert_items(machine: MachineId, applications: Vec<i64>, versions: Vec<String>, paths: Vec<String>) =
        "INSERT INTO inventory_inventoryitem (machine_id, application_id, version, path)
         SELECT $1, application, version, path
         FROM unnest($2::bigint[], $3::text[], $4::text[]) WITH ORDINALITY AS new (application, version, path, place)
         ORDER BY place";

    /// Gives items another version and path.
    update_items(ids: Vec<i64>, versions: Vec<String>, paths: Vec<String>) =
        "UPDATE inventory_inventoryitem i SET version = new.version, path = new.path
         FROM unnest($1::bigint[], $2::text[], $3::text[]) AS new (id, version, path) WHERE i.id = new.id";

    /// Removes items.
    delete_items(ids: Vec<i64>) = "DELETE FROM inventory_inventoryitem WHERE id = ANY($1)";

    /// Records when a machine sent which inventory.
    store_inventory(machine: MachineId, now: Timestamp, sha256hash: String) =
        "INSERT INTO inventory_inventory (machine_id, datestamp, sha256hash) VALUES ($1, $2, $3)
         ON CONFLICT (machine_id) DO UPDATE SET datestamp = EXCLUDED.datestamp, sha256hash = EXCLUDED.sha256hash";
}

/// What makes an application that one and no other. Each part at most 255 characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct ApplicationName {
    /// Its name.
    pub name: String,
    /// Its bundle id.
    pub bundleid: String,
    /// Its bundle name.
    pub bundlename: String,
}

/// An item to add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewItem {
    /// Of which application.
    pub application: ApplicationName,
    /// At most 64 characters.
    pub version: String,
    /// Where it is.
    pub path: String,
}

/// An item that is there and got another version or path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemUpdate {
    /// The row.
    pub id: i64,
    /// Its new version.
    pub version: String,
    /// Its new path.
    pub path: String,
}

/// What one submission changes, beside the date and the hash.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// Applications that must exist: those of new items, and those that are listed without an item. All different.
    pub applications: Vec<ApplicationName>,
    /// New items.
    pub items_new: Vec<NewItem>,
    /// Items with another version or path.
    pub items_changed: Vec<ItemUpdate>,
    /// Items that are gone.
    pub items_gone: Vec<i64>,
}

/// Writes everything and commits: one round trip, and one before it when there are applications to look up.
///
/// # Errors
/// The first statement's error; then nothing was written. See [`StoreError::is_worth_a_retry`].
pub async fn write(
    machine: MachineId,
    now: Timestamp,
    sha256hash: &String,
    changes: &Changes,
    tx: Tx,
) -> Result<(), StoreError> {
    tx.know(&[ALL]).await?;
    let ids = application_ids(&changes.applications, &tx).await?;
    let mut sent: Vec<BoxFuture<'_, Result<u64, StoreError>>> = Vec::new();
    sent.push(store_inventory(&tx, &machine, &now, sha256hash).boxed());
    if !changes.items_gone.is_empty() {
        sent.push(delete_items(&tx, &changes.items_gone).boxed());
    }
    if !changes.items_changed.is_empty() {
        sent.push(change_items(&changes.items_changed, &tx).boxed());
    }
    if !changes.items_new.is_empty() {
        sent.push(add_items(machine, &changes.items_new, &ids, &tx).boxed());
    }
    let (written, committed) = tokio::join!(biased; join_all(sent), tx.send_commit());
    for result in written {
        result?;
    }
    committed?;
    tx.committed();
    Ok(())
}

type Ids = HashMap<ApplicationName, i64>;

async fn application_ids(wanted: &[ApplicationName], tx: &Tx) -> Result<Ids, StoreError> {
    if wanted.is_empty() {
        return Ok(Ids::new());
    }
    let part = |part: fn(&ApplicationName) -> &String| wanted.iter().map(part).cloned().collect();
    let rows = applications(
        tx,
        &part(|application| &application.name),
        &part(|application| &application.bundleid),
        &part(|application| &application.bundlename),
    )
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let name = ApplicationName {
                name: row.name,
                bundleid: row.bundleid,
                bundlename: row.bundlename,
            };
            (name, row.id)
        })
        .collect())
}

async fn change_items(changed: &[ItemUpdate], tx: &Tx) -> Result<u64, StoreError> {
    let ids = changed.iter().map(|item| item.id).collect();
    let (versions, paths) = changed
        .iter()
        .map(|item| (item.version.clone(), item.path.clone()))
        .unzip();
    update_items(tx, &ids, &versions, &paths).await
}

async fn add_items(
    machine: MachineId,
    new: &[NewItem],
    ids: &Ids,
    tx: &Tx,
) -> Result<u64, StoreError> {
    // Every application of a new item is among those that were looked up or made.
    let known = || {
        new.iter()
            .filter_map(|item| Some((*ids.get(&item.application)?, item)))
    };
    let applications = known().map(|(id, _)| id).collect();
    let (versions, paths) = known()
        .map(|(_, item)| (item.version.clone(), item.path.clone()))
        .unzip();
    insert_items(tx, &machine, &applications, &versions, &paths).await
}
