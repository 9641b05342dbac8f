//! The writing half: every kind of change is one statement over arrays; COMMIT travels with them.

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all};
use jiff::Timestamp;
use uuid::Uuid;

use super::changes::{Changes, MachineColumns, MachineWrite};
use crate::error::StoreError;
use crate::ids::{GroupId, MachineId};
use crate::pool::Tx;

crate::queries! {
    /// Makes a machine; returns nothing when another check-in made it meanwhile.
    insert_machine(serial: String, group: GroupId, now: Timestamp, deployed: bool) -> /// A new machine.
    NewMachine {
        /// Its id.
        id: MachineId,
    } = "INSERT INTO server_machine
             (serial, machine_group_id, first_checkin, deployed, broken_client, memory_kb, os_family)
         VALUES ($1, $2, $3, $4, false, 0, 'Darwin') ON CONFLICT (serial) DO NOTHING RETURNING id";

    /// Overwrites the columns that a check-in decides.
    update_machine(
        id: MachineId, group: GroupId, now: Timestamp, texts: Vec<Option<String>>, memory_kb: i32,
        hd_space: Option<i64>, hd_total: Option<i64>, deployed: bool
    ) = "UPDATE server_machine SET
             machine_group_id = $2, last_checkin = $3, broken_client = false,
             hostname = new.texts[1], operating_system = new.texts[2], memory = new.texts[3], hd_percent = new.texts[4], console_user = new.texts[5],
             machine_model = new.texts[6], machine_model_friendly = new.texts[7], cpu_type = new.texts[8], cpu_speed = new.texts[9],
             os_family = new.texts[10], munki_version = new.texts[11], manifest = new.texts[12], sal_version = new.texts[13],
             memory_kb = $5, hd_space = $6, hd_total = $7, deployed = $8
         FROM (SELECT $4::text[] AS texts) new
         WHERE id = $1";

    /// Adds facts.
    insert_facts(machine: MachineId, sources: Vec<Uuid>, names: Vec<String>, data: Vec<String>) =
        "INSERT INTO server_fact (machine_id, management_source_id, fact_name, fact_data)
         SELECT $1, source, name, data FROM unnest($2::uuid[], $3::text[], $4::text[]) AS new (source, name, data)";

    /// Gives facts another value.
    update_facts(ids: Vec<i64>, data: Vec<String>) =
        "UPDATE server_fact f SET fact_data = new.data
         FROM unnest($1::bigint[], $2::text[]) AS new (id, data) WHERE f.id = new.id";

    /// Removes facts.
    delete_facts(ids: Vec<i64>) = "DELETE FROM server_fact WHERE id = ANY($1)";

    /// Keeps values of facts.
    insert_historical_facts(machine: MachineId, sources: Vec<Uuid>, names: Vec<String>, data: Vec<String>, recorded: Vec<Timestamp>) =
        "INSERT INTO server_historicalfact (machine_id, management_source_id, fact_name, fact_data, fact_recorded)
         SELECT $1, source, name, data, recorded
         FROM unnest($2::uuid[], $3::text[], $4::text[], $5::timestamptz[]) AS new (source, name, data, recorded)";

    /// Adds managed items; one that another writer added meanwhile gets this state.
    insert_items(machine: MachineId, ids: Vec<Uuid>, sources: Vec<Uuid>, names: Vec<String>, statuses: Vec<String>, dates: Vec<Timestamp>, data: Vec<Option<String>>) =
        "INSERT INTO server_manageditem (machine_id, id, management_source_id, name, status, date_managed, data)
         SELECT $1, id, source, name, status, managed, data
         FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::timestamptz[], $7::text[])
              AS new (id, source, name, status, managed, data)
         ON CONFLICT (machine_id, name, management_source_id)
         DO UPDATE SET status = EXCLUDED.status, date_managed = EXCLUDED.date_managed, data = EXCLUDED.data";

    /// Gives managed items another state.
    update_items(ids: Vec<Uuid>, statuses: Vec<String>, dates: Vec<Timestamp>, data: Vec<Option<String>>) =
        "UPDATE server_manageditem i SET status = new.status, date_managed = new.managed, data = new.data
         FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::text[]) AS new (id, status, managed, data)
         WHERE i.id = new.id";

    /// Removes managed items.
    delete_items(ids: Vec<Uuid>) = "DELETE FROM server_manageditem WHERE id = ANY($1)";

    /// Adds lines of history; a line of the same item and time stays as it is.
    insert_histories(machine: MachineId, ids: Vec<Uuid>, sources: Vec<Uuid>, names: Vec<String>, statuses: Vec<String>, recorded: Vec<Timestamp>) =
        "INSERT INTO server_manageditemhistory (machine_id, id, management_source_id, name, status, recorded)
         SELECT $1, id, source, name, status, recorded
         FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::timestamptz[])
              AS new (id, source, name, status, recorded)
         ON CONFLICT (machine_id, name, management_source_id, recorded) DO NOTHING";

    /// Adds messages.
    insert_messages(machine: MachineId, sources: Vec<Uuid>, kinds: Vec<String>, texts: Vec<Option<String>>, dates: Vec<Timestamp>) =
        "INSERT INTO server_message (machine_id, management_source_id, message_type, text, date)
         SELECT $1, source, kind, text, date
         FROM unnest($2::uuid[], $3::text[], $4::text[], $5::timestamptz[]) AS new (source, kind, text, date)";

    /// Gives messages another date.
    update_messages(ids: Vec<i64>, dates: Vec<Timestamp>) =
        "UPDATE server_message t SET date = new.date
         FROM unnest($1::bigint[], $2::timestamptz[]) AS new (id, date) WHERE t.id = new.id";

    /// Removes messages.
    delete_messages(ids: Vec<i64>) = "DELETE FROM server_message WHERE id = ANY($1)";

    /// Adds results of plugin scripts with their rows. The three derived columns stay empty, as under Sal's
    /// normal engine.
    insert_scripts(
        machine: MachineId, now: Timestamp, plugins: Vec<String>, historical: Vec<bool>,
        row_plugins: Vec<String>, row_names: Vec<String>, row_data: Vec<String>, row_keys: Vec<String>
    ) = "WITH added AS (
             INSERT INTO server_pluginscriptsubmission (machine_id, recorded, plugin, historical)
             SELECT $1, $2, plugin, historical FROM unnest($3::text[], $4::bool[]) AS new (plugin, historical)
             RETURNING id, plugin)
         INSERT INTO server_pluginscriptrow (submission_id, pluginscript_name, pluginscript_data,
             submission_and_script_name, pluginscript_data_int)
         SELECT added.id, new.name, new.data, new.key, 0
         FROM unnest($5::text[], $6::text[], $7::text[], $8::text[]) AS new (plugin, name, data, key)
         JOIN added ON added.plugin = new.plugin";

    /// Gives results of plugin scripts another time.
    touch_scripts(ids: Vec<i64>, now: Timestamp) =
        "UPDATE server_pluginscriptsubmission SET recorded = $2 WHERE id = ANY($1)";

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

    /// Gives rows another value.
    update_rows(ids: Vec<i64>, data: Vec<String>) =
        "UPDATE server_pluginscriptrow r SET pluginscript_data = new.data
         FROM unnest($1::bigint[], $2::text[]) AS new (id, data) WHERE r.id = new.id";

    /// Removes rows.
    delete_rows(ids: Vec<i64>) = "DELETE FROM server_pluginscriptrow WHERE id = ANY($1)";
}

