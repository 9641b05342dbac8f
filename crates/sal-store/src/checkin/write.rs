//! The writing half: every kind of change is one statement over arrays; COMMIT travels with them.
//!
//! Arrays that a statement joins with are wrapped as `(SELECT $1)`. Postgres estimates a bare array parameter by its
//! length, finds that plans made for one call look cheaper than its generic plan, and plans anew each time; what it
//! cannot look into, it plans once (Postgres manual, PREPARE).

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all};
use jiff::Timestamp;
use uuid::Uuid;

use super::changes::{Changes, RowUpdate};
use super::memory::{StoreMachine, store_machine};
use crate::error::StoreError;
use crate::ids::{GroupId, MachineId};
use crate::machine_changes::write_changes;
use crate::pool::Tx;

// IS NOT DISTINCT FROM, because no index serves it: with stale statistics the index on the source alone looks best, and
// reads the history of the whole fleet for each item. Scalar subqueries, because Postgres makes a join of NOT EXISTS and
// might read all lines of the machine.
//
// A line of the same time is looked for, not left to ON CONFLICT DO NOTHING, which confirms each insertion in the WAL (48
// bytes). Machines are locked; should a Django Sal add the same line in between, the transaction runs again.
macro_rules! change_rows {
    () => {
        "WITH facts AS (
             UPDATE server_fact f SET fact_data = new.data
             FROM unnest((SELECT $12::bigint[]), (SELECT $13::text[])) AS new (id, data) WHERE f.id = new.id),
         rows AS (
             UPDATE server_pluginscriptrow r SET pluginscript_data = new.data
             FROM unnest((SELECT $14::bigint[]), (SELECT $15::text[])) AS new (id, data) WHERE r.id = new.id),
         histories AS (
             INSERT INTO server_manageditemhistory (machine_id, id, management_source_id, name, status, recorded)
             SELECT $6, new.id, new.source, new.name, new.status, new.recorded
             FROM unnest((SELECT $7::uuid[]), (SELECT $8::uuid[]), (SELECT $9::text[]), (SELECT $10::text[]),
                 (SELECT $11::timestamptz[])) AS new (id, source, name, status, recorded)
             WHERE new.status IS DISTINCT FROM (
                 SELECT h.status FROM server_manageditemhistory h
                 WHERE h.machine_id = $6 AND h.name = new.name AND h.management_source_id IS NOT DISTINCT FROM new.source
                 ORDER BY h.recorded DESC LIMIT 1)
             AND (SELECT true FROM server_manageditemhistory h
                 WHERE h.machine_id = $6 AND h.name = new.name AND h.management_source_id IS NOT DISTINCT FROM new.source
                     AND h.recorded = new.recorded LIMIT 1) IS NULL)
         UPDATE server_manageditem i SET status = new.status, date_managed = new.managed,
             data = CASE WHEN new.same_data THEN i.data ELSE new.data END
         FROM unnest((SELECT $1::uuid[]), (SELECT $2::text[]), (SELECT $3::timestamptz[]), (SELECT $4::text[]),
             (SELECT $5::bool[])) AS new (id, status, managed, data, same_data)
         WHERE i.id = new.id"
    };
}

