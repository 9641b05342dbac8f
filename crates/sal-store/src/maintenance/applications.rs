//! Applications that no machine has any more. Sal switched their removal off, because an inventory could add an item of
//! an application that was just being removed, and failed.
//!
//! Here the two meet at a lock: an inventory locks the applications it will use against being removed when it looks
//! them up ([`crate::inventory::applications`]); maintenance locks those it wants to remove, passes over what is
//! locked, and asks in a second statement, which sees everything that was stored by then, whether they still have no
//! items. Whichever comes first, the inventory is stored: it waits for a batch, finds the application gone, and makes
//! it anew.

crate::queries! {
    /// Applications without items.
    orphans(limit: i64) -> /// An application that no machine has.
    Orphan {
        /// Its id.
        id: i64,
    } = "SELECT a.id FROM inventory_application a
         WHERE NOT EXISTS (SELECT FROM inventory_inventoryitem i WHERE i.application_id = a.id) LIMIT $1";

    /// Locks applications until the end of the transaction, except those that somebody is about to use.
    lock_applications(ids: Vec<i64>) -> /// An application that is locked.
    LockedApplication {
        /// Its id.
        id: i64,
    } = "SELECT id FROM inventory_application WHERE id = ANY($1) ORDER BY id FOR UPDATE SKIP LOCKED";

    /// Removes applications that are locked and still have no items.
    delete_orphans(ids: Vec<i64>) = "
        DELETE FROM inventory_application a WHERE a.id = ANY($1)
          AND NOT EXISTS (SELECT FROM inventory_inventoryitem i WHERE i.application_id = a.id)";

    /// How many applications have no items.
    count_orphans() -> /// A count.
    OrphanCount {
        /// Applications.
        applications: i64,
    } = "SELECT count(*) AS applications FROM inventory_application a
         WHERE NOT EXISTS (SELECT FROM inventory_inventoryitem i WHERE i.application_id = a.id)";
}
