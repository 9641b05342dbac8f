//! Machines as rows of all their tables, one binary COPY for each.

use std::collections::BTreeMap;
use std::pin::Pin;

use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Transaction};

use super::{Counts, NewMachine, take_machine_ids, take_profile_ids, take_script_ids};
use crate::checkin::Changes;
use crate::checkin::columns::{TEXTS, names, text_columns};
use crate::error::StoreError;
use crate::inventory::ApplicationName;

/// Ids of the rows that other rows name, in the order of the machines.
pub(super) struct Ids {
    machines: Vec<i64>,
    scripts: Vec<i64>,
    profiles: Vec<i64>,
}

impl Ids {
    pub(super) async fn take(machines: &[NewMachine], db: &Client) -> Result<Self, StoreError> {
        let count = |of: fn(&NewMachine) -> usize| {
            i64::try_from(machines.iter().map(of).sum::<usize>()).unwrap_or(i64::MAX)
        };
        let (machine_count, script_count, profile_count) = (
            count(|_| 1),
            count(|machine| machine.checkin.scripts_new.len()),
            count(|machine| machine.profiles.profiles_new.len()),
        );
        let (machines, scripts, profiles) = tokio::try_join!(
            take_machine_ids(db, &machine_count),
            take_script_ids(db, &script_count),
            take_profile_ids(db, &profile_count),
        )?;
        Ok(Self {
            machines: machines.iter().map(|taken| taken.id).collect(),
            scripts: scripts.iter().map(|taken| taken.id).collect(),
            profiles: profiles.iter().map(|taken| taken.id).collect(),
        })
    }

    /// Every machine's changes with its id.
    fn checkins<'a>(
        &'a self,
        machines: &'a [NewMachine],
    ) -> impl Iterator<Item = (&'a i64, &'a Changes)> {
        let changes = machines.iter().map(|machine| &machine.checkin);
        self.machines.iter().zip(changes)
    }
}

/// Writes all rows; tables that are named by others come first.
pub(super) async fn copy(
    machines: &[NewMachine],
    ids: &Ids,
    applications: &BTreeMap<ApplicationName, i64>,
    tx: &Transaction<'_>,
) -> Result<Counts, StoreError> {
    let mut counts = Counts::new();
    counts.insert("machines", copy_machines(machines, ids, tx).await?);
    counts.insert("remembered", copy_memories(machines, ids, tx).await?);
    counts.insert("facts", copy_facts(machines, ids, tx).await?);
    counts.insert("kept facts", copy_kept_facts(machines, ids, tx).await?);
    counts.insert("managed items", copy_items(machines, ids, tx).await?);
    counts.insert("item history", copy_histories(machines, ids, tx).await?);
    counts.insert("messages", copy_messages(machines, ids, tx).await?);
    counts.insert("script results", copy_scripts(machines, ids, tx).await?);
    counts.insert("script rows", copy_script_rows(machines, ids, tx).await?);
    counts.insert("inventories", copy_inventories(machines, ids, tx).await?);
    let items = copy_inventory_items(machines, ids, applications, tx).await?;
    counts.insert("inventory items", items);
    counts.insert("profiles", copy_profiles(machines, ids, tx).await?);
    counts.insert("payloads", copy_payloads(machines, ids, tx).await?);
    Ok(counts)
}

/// One COPY under way.
struct Copy(Pin<Box<BinaryCopyInWriter>>);

impl Copy {
    /// `columns` is a table with its columns.
    async fn into(columns: &str, types: &[Type], tx: &Transaction<'_>) -> Result<Self, StoreError> {
        let sql = format!("COPY {columns} FROM STDIN (FORMAT binary)");
        let sink = tx.copy_in(&sql).await?;
        Ok(Self(Box::pin(BinaryCopyInWriter::new(sink, types))))
    }

    async fn row(&mut self, values: &[&(dyn ToSql + Sync)]) -> Result<(), StoreError> {
        Ok(self.0.as_mut().write(values).await?)
    }