crate::queries! {
    /// Makes a machine; returns nothing when another check-in made it meanwhile.
    insert_machine(serial: String, group: GroupId, now: Timestamp, deployed: bool) -> /// A new machine.
    NewMachine {
        /// Its id.
        id: MachineId,
    } = "INSERT INTO server_machine
             (serial, machine_group_id, first_checkin, deployed, broken_client, memory_kb, os_family)
         VALUES ($1, $2, $3, $4, false, 0, 'Darwin') ON CONFLICT (serial) DO NOTHING RETURNING id";

    /// Overwrites the columns that a check-in decides, and gives what came again its time.
    store_machine_only(StoreMachineOnly {
        id: MachineId, group: GroupId, now: Timestamp, texts: Vec<Option<String>>, memory_kb: i32,
        hd_space: Option<i64>, hd_total: Option<i64>, deployed: bool, plugins: Vec<String>, touch_messages: bool
    }) = concat!("WITH", touch_and_update!());

    /// Adds facts.
    insert_facts(machine: MachineId, sources: Vec<Uuid>, names: Vec<String>, data: Vec<String>) =
        "INSERT INTO server_fact (machine_id, management_source_id, fact_name, fact_data)
         SELECT $1, source, name, data FROM unnest($2::uuid[], $3::text[], $4::text[]) AS new (source, name, data)";

    /// Removes facts.
    delete_facts(ids: Vec<i64>) = "DELETE FROM server_fact WHERE id = ANY($1)";

    /// Keeps values of facts.
    insert_historical_facts(machine: MachineId, sources: Vec<Uuid>, names: Vec<String>, data: Vec<String>, recorded: Vec<Timestamp>) =
        "INSERT INTO server_historicalfact (machine_id, management_source_id, fact_name, fact_data, fact_recorded)
         SELECT $1, source, name, data, recorded
         FROM unnest($2::uuid[], $3::text[], $4::text[], $5::timestamptz[]) AS new (source, name, data, recorded)";

    /// Adds managed items; one that another writer added meanwhile gets this state.
    insert_items(InsertItems { machine: MachineId, ids: Vec<Uuid>, sources: Vec<Uuid>, names: Vec<String>, statuses: Vec<String>, dates: Vec<Timestamp>, data: Vec<Option<String>> }) =
        "INSERT INTO server_manageditem (machine_id, id, management_source_id, name, status, date_managed, data)
         SELECT $1, id, source, name, status, managed, data
         FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::timestamptz[], $7::text[])
              AS new (id, source, name, status, managed, data)
         ON CONFLICT (machine_id, name, management_source_id)
         DO UPDATE SET status = EXCLUDED.status, date_managed = EXCLUDED.date_managed, data = EXCLUDED.data";

    /// Gives managed items another state, and facts and rows of script results other values; adds lines of history where
    /// the newest line of an item says another status. A line of the same item and time stays as it is.
    ///
    /// One statement, because nearly every check-in that is not a repetition brings all of it, and a statement of its own
    /// costs Postgres as much as some rows.
    update_rows(UpdateRows {
        ids: Vec<Uuid>, statuses: Vec<String>, dates: Vec<Timestamp>, data: Vec<Option<String>>, same_data: Vec<bool>,
        machine: MachineId, lines: Vec<Uuid>, sources: Vec<Uuid>, names: Vec<String>, line_statuses: Vec<String>,
        recorded: Vec<Timestamp>, facts: Vec<i64>, fact_data: Vec<String>, rows: Vec<i64>, row_data: Vec<String>
    }) = change_rows!();

    /// The same for most of a machine's items: they are found together by their machine instead of one by one, which
    /// halves the work, and in the order in which they lie.
    update_rows_of_many_items(UpdateRowsOfManyItems {
        ids: Vec<Uuid>, statuses: Vec<String>, dates: Vec<Timestamp>, data: Vec<Option<String>>, same_data: Vec<bool>,
        machine: MachineId, lines: Vec<Uuid>, sources: Vec<Uuid>, names: Vec<String>, line_statuses: Vec<String>,
        recorded: Vec<Timestamp>, facts: Vec<i64>, fact_data: Vec<String>, rows: Vec<i64>, row_data: Vec<String>
    }) = concat!(change_rows!(), " AND i.machine_id = $6");

    /// Removes managed items.
    delete_items(ids: Vec<Uuid>) = "DELETE FROM server_manageditem WHERE id = ANY($1)";

    /// Adds messages.
    insert_messages(machine: MachineId, sources: Vec<Uuid>, kinds: Vec<String>, texts: Vec<Option<String>>, dates: Vec<Timestamp>) =
        "INSERT INTO server_message (machine_id, management_source_id, message_type, text, date)
         SELECT $1, source, kind, text, date
         FROM unnest($2::uuid[], $3::text[], $4::text[], $5::timestamptz[]) AS new (source, kind, text, date)";

    /// Gives messages another date.
    update_messages(ids: Vec<i64>, dates: Vec<Timestamp>) =
        "UPDATE server_message t SET date = new.date
         FROM unnest((SELECT $1::bigint[]), (SELECT $2::timestamptz[])) AS new (id, date) WHERE t.id = new.id";

    /// Removes messages.
    delete_messages(ids: Vec<i64>) = "DELETE FROM server_message WHERE id = ANY($1)";

    /// Adds results of plugin scripts with their rows. The three derived columns stay empty, as under Sal's
    /// normal engine.
    insert_scripts(InsertScripts {
        machine: MachineId, now: Timestamp, plugins: Vec<String>, historical: Vec<bool>,
        row_plugins: Vec<String>, row_names: Vec<String>, row_data: Vec<String>, row_keys: Vec<String>
    }) = "WITH added AS (
             INSERT INTO server_pluginscriptsubmission (machine_id, recorded, plugin, historical)
             SELECT $1, $2, plugin, historical FROM unnest($3::text[], $4::bool[]) AS new (plugin, historical)
             RETURNING id, plugin)
         INSERT INTO server_pluginscriptrow (submission_id, pluginscript_name, pluginscript_data,
             submission_and_script_name, pluginscript_data_int)
         SELECT added.id, new.name, new.data, new.key, 0
         FROM unnest($5::text[], $6::text[], $7::text[], $8::text[]) AS new (plugin, name, data, key)
         JOIN added ON added.plugin = new.plugin";

    /// Removes results of plugin scripts and their rows.
    delete_scripts(ids: Vec<i64>) =
        "WITH rows_gone AS (DELETE FROM server_pluginscriptrow WHERE submission_id = ANY($1))
         DELETE FROM server_pluginscriptsubmission WHERE id = ANY($1)";

    /// Adds rows to results that are there.
    insert_rows(submissions: Vec<i64>, names: Vec<String>, data: Vec<String>, keys: Vec<String>) =
        "INSERT INTO server_pluginscriptrow (submission_id, pluginscript_name, pluginscript_data,
             submission_and_script_name, pluginscript_data_int)
         SELECT submission, name, data, key, 0
         FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[]) AS new (submission, name, data, key)";

    /// Removes rows.
    delete_rows(ids: Vec<i64>) = "DELETE FROM server_pluginscriptrow WHERE id = ANY($1)";
}

