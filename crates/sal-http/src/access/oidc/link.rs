//! An administrator says which account of a provider is which user. Audited; called inside of a transaction.

use jiff::Timestamp;
use oidc_login::config::Issuer;
use sal_store::{
    StoreError,
    audit::{InsertAudit, insert_audit},
    identities::{
        delete_identity, identities_of, lock_identities, owner_of_identity, put_identity,
    },
    ids::UserId,
    pool::Executor,
    sessions::delete_sessions_of,
};

/// An account of a provider, well formed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    issuer: String,
    subject: String,
}

/// A user here.
#[derive(Debug, Clone, Copy)]
pub struct User<'a> {
    /// The user's id.
    pub id: UserId,
    /// The user's name.
    pub name: &'a str,
}

/// Who says so; nobody in particular for the command line.
#[derive(Debug, Clone, Copy)]
pub struct By<'a> {
    /// The administrator.
    pub id: Option<UserId>,
    /// The administrator's name.
    pub name: &'a str,
}

/// Why an account is not linked.
#[derive(Debug, thiserror::Error)]
pub enum LinkFault {
    /// The provider's address cannot be one.
    #[error("the issuer {why}")]
    Issuer {
        /// What is wrong, as the end of a sentence.
        why: &'static str,
    },
    /// The account's id cannot be one.
    #[error("the subject is empty, longer than 255 bytes, or has characters that nobody sees")]
    Subject,
    /// It belongs to somebody.
    #[error("this account belongs to the user `{owner}`; unlink it there first")]
    Anothers {
        /// To whom.
        owner: String,
    },
    /// The user has an account of this provider.
    #[error("the user has an account of this provider already; unlink that one first")]
    HasAnother,
    /// The user does not have it.
    #[error("this account does not belong to the user")]
    NotThere,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Identity {
    /// Reads what somebody typed.
    ///
    /// # Errors
    /// When it cannot be an account.
    pub fn parse(issuer: &str, subject: &str) -> Result<Self, LinkFault> {
        let issuer = Issuer::parse(issuer.trim()).map_err(|why| LinkFault::Issuer { why })?;
        let subject = subject.trim();
        let is_good =
            (1..=MAX_SUBJECT_BYTES).contains(&subject.len()) && !subject.contains(char::is_control);
        if !is_good {
            return Err(LinkFault::Subject);
        }
        Ok(Self {
            issuer: issuer.as_str().to_owned(),
            subject: subject.to_owned(),
        })
    }

    /// The provider.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }
}

/// Makes the account the user's: its next login is this user. Returns false when it was so before.
///
/// # Errors
/// When it is another's, or the user has another account of this provider.
pub async fn link(
    user: User<'_>,
    account: &Identity,
    by: By<'_>,
    now: Timestamp,
    db: &impl Executor,
) -> Result<bool, LinkFault> {
    let Identity { issuer, subject } = account;
    lock_identities(db).await?;
    if let Some(owner) = owner_of_identity(db, issuer, subject)
        .await?
        .into_iter()
        .next()
    {
        return if owner.id == user.id {
            Ok(false)
        } else {
            Err(LinkFault::Anothers {
                owner: owner.username,
            })
        };
    }
    let own = identities_of(db, &user.id).await?;
    if own.iter().any(|own| own.issuer == *issuer) {
        return Err(LinkFault::HasAnother);
    }
    put_identity(db, issuer, subject, &user.id, &now).await?;
    note("linked", "to", user, account, by, now, db).await?;
    Ok(true)
}

/// Takes the account from the user, and ends the user's sessions: one of them may be the account's.
///
/// # Errors
/// When it is not the user's.
pub async fn unlink(
    user: User<'_>,
    account: &Identity,
    by: By<'_>,
    now: Timestamp,
    db: &impl Executor,
) -> Result<(), LinkFault> {
    let Identity { issuer, subject } = account;
    lock_identities(db).await?;
    if delete_identity(db, issuer, subject, &user.id).await? == 0 {
        return Err(LinkFault::NotThere);
    }
    delete_sessions_of(db, &user.id).await?;
    Ok(note("unlinked", "from", user, account, by, now, db).await?)
}

async fn note(
    action: &str,
    word: &str,
    user: User<'_>,
    account: &Identity,
    by: By<'_>,
    now: Timestamp,
    db: &impl Executor,
) -> Result<(), StoreError> {
    let (id, detail) = (
        user.id.to_string(),
        format!("{word} an account of {}", account.issuer),
    );
    insert_audit(
        db,
        InsertAudit {
            at: &now,
            user: &by.id,
            username: by.name,
            action,
            kind: "user",
            object_id: &id,
            object_name: user.name,
            detail: &detail,
        },
    )
    .await?;
    Ok(())
}

/// OpenID Connect Core §2.
const MAX_SUBJECT_BYTES: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_has_a_safe_issuer_and_a_subject() {
        let good = Identity::parse(" https://login.example.org/x ", " s-1 ").unwrap();
        assert_eq!(
            (good.issuer.as_str(), good.subject.as_str()),
            ("https://login.example.org/x", "s-1")
        );
        for (issuer, subject) in [
            ("http://login.example.org", "s"),
            ("", "s"),
            ("https://login.example.org", " "),
            ("https://login.example.org", "a\nb"),
            ("https://login.example.org", &"x".repeat(256)),
        ] {
            assert!(
                Identity::parse(issuer, subject).is_err(),
                "{issuer} {subject}"
            );
        }
    }
}
