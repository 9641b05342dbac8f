//! The reading half: the machine's row, locked, and everything a check-in may replace.

use jiff::Timestamp;
use uuid::Uuid;

use crate::error::StoreError;
use crate::groups::{Group, group_by_key};
use crate::ids::{GroupId, MachineId, SourceId};
use crate::pool::Tx;
use crate::sources::{Source, sources_by_name};

crate::queries! {
    /// The machine's row, locked until the transaction ends.
    machine_for_checkin(serial: str) -> /// The present row of `server_machine`.
    MachineRow {
        /// Its id.
        id: MachineId,
        /// Its group.
        machine_group_id: GroupId,
        /// When it checked in last.
        last_checkin: Option<Timestamp>,
        /// Munki's version.
        munki_version: Option<String>,
        /// Munki's manifest.
        manifest: Option<String>,
        /// Whether it counts as in use.
        deployed: bool,
    } = "SELECT id, machine_group_id, last_checkin, munki_version, manifest, deployed
         FROM server_machine WHERE serial = $1 FOR NO KEY UPDATE";

    /// All facts of the machine.
    facts(serial: str) -> /// A fact that is there.
    FactRow {
        /// The row.
        id: i64,
        /// Who told us; NULL in rows of old versions.
        management_source_id: Option<SourceId>,
        /// Its name.
        fact_name: String,
        /// Its value.
        fact_data: String,
    } = "SELECT f.id, f.management_source_id, f.fact_name, f.fact_data
         FROM server_fact f JOIN server_machine m ON m.id = f.machine_id WHERE m.serial = $1";

    /// All managed items of the machine.
    items(serial: str) -> /// A managed item that is there.
    ItemRow {
        /// The row.
        id: Uuid,
        /// Who manages it.
        management_source_id: SourceId,
        /// Its name.
        name: String,
        /// Its status.
        status: String,
        /// Since when.
        date_managed: Timestamp,
        /// Details as JSON text.
        data: Option<String>,
    } = "SELECT i.id, i.management_source_id, i.name, i.status, i.date_managed, i.data
         FROM server_manageditem i JOIN server_machine m ON m.id = i.machine_id WHERE m.serial = $1";

    /// The newest line of history of each of the machine's items.
    newest_histories(serial: str) -> /// The newest line of history of one item.
    HistoryRow {
        /// Who manages it.
        management_source_id: SourceId,
        /// The item's name.
        name: String,
        /// The status it last changed to.
        status: String,
    } = "SELECT DISTINCT ON (h.name, h.management_source_id) h.management_source_id, h.name, h.status
         FROM server_manageditemhistory h JOIN server_machine m ON m.id = h.machine_id WHERE m.serial = $1
         ORDER BY h.name, h.management_source_id, h.recorded DESC";

    /// All messages of the machine.
    messages(serial: str) -> /// A message that is there.
    MessageRow {
        /// The row.
        id: i64,
        /// Who sent it; NULL in rows of old versions.
        management_source_id: Option<SourceId>,
        /// Its type.
        message_type: String,
        /// Its text.
        text: Option<String>,
        /// Its date.
        date: Timestamp,
    } = "SELECT t.id, t.management_source_id, t.message_type, t.text, t.date
         FROM server_message t JOIN server_machine m ON m.id = t.machine_id WHERE m.serial = $1";

    /// The machine's results of these plugin scripts, a line for each row (or one without a row).
    script_rows(serial: str, plugins: Vec<String>) -> /// A row of plugin script results, or results without rows.
    ScriptRow {
        /// The results.
        submission_id: i64,
        /// The script's name for itself.
        plugin: String,
        /// Whether earlier results are kept.
        historical: bool,
        /// The row, if there is one.
        row_id: Option<i64>,
        /// Its name.
        name: Option<String>,
        /// Its value.
        data: Option<String>,
    } = "SELECT s.id AS submission_id, s.plugin, s.historical, r.id AS row_id,
                r.pluginscript_name AS name, r.pluginscript_data AS data
         FROM server_pluginscriptsubmission s
         JOIN server_machine m ON m.id = s.machine_id
         LEFT JOIN server_pluginscriptrow r ON r.submission_id = s.id
         WHERE m.serial = $1 AND s.plugin = ANY($2)
         ORDER BY s.recorded DESC, s.id DESC, r.id";
}

/// What is there before a check-in.
#[derive(Debug, Clone, PartialEq)]
pub struct Present {
    /// The group of the body's key, if there is one.
    pub group: Option<Group>,
    /// The machine, if it was seen before.
    pub machine: Option<MachineRow>,
    /// Those of the submission's sources that exist.
    pub sources: Vec<Source>,
    /// The machine's facts.
    pub facts: Vec<FactRow>,
    /// Its managed items.
    pub items: Vec<ItemRow>,
    /// The newest history line of each item that ever was.
    pub histories: Vec<HistoryRow>,
    /// Its messages.
    pub messages: Vec<MessageRow>,
    /// Results of the plugin scripts that the submission brings anew.
    pub scripts: Vec<ScriptRow>,
}

/// Begins the transaction and reads everything, in one round trip once the statements are known.
pub async fn read(
    serial: &str,
    group_key: &str,
    source_names: &Vec<String>,
    plugin_names: &Vec<String>,
    tx: &Tx,
) -> Result<Present, StoreError> {
    tx.know(&[ALL, crate::groups::ALL, crate::sources::ALL])
        .await?;
    let (begun, machine, group, sources, facts, items, histories, messages, scripts) = tokio::join!(
        biased;
        tx.send_begin(),
        machine_for_checkin(tx, serial),
        group_by_key(tx, group_key),
        sources_by_name(tx, source_names),
        facts(tx, serial),
        items(tx, serial),
        newest_histories(tx, serial),
        messages(tx, serial),
        script_rows(tx, serial, plugin_names),
    );
    begun?;
    Ok(Present {
        machine: machine?.into_iter().next(),
        group: group?.into_iter().next(),
        sources: sources?,
        facts: facts?,
        items: items?,
        histories: histories?,
        messages: messages?,
        scripts: scripts?,
    })
}