/// Writes everything and commits, in one round trip (two for a machine that is new).
///
/// # Errors
/// The first statement's error, or [`StoreError::Overtaken`]; then nothing was written. See [`StoreError::is_worth_a_retry`].
pub async fn write(changes: &Changes, tx: Tx) -> Result<(), StoreError> {
    let Some(id) = machine(changes, &tx).await? else {
        tx.rollback().await?;
        return Err(StoreError::Overtaken);
    };
    let sent = writes(id, changes, &tx);
    let (written, committed) = tokio::join!(biased; join_all(sent), tx.send_commit());
    for result in written {
        result?;
    }
    committed?;
    tx.committed();
    Ok(())
}

/// Writes everything and takes it back: whether all of it may be written, without a trace.
///
/// # Errors
/// As [`write`]; in any case nothing was written.
pub async fn rehearse(changes: &Changes, tx: Tx) -> Result<(), StoreError> {
    if let Some(id) = machine(changes, &tx).await? {
        for result in join_all(writes(id, changes, &tx)).await {
            result?;
        }
    }
    tx.rollback().await?;
    Ok(())
}

/// The machine's id; a new one is made. `None` when another check-in made it meanwhile.
async fn machine(changes: &Changes, tx: &Tx) -> Result<Option<MachineId>, StoreError> {
    tx.know(&[ALL]).await?;
    if changes.memory.is_some() {
        tx.know(&[super::memory::ALL, crate::machine_changes::ALL])
            .await?;
    }
    let machine = &changes.machine;
    if let Some(id) = machine.id {
        return Ok(Some(id));
    }
    let deployed = &machine.columns.deployed;
    let made = insert_machine(tx, &machine.serial, &machine.group, &machine.now, deployed).await?;
    Ok(made.into_iter().next().map(|made| made.id))
}

fn writes<'a>(id: MachineId, changes: &'a Changes, tx: &'a Tx) -> Writes<'a> {
    let mut sent = Vec::new();
    sent.push(machine_write(id, changes, tx).boxed());
    if changes.has_rows_to_change() {
        sent.push(change_rows(id, changes, tx).boxed());
    }
    fact_writes(id, changes, tx, &mut sent);
    item_writes(id, changes, tx, &mut sent);
    message_writes(id, changes, tx, &mut sent);
    script_writes(id, changes, tx, &mut sent);
    if !changes.lines.is_empty() {
        sent.push(write_changes(id, changes.machine.now, &changes.lines, tx).boxed());
    }
    sent
}

type Writes<'a> = Vec<BoxFuture<'a, Result<u64, StoreError>>>;

