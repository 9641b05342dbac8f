//! The reading half: the machine's row, locked, and those of its rows that the check-in may replace.

use std::cmp::Reverse;

use jiff::Timestamp;
use uuid::Uuid;

use crate::error::StoreError;
use crate::ids::{GroupId, MachineId, SourceId};
use crate::pool::Tx;
use crate::sources::Source;

crate::queries! {
    /// The machine's row, locked until the transaction ends.
    lock_machine(id: MachineId) -> /// The present row of `server_machine`.
    MachineRow {
        /// Its id.
        id: MachineId,
        /// The group it is in.
        machine_group_id: GroupId,
        /// Munki's version.
        munki_version: Option<String>,
        /// Munki's manifest.
        manifest: Option<String>,
        /// Whether it counts as in use.
        deployed: bool,
        /// Which version of the row this is (`xmin`).
        version: Option<String>,
    } = "SELECT id, machine_group_id, munki_version, manifest, deployed, xmin::text AS version
         FROM server_machine WHERE id = $1 FOR NO KEY UPDATE";

    /// Sources by name, and the machine's facts, items, messages and script results: of these sources and plugins,
    /// or all. One statement, because each costs Postgres as much as reading ten rows.
    rows(Rows {
        machine: Option<MachineId>, sources: Vec<String>, everything: bool, of_facts: Vec<String>, of_items: Vec<String>,
        messages: bool, plugins: Vec<String>
    }) -> /// A row of any of those tables.
    AnyRow {
        /// Which table.
        kind: i32,
        /// The row, where rows have numbers.
        number: Option<i64>,
        /// The row, where they have UUIDs.
        uuid: Option<Uuid>,
        /// Who told us.
        source: Option<SourceId>,
        /// Name of the source, fact, item or script row.
        name: Option<String>,
        /// An item's status, a message's type, a script's plugin.
        word: Option<String>,
        /// A fact's or script row's value, an item's details, a message's text.
        data: Option<String>,
        /// Of an item, a message or a script's results.
        at: Option<Timestamp>,
        /// Of a script row: the results it belongs to.
        submission: Option<i64>,
        /// Of a script row: whether earlier results are kept.
        historical: Option<bool>,
    } = "SELECT 0 AS kind, NULL::bigint AS number, NULL::uuid AS uuid, id AS source, name::text, NULL::text AS word,
                NULL::text AS data, NULL::timestamptz AS at, NULL::bigint AS submission, NULL::bool AS historical
         FROM server_managementsource WHERE name = ANY($2::text[])
         UNION ALL
         SELECT 1, f.id, NULL, f.management_source_id, f.fact_name, NULL, f.fact_data, NULL, NULL, NULL
         FROM server_fact f WHERE f.machine_id = $1 AND ($3
             OR f.management_source_id IN (SELECT id FROM server_managementsource WHERE name = ANY($4::text[])))
         UNION ALL
         SELECT 2, NULL, i.id, i.management_source_id, i.name, i.status, i.data, i.date_managed, NULL, NULL
         FROM server_manageditem i WHERE i.machine_id = $1 AND ($3
             OR i.management_source_id IN (SELECT id FROM server_managementsource WHERE name = ANY($5::text[])))
         UNION ALL
         SELECT 3, t.id, NULL, t.management_source_id, NULL, t.message_type, t.text, t.date, NULL, NULL
         FROM server_message t WHERE t.machine_id = $1 AND ($3 OR $6)
         UNION ALL
         SELECT 4, r.id, NULL, NULL, r.pluginscript_name, s.plugin, r.pluginscript_data, s.recorded, s.id, s.historical
         FROM server_pluginscriptsubmission s LEFT JOIN server_pluginscriptrow r ON r.submission_id = s.id
         WHERE s.machine_id = $1 AND s.plugin = ANY($7::text[])";
}

/// A fact that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactRow {
    /// The row.
    pub id: i64,
    /// Who told us; NULL in rows of old versions.
    pub management_source_id: Option<SourceId>,
    /// Its name.
    pub fact_name: String,
    /// Its value.
    pub fact_data: String,
}

/// A managed item that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemRow {
    /// The row.
    pub id: Uuid,
    /// Who manages it.
    pub management_source_id: SourceId,
    /// Its name.
    pub name: String,
    /// Its status.
    pub status: String,
    /// Since when.
    pub date_managed: Timestamp,
    /// Details as JSON text.
    pub data: Option<String>,
}

/// A message that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageRow {
    /// The row.
    pub id: i64,
    /// Who sent it; NULL in rows of old versions.
    pub management_source_id: Option<SourceId>,
    /// Its type.
    pub message_type: String,
    /// Its text.
    pub text: Option<String>,
    /// Its date.
    pub date: Timestamp,
}

