//! The reading half: the machine's row, locked, and those of its rows that the check-in may replace.

use std::cmp::Reverse;

use jiff::Timestamp;
use uuid::Uuid;

use crate::error::StoreError;
use crate::ids::{GroupId, MachineId, SourceId};
use crate::pool::Tx;
use crate::sources::Source;

crate::queries! {
    /// The machine's row, locked until the transaction ends, sources by name, and the machine's facts, items, messages
    /// and script results: of these sources and plugins, or all. One statement, because each costs Postgres as much as
    /// reading ten rows.
    ///
    /// Arrays are wrapped as in [`super::write`]. It is planned once without that, too, at 1,000 machines (ADR 16).
    rows(Rows {
        machine: Option<MachineId>, sources: Vec<String>, everything: bool, of_facts: Vec<String>, of_items: Vec<String>,
        messages: bool, plugins: Vec<String>
    }) -> /// A row of any of those tables.
    AnyRow {
        /// Which table.
        kind: i32,
        /// The row, where rows have numbers; the machine.
        number: Option<i64>,
        /// The row, where they have UUIDs.
        uuid: Option<Uuid>,
        /// Who told us.
        source: Option<SourceId>,
        /// Name of the source, fact, item or script row; Munki's version.
        name: Option<String>,
        /// An item's status, a message's type, a script's plugin, Munki's manifest.
        word: Option<String>,
        /// A fact's or script row's value, an item's details, a message's text, the version of the machine's row.
        data: Option<String>,
        /// Of an item, a message or a script's results.
        at: Option<Timestamp>,
        /// Of a script row: the results it belongs to; of a machine: its group.
        submission: Option<i64>,
        /// Of a script row: whether earlier results are kept; of a machine: whether it counts as in use.
        historical: Option<bool>,
    } = "WITH held AS (
             SELECT id, machine_group_id, munki_version, manifest, deployed, xmin::text AS version, hostname, console_user,
                    operating_system, last_checkin, broken_client, machine_model, memory, sal_version, hd_space, hd_total
             FROM server_machine WHERE id = $1 FOR NO KEY UPDATE)
         SELECT 5 AS kind, id AS number, NULL::uuid AS uuid, NULL::uuid AS source, munki_version::text AS name,
                manifest::text AS word, version AS data, NULL::timestamptz AS at, machine_group_id::bigint AS submission,
                deployed AS historical
         FROM held
         UNION ALL
         SELECT 6, NULL, NULL, NULL, hostname, console_user, operating_system, last_checkin, NULL, broken_client FROM held
         UNION ALL
         SELECT 7, hd_space, NULL, NULL, machine_model, memory, sal_version, NULL, hd_total, NULL FROM held
         UNION ALL
         SELECT 0, NULL, NULL, id, name, NULL, NULL, NULL, NULL, NULL
         FROM server_managementsource WHERE name = ANY((SELECT $2::text[])::text[])
         UNION ALL
         SELECT 1, f.id, NULL, f.management_source_id, f.fact_name, NULL, f.fact_data, NULL, NULL, NULL
         FROM server_fact f WHERE f.machine_id = $1 AND ($3
             OR f.management_source_id IN (SELECT id FROM server_managementsource WHERE name = ANY((SELECT $4::text[])::text[])))
         UNION ALL
         SELECT 2, NULL, i.id, i.management_source_id, i.name, i.status, i.data, i.date_managed, NULL, NULL
         FROM server_manageditem i WHERE i.machine_id = $1 AND ($3
             OR i.management_source_id IN (SELECT id FROM server_managementsource WHERE name = ANY((SELECT $5::text[])::text[])))
         UNION ALL
         SELECT 3, t.id, NULL, t.management_source_id, NULL, t.message_type, t.text, t.date, NULL, NULL
         FROM server_message t WHERE t.machine_id = $1 AND ($3 OR $6)
         UNION ALL
         SELECT 4, r.id, NULL, NULL, r.pluginscript_name, s.plugin, r.pluginscript_data, s.recorded, s.id, s.historical
         FROM server_pluginscriptsubmission s LEFT JOIN server_pluginscriptrow r ON r.submission_id = s.id
         WHERE s.machine_id = $1 AND s.plugin = ANY((SELECT $7::text[])::text[])";
}