async fn machine_write(id: MachineId, changes: &Changes, tx: &Tx) -> Result<u64, StoreError> {
    let machine = &changes.machine;
    let columns = &machine.columns;
    let (space, total) = (&columns.hd_space, &columns.hd_total);
    let (plugins, touch) = (&changes.plugins_touched, &changes.touch_messages);
    let (group, now, texts) = (&machine.group, &machine.now, &columns.texts());
    let (memory_kb, deployed) = (&columns.memory_kb, &columns.deployed);
    let Some(memory) = &changes.memory else {
        return store_machine_only(
            tx,
            StoreMachineOnly {
                id: &id,
                group,
                now,
                texts,
                memory_kb,
                hd_space: space,
                hd_total: total,
                deployed,
                plugins,
                touch_messages: touch,
            },
        )
        .await;
    };
    let trace = &memory.trace;
    store_machine(
        tx,
        StoreMachine {
            id: &id,
            group,
            now,
            texts,
            memory_kb,
            hd_space: space,
            hd_total: total,
            deployed,
            plugins,
            touch_messages: touch,
            digests: &memory.digests,
            compared: &memory.compared,
            body_bytes: &trace.body_bytes,
            milliseconds: &trace.milliseconds,
            address: &trace.address,
            client: &trace.client,
            by_former_key: &memory.by_former_key,
            facts_changed: &changes.has_other_facts(),
            managed_items_changed: &changes.has_other_items(),
        },
    )
    .await
}

fn fact_writes<'a>(id: MachineId, changes: &'a Changes, tx: &'a Tx, sent: &mut Writes<'a>) {
    if !changes.facts_gone.is_empty() {
        sent.push(delete_facts(tx, &changes.facts_gone).boxed());
    }
    if !changes.facts_new.is_empty() {
        let facts = &changes.facts_new;
        let sources = facts.iter().map(|fact| fact.source.0).collect();
        let (names, data) = facts
            .iter()
            .map(|fact| (fact.name.clone(), fact.data.clone()))
            .unzip();
        sent.push(async move { insert_facts(tx, &id, &sources, &names, &data).await }.boxed());
    }
    if !changes.facts_kept.is_empty() {
        let kept = &changes.facts_kept;
        let (sources, recorded) = kept
            .iter()
            .map(|kept| (kept.fact.source.0, kept.recorded))
            .unzip();
        let (names, data) = kept
            .iter()
            .map(|kept| (kept.fact.name.clone(), kept.fact.data.clone()))
            .unzip();
        sent.push(async move { insert_historical_facts(tx, &id, &sources, &names, &data, &recorded).await }.boxed());
    }
}

fn item_writes<'a>(id: MachineId, changes: &'a Changes, tx: &'a Tx, sent: &mut Writes<'a>) {
    if !changes.items_gone.is_empty() {
        sent.push(delete_items(tx, &changes.items_gone).boxed());
    }
    if !changes.items_new.is_empty() {
        let items = &changes.items_new;
        let (ids, sources) = items.iter().map(|item| (item.id, item.source.0)).unzip();
        let (names, dates) = items
            .iter()
            .map(|item| (item.name.clone(), item.state.date_managed))
            .unzip();
        let (statuses, data) = items
            .iter()
            .map(|item| (item.state.status.clone(), item.state.data.clone()))
            .unzip();
        sent.push(
            async move {
                insert_items(
                    tx,
                    InsertItems {
                        machine: &id,
                        ids: &ids,
                        sources: &sources,
                        names: &names,
                        statuses: &statuses,
                        dates: &dates,
                        data: &data,
                    },
                )
                .await
            }
            .boxed(),
        );
    }
}

async fn change_rows(id: MachineId, changes: &Changes, tx: &Tx) -> Result<u64, StoreError> {
    let (items, lines) = (&changes.items_changed, &changes.histories);
    let (ids, dates) = items
        .iter()
        .map(|item| (item.id, item.state.date_managed))
        .unzip();
    let statuses = items.iter().map(|item| item.state.status.clone()).collect();
    let same_data = items.iter().map(|item| item.same_data).collect();
    let data = items
        .iter()
        .map(|item| item.state.data.clone().filter(|_| !item.same_data))
        .collect();
    let (line_ids, sources) = lines.iter().map(|line| (line.id, line.source.0)).unzip();
    let (names, line_statuses) = lines
        .iter()
        .map(|line| (line.name.clone(), line.status.clone()))
        .unzip();
    let recorded = lines.iter().map(|line| line.recorded).collect();
    let (facts, fact_data) = split(&changes.facts_changed);
    let (rows, row_data) = split(&changes.rows_changed);
    let parameters = UpdateRows {
        ids: &ids,
        statuses: &statuses,
        dates: &dates,
        data: &data,
        same_data: &same_data,
        machine: &id,
        lines: &line_ids,
        sources: &sources,
        names: &names,
        line_statuses: &line_statuses,
        recorded: &recorded,
        facts: &facts,
        fact_data: &fact_data,
        rows: &rows,
        row_data: &row_data,
    };
    if items.len() > MANY {
        return update_rows_of_many_items(tx, parameters.into()).await;
    }
    update_rows(tx, parameters).await
}

