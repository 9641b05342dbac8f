//! `profiles_profile` and `profiles_payload`: the configuration profiles of a machine and what is in them.

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all};
use jiff::Timestamp;

use crate::error::StoreError;
use crate::ids::MachineId;
use crate::pool::Tx;

crate::queries! {
    /// All profiles of a machine.
    profiles_of(machine: MachineId) -> /// A profile that is there.
    ProfileRow {
        /// The row.
        id: i64,
        /// Its identifier.
        identifier: String,
        /// Its UUID, as the client sent it.
        uuid: String,
        /// Its name for people.
        display_name: String,
        /// What it is for.
        description: String,
        /// Who made it.
        organization: String,
        /// Whether it is signed, in the client's words.
        verification_state: String,
        /// When it was installed.
        install_date: Timestamp,
    } = "SELECT id, identifier, uuid, display_name, description, organization, verification_state, install_date
         FROM profiles_profile WHERE machine_id = $1 ORDER BY id";

    /// All payloads of a machine's profiles.
    payloads_of(machine: MachineId) -> /// A payload that is there.
    PayloadRow {
        /// The row.
        id: i64,
        /// The profile it is in.
        profile_id: i64,
        /// Its identifier.
        identifier: String,
        /// Its UUID, as the client sent it.
        uuid: String,
        /// What it configures.
        payload_type: String,
    } = "SELECT l.id, l.profile_id, l.identifier, l.uuid, l.payload_type
         FROM profiles_payload l JOIN profiles_profile p ON p.id = l.profile_id WHERE p.machine_id = $1 ORDER BY l.id";

    /// Adds profiles and returns their ids in the same order: ids are given out in the order of the rows.
    insert_profiles(InsertProfiles {
        machine: MachineId, identifiers: Vec<String>, uuids: Vec<String>, display_names: Vec<String>,
        descriptions: Vec<String>, organizations: Vec<String>, states: Vec<String>, dates: Vec<Timestamp>
    }) -> /// A new profile.
    InsertedProfile {
        /// The row.
        id: i64,
    } = "WITH made AS (
             INSERT INTO profiles_profile (machine_id, identifier, uuid, display_name, description, organization,
                 verification_state, install_date)
             SELECT $1, identifier, uuid, display_name, description, organization, state, installed
             FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::timestamptz[])
                  WITH ORDINALITY
                  AS new (identifier, uuid, display_name, description, organization, state, installed, place)
             ORDER BY place RETURNING id)
         SELECT id FROM made ORDER BY id";

    /// Gives profiles other details.
    update_profiles(
        ids: Vec<i64>, display_names: Vec<String>, descriptions: Vec<String>, organizations: Vec<String>,
        states: Vec<String>, dates: Vec<Timestamp>
    ) = "UPDATE profiles_profile p SET display_name = new.display_name, description = new.description,
             organization = new.organization, verification_state = new.state, install_date = new.installed
         FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[])
              AS new (id, display_name, description, organization, state, installed)
         WHERE p.id = new.id";

    /// Removes profiles and their payloads.
    delete_profiles(ids: Vec<i64>) =
        "WITH payloads_gone AS (DELETE FROM profiles_payload WHERE profile_id = ANY($1))
         DELETE FROM profiles_profile WHERE id = ANY($1)";

    /// Adds payloads to profiles, in this order.
    insert_payloads(profiles: Vec<i64>, identifiers: Vec<String>, uuids: Vec<String>, types: Vec<String>) =
        "INSERT INTO profiles_payload (profile_id, identifier, uuid, payload_type)
         SELECT profile, identifier, uuid, type
         FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[]) WITH ORDINALITY
              AS new (profile, identifier, uuid, type, place)
         ORDER BY place";

    /// Removes payloads.
    delete_payloads(ids: Vec<i64>) = "DELETE FROM profiles_payload WHERE id = ANY($1)";
}

/// What a profile says of itself beside its identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Details {
    /// Its name for people, at most 255 characters.
    pub display_name: String,
    /// What it is for.
    pub description: String,
    /// Who made it, at most 255 characters.
    pub organization: String,
    /// Whether it is signed, at most 255 characters.
    pub verification_state: String,
    /// When it was installed.
    pub install_date: Timestamp,
}

/// A payload; it has no details beside its identity.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Payload {
    /// At most 255 characters.
    pub identifier: String,
    /// At most 255 characters.
    pub uuid: String,
    /// At most 255 characters.
    pub payload_type: String,
}

/// A profile to add with its payloads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewProfile {
    /// At most 255 characters.
    pub identifier: String,
    /// At most 255 characters.
    pub uuid: String,
    /// The rest.
    pub details: Details,
    /// What is in it.
    pub payloads: Vec<Payload>,
}

