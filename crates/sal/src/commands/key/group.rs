//! `sal key group`: keys of machine groups. A new key stands alone on standard output.

use anyhow::{Context, Result};
use jiff::SignedDuration;
use sal_http::checkin_key::users_of_former_keys;
use sal_http::random_key::{GROUP_KEY, random_key};
use sal_store::former_keys::{
    GroupKeys, end_former_keys, list_group_keys, lock_group_key, replace_group_key,
};
use serde_json::{Value, json};
use tokio_postgres::Client;

use super::super::by_hand::{self, Note, confirmed, pretty};
use crate::cli::GroupKey;
use crate::exit::Exit;
use crate::{commands, output, wiring};

/// Runs it.
pub(super) async fn run(what: GroupKey) -> Result<Exit> {
    let db = match commands::database().await? {
        Ok(db) => db,
        Err(exit) => return Ok(exit),
    };
    let now = (wiring::clock())();
    let groups = list_group_keys(&db, &now).await.context(READING)?;
    match what {
        GroupKey::List { json } => list(&groups, json),
        GroupKey::Rotate {
            group,
            overlap_days,
            json,
        } => match find(&group, &groups) {
            Ok(group) => rotate(group, overlap_days, json, &db).await,
            Err(exit) => Ok(exit),
        },
        GroupKey::End { group, yes } => match find(&group, &groups) {
            Ok(group) => end(group, yes, &db).await,
            Err(exit) => Ok(exit),
        },
    }
}

fn list(groups: &[GroupKeys], as_json: bool) -> Result<Exit> {
    if as_json {
        output::data(&pretty(&groups.iter().map(of_group).collect())?);
        return Ok(Exit::Done);
    }
    for group in groups {
        let key = match (group.has_key, group.ends) {
            (false, _) => "no key".to_owned(),
            (true, None) => "one key".to_owned(),
            (true, Some(ends)) => {
                let users = users_of_former_keys(group.machines, group.silent);
                format!("previous key until {ends:.0}. {users}")
            }
        };
        output::data(&format!(
            "{}  {}  in {}  {key}",
            group.id, group.name, group.unit_name
        ));
    }
    if groups.is_empty() {
        output::note("There is no machine group.");
    }
    Ok(Exit::Done)
}

async fn rotate(group: &GroupKeys, days: u16, as_json: bool, db: &Client) -> Result<Exit> {
    let now = (wiring::clock())();
    let ends = now
        .checked_add(SignedDuration::from_hours(24 * i64::from(days)))
        .context("reckoning the end of the present key")?;
    let key = random_key(GROUP_KEY);
    db.batch_execute("BEGIN").await.context("beginning")?;
    // The key that is kept is the one that the lock found.
    let locked = lock_group_key(db, &group.id).await.context(LOCKING)?;
    let had_key = locked.first().is_some_and(|group| group.has_key);
    let replaced = replace_group_key(db, &group.id, &key, &now, &ends)
        .await
        .context("replacing the key")?;
    if replaced == 0 {
        output::problem(&format!(
            "the group `{}` was deleted at the same time; nothing was changed",
            group.name
        ));
        return Ok(Exit::Failed);
    }
    let (detail, told) = match days {
        _ if !had_key => (
            "the group got a key".to_owned(),
            "The group had no key before.".to_owned(),
        ),
        0 => (
            "the key was replaced; the one before does not work any more".to_owned(),
            "The previous key does not work any more. Macs that have it cannot check in until they get this one."
                .to_owned(),
        ),
        _ => (
            format!("the key was replaced; the one before works until {ends:.0}"),
            format!(
                "The previous key works until {ends:.0}. `sal key group list` shows how many machines still use it. \
                 A Django Sal beside this server refuses it at once."
            ),
        ),
    };
    commit(group, &detail, db).await?;
    if as_json {
        output::data(&pretty(&json!({
            "id": group.id.0, "name": group.name, "key": key, "previous_key_ends": (had_key && days > 0).then(|| format!("{ends:.0}")),
        }))?);
    } else {
        output::data(&key);
        output::note(&told);
    }
    Ok(Exit::Done)
}

async fn end(group: &GroupKeys, yes: bool, db: &Client) -> Result<Exit> {
    if group.ends.is_none() {
        output::note(&format!(
            "The group `{}` has no previous key that works; nothing was changed.",
            group.name
        ));
        return Ok(Exit::Done);
    }
    output::note(&format!(
        "The previous key of `{}` ends. {} Macs that still have it cannot check in.",
        group.name,
        users_of_former_keys(group.machines, group.silent)
    ));
    if let Err(exit) = confirmed(yes) {
        return Ok(exit);
    }
    db.batch_execute("BEGIN").await.context("beginning")?;
    lock_group_key(db, &group.id).await.context(LOCKING)?;
    end_former_keys(db, &group.id)
        .await
        .context("ending the previous key")?;
    commit(group, "the previous key was ended", db).await?;
    output::note("Done.");
    Ok(Exit::Done)
}

/// The group of this name, or of this number.
fn find<'a>(wanted: &str, groups: &'a [GroupKeys]) -> Result<&'a GroupKeys, Exit> {
    let by_name: Vec<&GroupKeys> = groups.iter().filter(|group| group.name == wanted).collect();
    if let [group] = by_name.as_slice() {
        return Ok(group);
    }
    let by_number = groups.iter().find(|group| group.id.to_string() == wanted);
    match (by_number, by_name.as_slice()) {
        (Some(group), _) => Ok(group),
        (None, []) => {
            output::problem(&format!(
                "there is no machine group `{wanted}`; `sal key group list` has names and numbers"
            ));
            Err(Exit::FoundProblems)
        }
        (None, several) => {
            let ids: Vec<String> = several
                .iter()
                .map(|group| format!("{} in {}", group.id, group.unit_name))
                .collect();
            output::problem(&format!(
                "several machine groups are called `{wanted}`; give the number of one: {}",
                ids.join(", ")
            ));
            Err(Exit::FoundProblems)
        }
    }
}

async fn commit(group: &GroupKeys, detail: &str, db: &Client) -> Result<()> {
    let note = Note {
        action: "changed",
        kind: "machine group",
        id: group.id.to_string(),
        name: &group.name,
        detail,
    };
    by_hand::commit(note, (wiring::clock())(), db).await
}

fn of_group(group: &GroupKeys) -> Value {
    json!({
        "id": group.id.0, "name": group.name, "business_unit": group.unit_name, "has_key": group.has_key,
        "previous_key_ends": group.ends.map(|ends| format!("{ends:.0}")), "machines_on_previous_key": group.machines,
        "machines_not_seen_since": group.silent,
    })
}

const LOCKING: &str = "locking the group";
const READING: &str = "reading the machine groups; `sal db init` makes the table of previous keys";