impl<'a> From<UpdateRows<'a>> for UpdateRowsOfManyItems<'a> {
    fn from(same: UpdateRows<'a>) -> Self {
        let UpdateRows {
            ids,
            statuses,
            dates,
            data,
            same_data,
            machine,
            lines,
            sources,
            names,
            line_statuses,
            recorded,
            facts,
            fact_data,
            rows,
            row_data,
        } = same;
        Self {
            ids,
            statuses,
            dates,
            data,
            same_data,
            machine,
            lines,
            sources,
            names,
            line_statuses,
            recorded,
            facts,
            fact_data,
            rows,
            row_data,
        }
    }
}

fn split(rows: &[RowUpdate]) -> (Vec<i64>, Vec<String>) {
    rows.iter().map(|row| (row.id, row.data.clone())).unzip()
}

fn message_writes<'a>(id: MachineId, changes: &'a Changes, tx: &'a Tx, sent: &mut Writes<'a>) {
    if !changes.messages_gone.is_empty() {
        sent.push(delete_messages(tx, &changes.messages_gone).boxed());
    }
    if !changes.messages_changed.is_empty() {
        let (ids, dates) = changes
            .messages_changed
            .iter()
            .map(|message| (message.id, message.date))
            .unzip();
        sent.push(async move { update_messages(tx, &ids, &dates).await }.boxed());
    }
    if !changes.messages_new.is_empty() {
        let messages = &changes.messages_new;
        let (sources, dates) = messages
            .iter()
            .map(|message| (message.source.0, message.date))
            .unzip();
        let (kinds, texts) = messages
            .iter()
            .map(|message| (message.kind.clone(), message.text.clone()))
            .unzip();
        sent.push(
            async move { insert_messages(tx, &id, &sources, &kinds, &texts, &dates).await }.boxed(),
        );
    }
}

fn script_writes<'a>(id: MachineId, changes: &'a Changes, tx: &'a Tx, sent: &mut Writes<'a>) {
    if !changes.scripts_gone.is_empty() {
        sent.push(delete_scripts(tx, &changes.scripts_gone).boxed());
    }
    if !changes.rows_gone.is_empty() {
        sent.push(delete_rows(tx, &changes.rows_gone).boxed());
    }
    if !changes.rows_new.is_empty() {
        let rows = &changes.rows_new;
        let (submissions, names) = rows
            .iter()
            .map(|(submission, row)| (*submission, row.name.clone()))
            .unzip();
        let (data, keys) = rows
            .iter()
            .map(|(_, row)| (row.data.clone(), row.key.clone()))
            .unzip();
        sent.push(async move { insert_rows(tx, &submissions, &names, &data, &keys).await }.boxed());
    }
    if !changes.scripts_new.is_empty() {
        sent.push(new_scripts(id, changes, tx).boxed());
    }
}

async fn new_scripts(id: MachineId, changes: &Changes, tx: &Tx) -> Result<u64, StoreError> {
    let (plugins, historical) = changes
        .scripts_new
        .iter()
        .map(|script| (script.plugin.clone(), script.historical))
        .unzip();
    let rows = || {
        changes
            .scripts_new
            .iter()
            .flat_map(|script| script.rows.iter().map(move |row| (script, row)))
    };
    let (row_plugins, row_names) = rows()
        .map(|(script, row)| (script.plugin.clone(), row.name.clone()))
        .unzip();
    let (row_data, row_keys) = rows()
        .map(|(_, row)| (row.data.clone(), row.key.clone()))
        .unzip();
    insert_scripts(
        tx,
        InsertScripts {
            machine: &id,
            now: &changes.machine.now,
            plugins: &plugins,
            historical: &historical,
            row_plugins: &row_plugins,
            row_names: &row_names,
            row_data: &row_data,
            row_keys: &row_keys,
        },
    )
    .await
}

/// From here on changed items are found by their machine.
const MANY: usize = 25;