/// A row of plugin script results, or results without rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptRow {
    /// The results.
    pub submission_id: i64,
    /// The script's name for itself.
    pub plugin: String,
    /// When.
    pub recorded: Timestamp,
    /// Whether earlier results are kept.
    pub historical: bool,
    /// The row, if there is one.
    pub row_id: Option<i64>,
    /// Its name.
    pub name: Option<String>,
    /// Its value.
    pub data: Option<String>,
}

/// Which rows must be compared. A part that is not named here is known to be as it was sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wanted {
    /// Everything, also of sources that the submission does not name.
    pub everything: bool,
    /// Facts of these sources.
    pub facts: Vec<String>,
    /// Items of these.
    pub items: Vec<String>,
    /// All messages.
    pub messages: bool,
    /// Results of these plugin scripts.
    pub plugins: Vec<String>,
}

/// What is there before a check-in.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Present {
    /// The machine, if it was seen before.
    pub machine: Option<MachineRow>,
    /// Those of the submission's sources that exist.
    pub sources: Vec<Source>,
    /// The facts that were asked for.
    pub facts: Vec<FactRow>,
    /// The items that were asked for.
    pub items: Vec<ItemRow>,
    /// The messages, if they were asked for.
    pub messages: Vec<MessageRow>,
    /// The script results that were asked for, the newest first.
    pub scripts: Vec<ScriptRow>,
    /// Whether it is everything after all: the machine's row was not the one that was seen before.
    pub everything: bool,
}

/// Begins the transaction, locks the machine's row and reads; one round trip, two when somebody was faster.
///
/// `version` is that of the row when the digests were read: with another one they say nothing, and everything is read.
///
/// # Errors
/// [`StoreError::Overtaken`] when the machine is gone meanwhile.
pub async fn open(
    machine: Option<MachineId>,
    version: Option<&str>,
    sources: &Vec<String>,
    wanted: &Wanted,
    all_plugins: &[String],
    tx: &Tx,
) -> Result<Present, StoreError> {
    tx.know(&[ALL]).await?;
    let Some(id) = machine else {
        let (begun, found) =
            tokio::join!(biased; tx.send_begin(), select(None, sources, wanted, tx));
        begun?;
        return Ok(Present {
            everything: true,
            ..Present::of(None, found?)
        });
    };
    let (begun, locked, found) = tokio::join!(
        biased;
        tx.send_begin(),
        lock_machine(tx, &id),
        select(machine, sources, wanted, tx),
    );
    begun?;
    let locked = locked?.into_iter().next().ok_or(StoreError::Overtaken)?;
    let found = found?;
    if locked.version.as_deref() == version {
        return Ok(Present {
            everything: wanted.everything,
            ..Present::of(Some(locked), found)
        });
    }
    let everything = Wanted {
        everything: true,
        plugins: all_plugins.to_vec(),
        ..Wanted::default()
    };
    let found = select(machine, sources, &everything, tx).await?;
    Ok(Present {
        everything: true,
        ..Present::of(Some(locked), found)
    })
}

async fn select(
    machine: Option<MachineId>,
    sources: &Vec<String>,
    wanted: &Wanted,
    tx: &Tx,
) -> Result<Vec<AnyRow>, StoreError> {
    rows(
        tx,
        Rows {
            machine: &machine,
            sources,
            everything: &wanted.everything,
            of_facts: &wanted.facts,
            of_items: &wanted.items,
            messages: &wanted.messages,
            plugins: &wanted.plugins,
        },
    )
    .await
}

impl Present {
    fn of(machine: Option<MachineRow>, rows: Vec<AnyRow>) -> Self {
        let mut present = Self {
            machine,
            ..Self::default()
        };
        for row in rows {
            // Columns that are NOT NULL in their tables; a row without them is not one of ours.
            let taken = present.take(row);
            debug_assert!(taken.is_some(), "a row that fits no table");
        }
        present.scripts.sort_by_key(|row| {
            (
                Reverse(row.recorded),
                Reverse(row.submission_id),
                row.row_id,
            )
        });
        present
    }

    fn take(&mut self, row: AnyRow) -> Option<()> {
        match row.kind {
            0 => self.sources.push(Source {
                id: row.source?,
                name: row.name?,
            }),
            1 => self.facts.push(FactRow {
                id: row.number?,
                management_source_id: row.source,
                fact_name: row.name?,
                fact_data: row.data?,
            }),
            2 => self.items.push(ItemRow {
                id: row.uuid?,
                management_source_id: row.source?,
                name: row.name?,
                status: row.word?,
                date_managed: row.at?,
                data: row.data,
            }),
            3 => self.messages.push(MessageRow {
                id: row.number?,
                management_source_id: row.source,
                message_type: row.word?,
                text: row.data,
                date: row.at?,
            }),
            _ => self.scripts.push(ScriptRow {
                submission_id: row.submission?,
                plugin: row.word?,
                recorded: row.at?,
                historical: row.historical?,
                row_id: row.number,
                name: row.name,
                data: row.data,
            }),
        }
        Some(())
    }
}
