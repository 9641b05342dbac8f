//! What a run stands on: the lock, the journal, what is read, and what the journal says of it.

use serde_json::{Value, json};
use tokio_postgres::{Client, error::SqlState};

use super::{Audience, Event, Stage};
use crate::{
    error::CutoverError,
    inventory::{self, Inventory, RDS_IAM},
    journal::{Journal, JournalSettings},
    logins::{Session, Who},
    wish::Wish,
};

/// Takes the lock for as long as the session lasts; two runs must not meet.
///
/// It waits two seconds: the server gives up the lock of a run that has ended a moment after its client is gone.
pub(crate) async fn lock(admin: &Client) -> Result<(), CutoverError> {
    let doing = || CutoverError::postgres("taking the lock");
    let set = |statement| async move { admin.batch_execute(statement).await.map_err(doing()) };
    set("SET lock_timeout = '2s'").await?;
    let taken = admin
        .execute("SELECT pg_catalog.pg_advisory_lock($1)", &[&LOCK])
        .await;
    set("RESET lock_timeout").await?;
    match taken {
        Ok(_) => return Ok(()),
        Err(error) if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) => {}
        Err(error) => return Err(doing()(error)),
    }
    let holder = admin.query_opt(HOLDER, &[&LOCK]).await.map_err(doing())?;
    let Some(holder) = holder else {
        return Err(CutoverError::State(
            "another run has just ended; start again".to_owned(),
        ));
    };
    Err(CutoverError::AnotherRun {
        pid: holder.try_get(0).map_err(doing())?,
        since: holder.try_get(1).map_err(doing())?,
    })
}

pub(super) async fn open_journal(
    stage: &Stage<'_>,
    mut settings: JournalSettings,
    admin: &Client,
    home: &str,
    audience: Audience<'_>,
) -> Result<Journal, CutoverError> {
    // Whoever owns the database can let the administrator make a schema in it.
    let owner = stage.logins.open(Who::Old, home).await.ok();
    if let Some(admin) = &stage.logins.admin {
        settings.actor.database_user.clone_from(&admin.user);
    }
    let client = owner.as_ref().map(|session| &session.client);
    let opened = Journal::open(settings, admin, client).await;
    if let Some(owner) = owner {
        owner.end().await;
    }
    let (journal, why_not) = opened?;
    if let Some(why) = why_not {
        audience(Event::Note(format!(
            "the journal is kept in its file only; a table cannot be made or written: {why}"
        )));
    }
    Ok(journal)
}

pub(super) async fn read(
    stage: &Stage<'_>,
    admin: &Client,
    further: &[(String, Session)],
) -> Result<Inventory, CutoverError> {
    let mut sessions = vec![admin];
    sessions.extend(further.iter().map(|(_, session)| &session.client));
    let read = inventory::read(stage.wish, &sessions).await;
    read.map_err(CutoverError::postgres("reading roles and owners"))
}

/// What a line of the journal says of before and after.
pub(super) fn snapshot(wish: &Wish, inventory: &Inventory) -> Value {
    let role = |name: &str| serde_json::to_value(inventory.role(name)).unwrap_or_default();
    let members: Vec<String> = inventory
        .graph
        .members(RDS_IAM)
        .map(|edge| edge.member.clone())
        .collect();
    let of_new: Vec<String> = inventory
        .graph
        .edges
        .iter()
        .filter(|edge| edge.member == wish.new_user)
        .map(|edge| edge.role.clone())
        .collect();
    json!({
        "old_user": role(&wish.old_user),
        "new_user": role(&wish.new_user),
        "owner_role": role(&wish.owner_role),
        "members_of_rds_iam": members,
        "new_user_is_member_of": of_new,
    })
}

/// Any number, the same in every version of this tool.
const LOCK: i64 = 0x0073_616c_5f69_616d;
const HOLDER: &str = "
SELECT a.pid, a.backend_start::text FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
  AND (l.classid::bigint << 32) | l.objid::bigint = $1";