/// Writes everything and commits, in one round trip (two for a machine that is new).
///
/// # Errors
/// The first statement's error, or [`StoreError::Overtaken`]; then nothing was written. See [`StoreError::is_worth_a_retry`].
pub async fn write(changes: &Changes, tx: Tx) -> Result<(), StoreError> {
    tx.know(&[ALL]).await?;
    let machine = &changes.machine;
    let id = match machine.id {
        Some(id) => id,
        None => {
            let deployed = &machine.columns.deployed;
            let made = insert_machine(&tx, &machine.serial, &machine.group, &machine.now, deployed)
                .await?;
            let Some(made) = made.into_iter().next() else {
                tx.rollback().await?;
                return Err(StoreError::Overtaken);
            };
            made.id
        }
    };
    let mut sent = Vec::new();
    sent.push(store_machine(id, machine, &tx).boxed());
    fact_writes(id, changes, &tx, &mut sent);
    item_writes(id, changes, &tx, &mut sent);
    message_writes(id, changes, &tx, &mut sent);
    script_writes(id, changes, &tx, &mut sent);
    let (written, committed) = tokio::join!(biased; join_all(sent), tx.send_commit());
    for result in written {
        result?;
    }
    committed?;
    tx.committed();
    Ok(())
}

type Writes<'a> = Vec<BoxFuture<'a, Result<u64, StoreError>>>;

