//! A check-in in at most three round trips: one statement that looks it up and, when it repeats the last one, writes
//! it at once; then the rows that may have changed; then what did change.
//!
//! The comparison in between is not here: it is pure and belongs to the door that understands submissions. The
//! machine's row is locked before its other rows are read, so two check-ins of one machine follow each other.

#[macro_use]
pub(crate) mod columns;

/// The common end of the statements that write the machine's row, with and without our table.
macro_rules! touch_and_update {
    () => {
        concat!(" scripts AS (
             UPDATE server_pluginscriptsubmission SET recorded = $3
             WHERE machine_id = $1 AND plugin = ANY($9::text[]) AND NOT historical),
         messages AS (UPDATE server_message SET date = $3 WHERE $10 AND machine_id = $1)
         UPDATE server_machine SET
             machine_group_id = $2, last_checkin = $3, broken_client = false, ",
            text_columns!(assignments from "new.texts",),
            "memory_kb = $5, hd_space = $6, hd_total = $7, deployed = $8
         FROM (SELECT $4::text[] AS texts) new
         WHERE id = $1")
    };
}

pub mod changes;
pub mod memory;
pub mod read;
pub mod repeat;
pub mod write;

pub use changes::Changes;
pub use read::{Present, Wanted, open};
pub use repeat::{Arrival, Seen, arrive, arrive_unremembered};
pub use write::{rehearse, write};