/// What one submission changes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// New profiles.
    pub profiles_new: Vec<NewProfile>,
    /// Profiles with other details.
    pub profiles_changed: Vec<(i64, Details)>,
    /// Profiles that are gone.
    pub profiles_gone: Vec<i64>,
    /// New payloads of profiles that are there.
    pub payloads_new: Vec<(i64, Payload)>,
    /// Payloads that are gone from profiles that stay.
    pub payloads_gone: Vec<i64>,
}

/// A machine's profiles and payloads, in one round trip once the statements are known.
pub async fn read(
    machine: MachineId,
    tx: &Tx,
) -> Result<(Vec<ProfileRow>, Vec<PayloadRow>), StoreError> {
    tx.know(&[ALL]).await?;
    tokio::try_join!(
        biased;
        profiles_of(tx, &machine),
        payloads_of(tx, &machine),
    )
}

/// Writes everything and commits: one round trip, and one before it when there are new profiles.
///
/// # Errors
/// The first statement's error; then nothing was written. See [`StoreError::is_worth_a_retry`].
pub async fn write(machine: MachineId, changes: &Changes, tx: Tx) -> Result<(), StoreError> {
    tx.know(&[ALL]).await?;
    let mut payloads: Vec<(i64, &Payload)> = changes
        .payloads_new
        .iter()
        .map(|(profile, payload)| (*profile, payload))
        .collect();
    if !changes.profiles_new.is_empty() {
        let ids = add_profiles(machine, &changes.profiles_new, &tx).await?;
        let made = ids.iter().zip(&changes.profiles_new);
        payloads.extend(
            made.flat_map(|(id, profile)| profile.payloads.iter().map(|payload| (*id, payload))),
        );
    }
    let mut sent: Vec<BoxFuture<'_, Result<u64, StoreError>>> = Vec::new();
    if !changes.profiles_gone.is_empty() {
        sent.push(delete_profiles(&tx, &changes.profiles_gone).boxed());
    }
    if !changes.payloads_gone.is_empty() {
        sent.push(delete_payloads(&tx, &changes.payloads_gone).boxed());
    }
    if !changes.profiles_changed.is_empty() {
        sent.push(change_profiles(&changes.profiles_changed, &tx).boxed());
    }
    if !payloads.is_empty() {
        sent.push(add_payloads(&payloads, &tx).boxed());
    }
    let (written, committed) = tokio::join!(biased; join_all(sent), tx.send_commit());
    for result in written {
        result?;
    }
    committed?;
    tx.committed();
    Ok(())
}

async fn add_profiles(
    machine: MachineId,
    new: &[NewProfile],
    tx: &Tx,
) -> Result<Vec<i64>, StoreError> {
    let column = |column: fn(&NewProfile) -> &String| new.iter().map(column).cloned().collect();
    let dates = new
        .iter()
        .map(|profile| profile.details.install_date)
        .collect();
    let made = insert_profiles(
        tx,
        InsertProfiles {
            machine: &machine,
            identifiers: &column(|profile| &profile.identifier),
            uuids: &column(|profile| &profile.uuid),
            display_names: &column(|profile| &profile.details.display_name),
            descriptions: &column(|profile| &profile.details.description),
            organizations: &column(|profile| &profile.details.organization),
            states: &column(|profile| &profile.details.verification_state),
            dates: &dates,
        },
    )
    .await?;
    Ok(made.iter().map(|profile| profile.id).collect())
}

async fn change_profiles(changed: &[(i64, Details)], tx: &Tx) -> Result<u64, StoreError> {
    let ids = changed.iter().map(|(id, _)| *id).collect();
    let dates = changed
        .iter()
        .map(|(_, details)| details.install_date)
        .collect();
    let column = |column: fn(&Details) -> &String| {
        changed
            .iter()
            .map(|(_, details)| column(details))
            .cloned()
            .collect()
    };
    update_profiles(
        tx,
        &ids,
        &column(|details| &details.display_name),
        &column(|details| &details.description),
        &column(|details| &details.organization),
        &column(|details| &details.verification_state),
        &dates,
    )
    .await
}

async fn add_payloads(payloads: &[(i64, &Payload)], tx: &Tx) -> Result<u64, StoreError> {
    let profiles = payloads.iter().map(|(profile, _)| *profile).collect();
    let column = |column: fn(&Payload) -> &String| {
        payloads
            .iter()
            .map(|(_, payload)| column(payload))
            .cloned()
            .collect()
    };
    insert_payloads(
        tx,
        &profiles,
        &column(|payload| &payload.identifier),
        &column(|payload| &payload.uuid),
        &column(|payload| &payload.payload_type),
    )
    .await
}
