//! `salrs_group_key`: keys that machine groups had before. A machine that still sends one is let in until it ends.

use jiff::Timestamp;

use crate::{
    error::StoreError,
    groups::{Group, group_by_key},
    ids::{GroupId, UnitId},
    pool::Executor,
};

/// Counts who still has a former key of a group: those whose last check-in came with one, and those that may.
macro_rules! count_users {
    ($group:literal) => {
        concat!(
            "SELECT count(*) FILTER (WHERE c.by_former_key) AS machines,
                    count(*) FILTER (WHERE m.deployed AND c.by_former_key IS NOT TRUE
                                     AND (m.last_checkin IS NULL OR m.last_checkin <= f.replaced)) AS silent
             FROM server_machine m LEFT JOIN salrs_checkin c ON c.machine_id = m.id WHERE m.machine_group_id = ",
            $group
        )
    };
}

crate::queries! {
    /// The group that had this key, as long as the key has not ended.
    group_by_former_key(key: str, now: Timestamp) -> /// A machine group.
    FormerGroup {
        /// Its id.
        id: GroupId,
        /// The unit it belongs to.
        business_unit_id: UnitId,
    } = "SELECT g.id, g.business_unit_id FROM salrs_group_key f JOIN server_machinegroup g ON g.id = f.group_id
         WHERE f.key_hash = sha256(convert_to($1, 'UTF8')) AND f.ends > $2";

    /// Gives a group another key; the one before works until `ends`. Where that is `now`, neither it nor those before work.
    replace_group_key(group: GroupId, key: str, now: Timestamp, ends: Timestamp) =
        "WITH kept AS (
             INSERT INTO salrs_group_key (key_hash, group_id, replaced, ends)
             SELECT sha256(convert_to(key, 'UTF8')), id, $3, $4 FROM server_machinegroup
             WHERE id = $1 AND key IS NOT NULL AND $4::timestamptz > $3::timestamptz
             ON CONFLICT (key_hash) DO UPDATE SET group_id = EXCLUDED.group_id, replaced = EXCLUDED.replaced, ends = EXCLUDED.ends),
         ended AS (DELETE FROM salrs_group_key WHERE group_id = $1 AND $4::timestamptz <= $3::timestamptz)
         UPDATE server_machinegroup SET key = $2 WHERE id = $1";

    /// Locks a group until the transaction ends: nobody else replaces or ends its keys meanwhile.
    lock_group_key(group: GroupId) -> /// A group that is still there.
    LockedGroup {
        /// Whether it has a key.
        has_key: bool,
    } = "SELECT key IS NOT NULL AS has_key FROM server_machinegroup WHERE id = $1 FOR UPDATE";

    /// Which of a group's former keys still work, and who uses them.
    former_keys(group: GroupId, now: Timestamp) -> /// A group's former keys; none where none works.
    FormerKeys {
        /// How many work.
        keys: i64,
        /// When the first of them ends.
        first_ends: Timestamp,
        /// When the last of them ends.
        ends: Timestamp,
        /// Machines of the group whose last check-in came with one.
        machines: i64,
        /// Machines of the group in use that have not checked in since the last of them was replaced.
        silent: i64,
    } = concat!("SELECT f.keys, f.first_ends, f.ends, used.machines, used.silent
         FROM (SELECT count(*) AS keys, min(ends) AS first_ends, max(ends) AS ends, max(replaced) AS replaced
               FROM salrs_group_key WHERE group_id = $1 AND ends > $2) f,
              LATERAL (", count_users!("$1"), ") used
         WHERE f.keys > 0");

    /// All groups, and how their former keys are used.
    list_group_keys(now: Timestamp) -> /// A group; without its key.
    GroupKeys {
        /// Its id.
        id: GroupId,
        /// Its name.
        name: String,
        /// Its unit's name.
        unit_name: String,
        /// Whether machines can check in to it.
        has_key: bool,
        /// When the last of its former keys ends; none where none works.
        ends: Option<Timestamp>,
        /// Machines whose last check-in came with one.
        machines: i64,
        /// Machines in use that have not checked in since the last of them was replaced.
        silent: i64,
    } = concat!("SELECT g.id, coalesce(g.name, '') AS name, u.name AS unit_name, g.key IS NOT NULL AS has_key, f.ends,
                coalesce(used.machines, 0) AS machines, coalesce(used.silent, 0) AS silent
         FROM server_machinegroup g JOIN server_businessunit u ON u.id = g.business_unit_id
         LEFT JOIN (SELECT group_id, max(ends) AS ends, max(replaced) AS replaced
                    FROM salrs_group_key WHERE ends > $1 GROUP BY 1) f ON f.group_id = g.id
         LEFT JOIN LATERAL (", count_users!("f.group_id"), ") used ON f.group_id IS NOT NULL
         ORDER BY lower(u.name), lower(g.name), g.id");

    /// Ends a group's former keys.
    end_former_keys(group: GroupId) = "DELETE FROM salrs_group_key WHERE group_id = $1";

    /// How many keys ended.
    count_ended_keys(now: Timestamp) -> /// A count.
    EndedKeys {
        /// Keys.
        keys: i64,
    } = "SELECT count(*) AS keys FROM salrs_group_key WHERE ends <= $1";

    /// Forgets keys that ended.
    forget_former_keys(now: Timestamp) = "DELETE FROM salrs_group_key WHERE ends <= $1";
}

/// The group with this key: its own, or with `former`, the present moment, one that it had before.
///
/// # Errors
/// When the database cannot be asked.
pub async fn group_of_key(
    key: &str,
    former: Option<Timestamp>,
    db: &impl Executor,
) -> Result<Option<Group>, StoreError> {
    if let Some(group) = group_by_key(db, key).await?.into_iter().next() {
        return Ok(Some(group));
    }
    let Some(now) = former else { return Ok(None) };
    let found = group_by_former_key(db, key, &now).await?;
    Ok(found.into_iter().next().map(|group| Group {
        id: group.id,
        business_unit_id: group.business_unit_id,
    }))
}