async fn store_machine(id: MachineId, machine: &MachineWrite, tx: &Tx) -> Result<u64, StoreError> {
    let columns = &machine.columns;
    let (space, total) = (&columns.hd_space, &columns.hd_total);
    update_machine(
        tx,
        &id,
        &machine.group,
        &machine.now,
        &texts(columns),
        &columns.memory_kb,
        space,
        total,
        &columns.deployed,
    )
    .await
}

/// The text columns in the order of the statement.
fn texts(columns: &MachineColumns) -> Vec<Option<String>> {
    vec![
        columns.hostname.clone(),
        columns.operating_system.clone(),
        columns.memory.clone(),
        columns.hd_percent.clone(),
        columns.console_user.clone(),
        columns.machine_model.clone(),
        columns.machine_model_friendly.clone(),
        columns.cpu_type.clone(),
        columns.cpu_speed.clone(),
        Some(columns.os_family.clone()),
        columns.munki_version.clone(),
        columns.manifest.clone(),
        columns.sal_version.clone(),
    ]
}

fn fact_writes<'a>(id: MachineId, changes: &'a Changes, tx: &'a Tx, sent: &mut Writes<'a>) {
    if !changes.facts_gone.is_empty() {
        sent.push(delete_facts(tx, &changes.facts_gone).boxed());
    }
    if !changes.facts_changed.is_empty() {
        let (ids, data) = changes
            .facts_changed
            .iter()
            .map(|fact| (fact.id, fact.data.clone()))
            .unzip();
        sent.push(async move { update_facts(tx, &ids, &data).await }.boxed());
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
    if !changes.items_changed.is_empty() {
        let items = &changes.items_changed;
        let (ids, dates) = items
            .iter()
            .map(|(id, state)| (*id, state.date_managed))
            .unzip();
        let (statuses, data) = items
            .iter()
            .map(|(_, state)| (state.status.clone(), state.data.clone()))
            .unzip();
        sent.push(async move { update_items(tx, &ids, &statuses, &dates, &data).await }.boxed());
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
        sent.push(async move { insert_items(tx, &id, &ids, &sources, &names, &statuses, &dates, &data).await }.boxed());
    }
    if !changes.histories.is_empty() {
        let lines = &changes.histories;
        let (ids, sources) = lines.iter().map(|line| (line.id, line.source.0)).unzip();
        let (names, statuses) = lines
            .iter()
            .map(|line| (line.name.clone(), line.status.clone()))
            .unzip();
        let recorded = lines.iter().map(|line| line.recorded).collect();
        sent.push(async move { insert_histories(tx, &id, &ids, &sources, &names, &statuses, &recorded).await }.boxed());
    }
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
    if !changes.scripts_touched.is_empty() {
        sent.push(touch_scripts(tx, &changes.scripts_touched, &changes.machine.now).boxed());
    }
    if !changes.rows_gone.is_empty() {
        sent.push(delete_rows(tx, &changes.rows_gone).boxed());
    }
    if !changes.rows_changed.is_empty() {
        let (ids, data) = changes
            .rows_changed
            .iter()
            .map(|row| (row.id, row.data.clone()))
            .unzip();
        sent.push(async move { update_rows(tx, &ids, &data).await }.boxed());
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
        &id,
        &changes.machine.now,
        &plugins,
        &historical,
        &row_plugins,
        &row_names,
        &row_data,
        &row_keys,
    )
    .await
}
