//! `server_machine`: single rows for the client routes that touch nothing else.

use jiff::Timestamp;

use crate::ids::{GroupId, MachineId};

crate::queries! {
    /// The machine with this serial, locked against other check-ins until the transaction ends.
    lock_machine(serial: str) -> /// A machine that exists.
    LockedMachine {
        /// Its id.
        id: MachineId,
    } = "SELECT id FROM server_machine WHERE serial = $1 FOR NO KEY UPDATE";

    /// Records that a client reported itself broken. `hostname` and `sal_version` are kept when NULL is given.
    mark_broken(id: MachineId, group: GroupId, now: Timestamp, hostname: Option<String>, sal_version: Option<String>, deploy: bool) =
        "UPDATE server_machine
         SET machine_group_id = $2, last_checkin = $3, hostname = coalesce($4, hostname),
             sal_version = coalesce($5, sal_version), deployed = deployed OR $6, broken_client = true
         WHERE id = $1";
}