    /// How many rows it were.
    async fn end(mut self) -> Result<u64, StoreError> {
        Ok(self.0.as_mut().finish().await?)
    }
}

async fn copy_machines(
    machines: &[NewMachine],
    ids: &Ids,
    tx: &Transaction<'_>,
) -> Result<u64, StoreError> {
    let mut types = vec![
        Type::INT8,
        Type::TEXT,
        Type::INT4,
        Type::TIMESTAMPTZ,
        Type::TIMESTAMPTZ,
        Type::BOOL,
        Type::BOOL,
        Type::INT4,
        Type::INT8,
        Type::INT8,
    ];
    types.extend(std::iter::repeat_n(Type::TEXT, TEXTS));
    let mut copy = Copy::into(MACHINES, &types, tx).await?;
    for (machine, id) in machines.iter().zip(&ids.machines) {
        let write = &machine.checkin.machine;
        let columns = &write.columns;
        let mut values: Vec<&(dyn ToSql + Sync)> = vec![
            id,
            &write.serial,
            &write.group,
            &machine.first_checkin,
            &write.now,
            &columns.deployed,
            &false,
            &columns.memory_kb,
            &columns.hd_space,
            &columns.hd_total,
        ];
        let texts = columns.texts();
        for text in &texts {
            values.push(text);
        }
        copy.row(&values).await?;
    }
    copy.end().await
}

async fn copy_memories(
    machines: &[NewMachine],
    ids: &Ids,
    tx: &Transaction<'_>,
) -> Result<u64, StoreError> {
    if machines
        .iter()
        .all(|machine| machine.checkin.memory.is_none())
    {
        return Ok(0);
    }
    let types = [
        Type::TIMESTAMPTZ,
        Type::INT4,
        Type::INT4,
        Type::INT8,
        Type::TIMESTAMPTZ,
        Type::TEXT,
        Type::TEXT,
        Type::BYTEA,
    ];
    let mut copy = Copy::into(MEMORIES, &types, tx).await?;
    for (id, changes) in ids.checkins(machines) {
        let Some(memory) = &changes.memory else {
            continue;
        };
        let (now, trace) = (&changes.machine.now, &memory.trace);
        copy.row(&[
            now,
            &trace.milliseconds,
            &trace.body_bytes,
            id,
            now,
            &trace.address,
            &trace.client,
            &memory.digests,
        ])
        .await?;
    }
    copy.end().await
}

async fn copy_facts(
    machines: &[NewMachine],
    ids: &Ids,
    tx: &Transaction<'_>,
) -> Result<u64, StoreError> {
    let types = [Type::INT8, Type::UUID, Type::TEXT, Type::TEXT];
    let mut copy = Copy::into(FACTS, &types, tx).await?;
    for (id, changes) in ids.checkins(machines) {
        for fact in &changes.facts_new {
            copy.row(&[id, &fact.source.0, &fact.name, &fact.data])
                .await?;
        }
    }
    copy.end().await
}

async fn copy_kept_facts(
    machines: &[NewMachine],
    ids: &Ids,
    tx: &Transaction<'_>,
) -> Result<u64, StoreError> {
    let types = [
        Type::INT8,
        Type::UUID,
        Type::TEXT,
        Type::TEXT,
        Type::TIMESTAMPTZ,
    ];
    let mut copy = Copy::into(KEPT_FACTS, &types, tx).await?;
    for (id, changes) in ids.checkins(machines) {
        for kept in &changes.facts_kept {
            let fact = &kept.fact;
            copy.row(&[id, &fact.source.0, &fact.name, &fact.data, &kept.recorded])
                .await?;
        }
    }
    copy.end().await
}

async fn copy_items(
    machines: &[NewMachine],
    ids: &Ids,
    tx: &Transaction<'_>,
) -> Result<u64, StoreError> {
    let types = [
        Type::UUID,
        Type::INT8,
        Type::UUID,
        Type::TEXT,
        Type::TEXT,
        Type::TIMESTAMPTZ,
        Type::TEXT,
    ];
    let mut copy = Copy::into(ITEMS, &types, tx).await?;
    for (id, changes) in ids.checkins(machines) {
        for item in &changes.items_new {
            let state = &item.state;
            copy.row(&[
                &item.id,
                id,
                &item.source.0,
                &item.name,
                &state.status,
                &state.date_managed,
                &state.data,
            ])
            .await?;
        }
    }
    copy.end().await
}

