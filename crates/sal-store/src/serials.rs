//! `server_machine` by serial number, for submissions that bring more than one spelling of it.

use crate::error::StoreError;
use crate::ids::MachineId;
use crate::pool::Tx;

crate::queries! {
    /// The machine with the first of these serial numbers that there is, locked against other submissions of it
    /// until the transaction ends.
    lock_first(serials: Vec<String>) -> /// A machine that exists.
    FoundMachine {
        /// Its id.
        id: MachineId,
    } = "SELECT id FROM server_machine WHERE serial = ANY($1::text[])
         ORDER BY array_position($1::text[], serial::text) LIMIT 1 FOR NO KEY UPDATE";
}

/// Begins the transaction and locks the machine, in one round trip once the statement is known.
pub async fn begin_with_machine(
    serials: &Vec<String>,
    tx: &Tx,
) -> Result<Option<MachineId>, StoreError> {
    tx.know(&[ALL]).await?;
    let (begun, found) = tokio::join!(biased; tx.send_begin(), lock_first(tx, serials));
    begun?;
    Ok(found?.first().map(|machine| machine.id))
}
