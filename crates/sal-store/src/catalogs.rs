//! `catalog_catalog`: munki's catalogs, one for each name and machine group.
//!
//! No constraint keeps two rows of one name apart, so a writer locks the machine group first; the row with the
//! lowest id counts.

use crate::error::StoreError;
use crate::ids::GroupId;
use crate::pool::Tx;

crate::queries! {
    /// A group, locked against other submissions of catalogs until the transaction ends.
    lock_group(id: GroupId) -> /// A machine group.
    LockedGroup {
        /// Its id.
        id: GroupId,
    } = "SELECT id FROM server_machinegroup WHERE id = $1 FOR NO KEY UPDATE";

    /// The hashes of those catalogs of a group that there are, the row that counts first.
    hashes(group: GroupId, names: Vec<String>) -> /// A catalog's hash.
    CatalogHash {
        /// The catalog's name.
        name: String,
        /// SHA-256 of its text in hexadecimal digits, as the client said.
        sha256hash: String,
    } = "SELECT name, sha256hash FROM catalog_catalog
         WHERE machine_group_id = $1 AND name = ANY($2::text[]) ORDER BY id";

    /// The rows of a catalog, the one that counts first.
    rows_of(group: GroupId, name: str) -> /// A row of a catalog.
    CatalogRow {
        /// The row.
        id: i32,
    } = "SELECT id FROM catalog_catalog WHERE machine_group_id = $1 AND name = $2 ORDER BY id";

    /// Makes a catalog.
    insert_catalog(group: GroupId, name: String, sha256hash: String, content: String) =
        "INSERT INTO catalog_catalog (machine_group_id, name, sha256hash, content) VALUES ($1, $2, $3, $4)";

    /// Gives a catalog another text, if it is another.
    update_catalog(id: i32, sha256hash: String, content: String) =
        "UPDATE catalog_catalog SET sha256hash = $2, content = $3
         WHERE id = $1 AND (sha256hash <> $2 OR content <> $3)";

    /// Removes rows.
    delete_catalogs(ids: Vec<i32>) = "DELETE FROM catalog_catalog WHERE id = ANY($1)";
}

/// A catalog as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalog {
    /// At most 253 characters.
    pub name: String,
    /// At most 64 characters.
    pub sha256hash: String,
    /// A property list as XML.
    pub content: String,
}

/// Stores a catalog of a group, which must be locked. Rows of the same name beside the one that counts, which
/// make the original fail for good, are removed.
pub async fn store(group: GroupId, catalog: &Catalog, tx: &Tx) -> Result<(), StoreError> {
    let rows = rows_of(tx, &group, &catalog.name).await?;
    let Some((row, twins)) = rows.split_first() else {
        insert_catalog(
            tx,
            &group,
            &catalog.name,
            &catalog.sha256hash,
            &catalog.content,
        )
        .await?;
        return Ok(());
    };
    update_catalog(tx, &row.id, &catalog.sha256hash, &catalog.content).await?;
    if !twins.is_empty() {
        delete_catalogs(tx, &twins.iter().map(|row| row.id).collect()).await?;
    }
    Ok(())
}
