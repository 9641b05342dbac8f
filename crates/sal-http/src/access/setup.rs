//! The one-time set-up link: while there is no user, whoever has it makes the first one.
//!
//! The program asks for a link at each start and prints it; the database keeps only its hash.

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use rand::RngExt;
use sal_store::pool::Lane;
use sal_store::{
    Store, StoreError,
    audit::{InsertAudit, insert_audit},
    ids::UserId,
    users::{
        count_users_to_two, create_first_user, insert_setup_link, restore_superuser, setup_link,
        superusers,
    },
};

/// How long a link can be used.
pub const LIFETIME: SignedDuration = SignedDuration::from_hours(24);

/// Makes a set-up link and returns its path (`/setup/<token>/`), or `None` when there are users already.
///
/// The path is a secret: it is meant for the operator's terminal and nothing else.
///
/// # Errors
/// When the database fails.
pub async fn offer(now: Timestamp, store: &Store) -> Result<Option<String>, StoreError> {
    let db = store.get(Lane::Pages).await?;
    let users = count_users_to_two(&db).await?;
    if users.first().is_some_and(|users| users.count > 0) {
        return Ok(None);
    }
    let bits: [u8; 32] = rand::rng().random();
    let token = BASE64_URL_SAFE_NO_PAD.encode(bits);
    let expires = now + LIFETIME;
    let stored = insert_setup_link(&db, &hash(&token), &now, &expires).await?;
    Ok((stored == 1).then(|| format!("/setup/{token}/")))
}

/// Whether a link's token can still be used.
///
/// # Errors
/// When the database fails.
pub async fn is_good(token: &str, now: Timestamp, store: &Store) -> Result<bool, StoreError> {
    let db = store.get(Lane::Pages).await?;
    Ok(!setup_link(&db, &hash(token), &now).await?.is_empty())
}

/// Uses a link up: makes the first user, and notes that in the audit log. Returns whether it worked; it does once.
///
/// # Errors
/// When the database fails.
pub async fn use_up(
    token: &str,
    username: &str,
    encoded_password: &str,
    now: Timestamp,
    store: &Store,
) -> Result<bool, StoreError> {
    let tx = store.get(Lane::Pages).await?.begin().await?;
    let token_hash = hash(token);
    let created = create_first_user(&tx, &token_hash, &username, &encoded_password, &now).await?;
    let Some(user) = created.first() else {
        tx.rollback().await?;
        return Ok(false);
    };
    let (nobody, id): (Option<UserId>, _) = (None, user.id.to_string());
    insert_audit(
        &tx,
        InsertAudit {
            at: &now,
            user: &nobody,
            username,
            action: "made",
            kind: "user",
            object_id: &id,
            object_name: username,
            detail: FIRST_USER,
        },
    )
    .await?;
    tx.commit().await?;
    Ok(true)
}

/// What became of the user whom `ADMIN_PASS` is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admin {
    /// It was made.
    Created,
    /// It was there; it is a superuser and global admin now, with the new password.
    Restored,
    /// The same, and as in Sal it stays deactivated.
    RestoredInactive,
}

/// Whether any user, deactivated ones too, is a superuser.
///
/// # Errors
/// When the database fails.
pub async fn has_superuser(store: &Store) -> Result<bool, StoreError> {
    let db = store.get(Lane::Pages).await?;
    Ok(!superusers(&db).await?.is_empty())
}

/// Makes `username` a superuser and global admin with this password, and notes that in the audit log; `None` when there
/// is a superuser (by now). Sessions of the user end, as their password changed.
///
/// # Errors
/// When the database fails.
pub async fn restore_admin(
    username: &str,
    encoded_password: &str,
    now: Timestamp,
    store: &Store,
) -> Result<Option<Admin>, StoreError> {
    let tx = store.get(Lane::Pages).await?.begin().await?;
    let restored = restore_superuser(&tx, &username, &encoded_password, &now).await?;
    let Some(user) = restored.first() else {
        tx.rollback().await?;
        return Ok(None);
    };
    let (admin, action, detail) = match (user.is_new, user.is_active) {
        (true, _) => (Admin::Created, "made", FIRST_USER),
        (false, true) => (Admin::Restored, "changed", RESTORED),
        (false, false) => (Admin::RestoredInactive, "changed", RESTORED),
    };
    let (nobody, id): (Option<UserId>, _) = (None, user.id.to_string());
    insert_audit(
        &tx,
        InsertAudit {
            at: &now,
            user: &nobody,
            username,
            action,
            kind: "user",
            object_id: &id,
            object_name: username,
            detail,
        },
    )
    .await?;
    tx.commit().await?;
    Ok(Some(admin))
}

fn hash(token: &str) -> Vec<u8> {
    digest(&SHA256, token.as_bytes()).as_ref().to_vec()
}

const FIRST_USER: &str = "the first user, a global admin";
const RESTORED: &str =
    "there was no superuser: superuser, global admin and a new password, by ADMIN_PASS";