async fn copy_histories(
    machines: &[NewMachine],
    ids: &Ids,
    tx: &Transaction<'_>,
) -> Result<u64, StoreError> {
    let types = [
        Type::UUID,
        Type::INT8,
        Type::UUID,
        Type::TEXT,
        Type::TEXT,
        Type::TIMESTAMPTZ,
    ];
    let mut copy = Copy::into(HISTORIES, &types, tx).await?;
    for (id, changes) in ids.checkins(machines) {
        for line in &changes.histories {
            copy.row(&[
                &line.id,
                id,
                &line.source.0,
                &line.name,
                &line.status,
                &line.recorded,
            ])
            .await?;
        }
    }
    copy.end().await
}

async fn copy_messages(
    machines: &[NewMachine],
    ids: &Ids,
    tx: &Transaction<'_>,
) -> Result<u64, StoreError> {
    let types = [
        Type::INT8,
        Type::UUID,
        Type::TEXT,
        Type::TEXT,
        Type::TIMESTAMPTZ,
    ];
    let mut copy = Copy::into(MESSAGES, &types, tx).await?;
    for (id, changes) in ids.checkins(machines) {
        for message in &changes.messages_new {
            copy.row(&[
                id,
                &message.source.0,
                &message.kind,
                &message.text,
                &message.date,
            ])
            .await?;
        }
    }
    copy.end().await
}

async fn copy_scripts(
    machines: &[NewMachine],
    ids: &Ids,
    tx: &Transaction<'_>,
) -> Result<u64, StoreError> {
    let types = [
        Type::INT8,
        Type::INT8,
        Type::TEXT,
        Type::BOOL,
        Type::TIMESTAMPTZ,
    ];
    let mut copy = Copy::into(SCRIPTS, &types, tx).await?;
    let mut script_ids = ids.scripts.iter();
    for (id, changes) in ids.checkins(machines) {
        for (script, script_id) in changes.scripts_new.iter().zip(script_ids.by_ref()) {
            let now = &changes.machine.now;
            copy.row(&[script_id, id, &script.plugin, &script.historical, now])
                .await?;
        }
    }
    copy.end().await
}

async fn copy_script_rows(
    machines: &[NewMachine],
    ids: &Ids,
    tx: &Transaction<'_>,
) -> Result<u64, StoreError> {
    let types = [Type::INT8, Type::TEXT, Type::TEXT, Type::TEXT, Type::INT4];
    let mut copy = Copy::into(SCRIPT_ROWS, &types, tx).await?;
    let scripts = machines
        .iter()
        .flat_map(|machine| &machine.checkin.scripts_new);
    for (script, id) in scripts.zip(&ids.scripts) {
        for row in &script.rows {
            copy.row(&[id, &row.name, &row.data, &row.key, &0_i32])
                .await?;
        }
    }
    copy.end().await
}

async fn copy_inventories(
    machines: &[NewMachine],
    ids: &Ids,
    tx: &Transaction<'_>,
) -> Result<u64, StoreError> {
    let types = [Type::INT8, Type::TIMESTAMPTZ, Type::TEXT];
    let mut copy = Copy::into(INVENTORIES, &types, tx).await?;
    for (machine, id) in machines.iter().zip(&ids.machines) {
        if let Some((sha256hash, _)) = &machine.inventory {
            copy.row(&[id, &machine.checkin.machine.now, sha256hash])
                .await?;
        }
    }
    copy.end().await
}