/// The machine's row, locked until the transaction ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MachineRow {
    /// Its id.
    pub id: MachineId,
    /// The group it is in.
    pub machine_group_id: GroupId,
    /// Munki's version.
    pub munki_version: Option<String>,
    /// Munki's manifest.
    pub manifest: Option<String>,
    /// Whether it counts as in use.
    pub deployed: bool,
    /// Which version of the row this is (`xmin`).
    pub version: Option<String>,
}

/// Those columns of a machine's row whose changes are kept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Before {
    /// Its host name.
    pub hostname: Option<String>,
    /// Its console user.
    pub console_user: Option<String>,
    /// Its version of the operating system.
    pub operating_system: Option<String>,
    /// Its last check-in; none when it has not been seen yet.
    pub last_checkin: Option<Timestamp>,
    /// Whether its client was broken.
    pub broken_client: bool,
    /// Its model.
    pub machine_model: Option<String>,
    /// Its memory.
    pub memory: Option<String>,
    /// Its client's version.
    pub sal_version: Option<String>,
    /// Free disk space in bytes.
    pub hd_space: Option<i64>,
    /// Disk size in bytes.
    pub hd_total: Option<i64>,
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
    /// What it said of itself.
    pub before: Before,
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
/// The statement that locks is also the one that reads. Where it has to wait, its snapshot is older than the lock: it
/// returns the machine's row as it has become (READ COMMITTED looks again at a row it waited for, Postgres manual, 13.2.1)
/// and the other rows as they were before. That is seen by the version. Every check-in, and
/// whatever else removes rows of a machine while it holds this lock, writes the machine's row in the same transaction, so where the locked row is still the one seen at arrival, no check-in ended
/// since then, and the snapshot, which is younger, holds all there is. Any other version makes a second statement read
/// everything, with a snapshot of its own, under the lock that is held by then.
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
    let (begun, found) =
        tokio::join!(biased; tx.send_begin(), select(machine, sources, wanted, tx));
    begun?;
    let present = Present::of(found?);
    if machine.is_none() {
        return Ok(Present {
            everything: true,
            ..present
        });
    }
    let held = present.machine.as_ref().ok_or(StoreError::Overtaken)?;
    if held.version.as_deref() == version {
        return Ok(Present {
            everything: wanted.everything,
            ..present
        });
    }
    let everything = Wanted {
        everything: true,
        plugins: all_plugins.to_vec(),
        ..Wanted::default()
    };
    let present = Present::of(select(machine, sources, &everything, tx).await?);
    Ok(Present {
        everything: true,
        ..present
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

impl Before {
    /// Takes one of the two rows that have it.
    fn take(&mut self, kind: i32, row: AnyRow) -> Option<()> {
        if kind == 6 {
            self.hostname = row.name;
            self.console_user = row.word;
            self.operating_system = row.data;
            self.last_checkin = row.at;
            self.broken_client = row.historical?;
        } else {
            self.machine_model = row.name;
            self.memory = row.word;
            self.sal_version = row.data;
            self.hd_space = row.number;
            self.hd_total = row.submission;
        }
        Some(())
    }
}

impl Present {
    fn of(rows: Vec<AnyRow>) -> Self {
        let mut present = Self::default();
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
            4 => self.scripts.push(ScriptRow {
                submission_id: row.submission?,
                plugin: row.word?,
                recorded: row.at?,
                historical: row.historical?,
                row_id: row.number,
                name: row.name,
                data: row.data,
            }),
            5 => {
                self.machine = Some(MachineRow {
                    id: MachineId(row.number?),
                    machine_group_id: GroupId(i32::try_from(row.submission?).ok()?),
                    munki_version: row.name,
                    manifest: row.word,
                    deployed: row.historical?,
                    version: row.data,
                });
            }
            kind => self.before.take(kind, row)?,
        }
        Some(())
    }
}