async fn copy_inventory_items(
    machines: &[NewMachine],
    ids: &Ids,
    applications: &BTreeMap<ApplicationName, i64>,
    tx: &Transaction<'_>,
) -> Result<u64, StoreError> {
    let types = [Type::INT8, Type::INT8, Type::TEXT, Type::TEXT];
    let mut copy = Copy::into(INVENTORY_ITEMS, &types, tx).await?;
    for (machine, id) in machines.iter().zip(&ids.machines) {
        let items = machine
            .inventory
            .iter()
            .flat_map(|(_, changes)| &changes.items_new);
        for item in items {
            // Every application was looked up or made before.
            if let Some(application) = applications.get(&item.application) {
                copy.row(&[id, application, &item.version, &item.path])
                    .await?;
            }
        }
    }
    copy.end().await
}

async fn copy_profiles(
    machines: &[NewMachine],
    ids: &Ids,
    tx: &Transaction<'_>,
) -> Result<u64, StoreError> {
    let mut types = vec![Type::INT8, Type::INT8, Type::TIMESTAMPTZ];
    types.extend(std::iter::repeat_n(Type::TEXT, 6));
    let mut copy = Copy::into(PROFILES, &types, tx).await?;
    let mut profile_ids = ids.profiles.iter();
    for (machine, id) in machines.iter().zip(&ids.machines) {
        let profiles = &machine.profiles.profiles_new;
        for (profile, profile_id) in profiles.iter().zip(profile_ids.by_ref()) {
            let details = &profile.details;
            copy.row(&[
                profile_id,
                id,
                &details.install_date,
                &profile.identifier,
                &profile.uuid,
                &details.display_name,
                &details.description,
                &details.organization,
                &details.verification_state,
            ])
            .await?;
        }
    }
    copy.end().await
}

async fn copy_payloads(
    machines: &[NewMachine],
    ids: &Ids,
    tx: &Transaction<'_>,
) -> Result<u64, StoreError> {
    let types = [Type::INT8, Type::TEXT, Type::TEXT, Type::TEXT];
    let mut copy = Copy::into(PAYLOADS, &types, tx).await?;
    let profiles = machines
        .iter()
        .flat_map(|machine| &machine.profiles.profiles_new);
    for (profile, id) in profiles.zip(&ids.profiles) {
        for payload in &profile.payloads {
            let (kind, uuid) = (&payload.payload_type, &payload.uuid);
            copy.row(&[id, &payload.identifier, uuid, kind]).await?;
        }
    }
    copy.end().await
}

const MACHINES: &str = concat!(
    "server_machine (id, serial, machine_group_id, first_checkin, last_checkin, deployed, broken_client,
        memory_kb, hd_space, hd_total",
    text_columns!(names),
    ")"
);
const MEMORIES: &str = "salrs_checkin (last_checkin, milliseconds, body_bytes, machine_id, compared, address, client, digests)";
const FACTS: &str = "server_fact (machine_id, management_source_id, fact_name, fact_data)";
const KEPT_FACTS: &str =
    "server_historicalfact (machine_id, management_source_id, fact_name, fact_data, fact_recorded)";
const ITEMS: &str =
    "server_manageditem (id, machine_id, management_source_id, name, status, date_managed, data)";
const HISTORIES: &str =
    "server_manageditemhistory (id, machine_id, management_source_id, name, status, recorded)";
const MESSAGES: &str =
    "server_message (machine_id, management_source_id, message_type, text, date)";
const SCRIPTS: &str =
    "server_pluginscriptsubmission (id, machine_id, plugin, historical, recorded)";
const SCRIPT_ROWS: &str =
    "server_pluginscriptrow (submission_id, pluginscript_name, pluginscript_data,
    submission_and_script_name, pluginscript_data_int)";
const INVENTORIES: &str = "inventory_inventory (machine_id, datestamp, sha256hash)";
const INVENTORY_ITEMS: &str = "inventory_inventoryitem (machine_id, application_id, version, path)";
const PROFILES: &str =
    "profiles_profile (id, machine_id, install_date, identifier, uuid, display_name, description,
    organization, verification_state)";
const PAYLOADS: &str = "profiles_payload (profile_id, identifier, uuid, payload_type)";
