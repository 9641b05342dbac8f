//! An account of the provider becomes a user: finds it, makes it, brings its rights to the mapping.

use jiff::Timestamp;
use oidc_login::{LIFETIME, LoginError, NameFault, Person};
use rand::{RngExt, distr::Alphanumeric};
use sal_store::{
    Tx,
    audit::{InsertAudit, insert_audit},
    identities::{
        Account, UserName, find_account, insert_sso_user, lock_identities, put_identity, put_level,
        put_staff, put_units, units_named, units_of, use_oidc_login, user_names,
    },
    ids::{UnitId, UserId},
    users::record_login,
};
use tracing::{info, warn};

use super::{
    config::OidcConfig,
    error::{self, OidcError, Refusal},
    names,
    rights::{Present, Rights, rights},
};
use crate::db::page_client;
use crate::{access::Level, app::App, error::AppError};

/// Who somebody will be here.
#[derive(Debug, PartialEq, Eq)]
enum Choice {
    /// A user that is made now.
    New,
    /// A user whose name the provider is trusted to know.
    Join,
    /// The user of the last time, or of whom an administrator said so.
    Known,
}

/// Finds or makes the user of a person, and brings level, staff and units to the mapping. The login is used up by it: all
/// in one transaction.
pub(super) async fn enter(
    person: &Person,
    login: &[u8],
    config: &OidcConfig,
    app: &App,
) -> Result<UserId, OidcError> {
    let db = page_client(app).await?;
    let tx = db.begin().await?;
    match enter_in(person, login, config, app, &tx).await {
        Ok(user) => {
            tx.commit().await?;
            Ok(user)
        }
        Err(error) => {
            // A refusal is no fault of the connection, which so can go back to the pool.
            if matches!(error, OidcError::Refused(_) | OidcError::Login(_)) {
                tx.rollback().await?;
            }
            Err(error)
        }
    }
}

async fn enter_in(
    person: &Person,
    login: &[u8],
    config: &OidcConfig,
    app: &App,
    tx: &Tx,
) -> Result<UserId, OidcError> {
    let (issuer, now) = (config.issuer.as_str(), app.now());
    let expires = now.saturating_add(LIFETIME).unwrap_or(Timestamp::MAX);
    if use_oidc_login(tx, &login.to_vec(), &now, &expires).await? == 0 {
        return Err(LoginError::Stale.into());
    }
    lock_identities(tx).await?;
    let found = find_account(tx, issuer, &person.subject, &person.trusted_name)
        .await?
        .into_iter()
        .next();
    let choice = choose(found.as_ref(), person, config).map_err(OidcError::Refused)?;
    let rights = rights_of(found.as_ref(), person, config, tx).await?;
    let account = match found {
        Some(account) => account,
        None => make(person, config, app, tx).await?,
    };
    let note = Note {
        account: &account,
        app,
        tx,
    };
    match choice {
        Choice::New => note.write("made", "by single sign-on").await?,
        Choice::Join => {
            let detail = "to its account of single sign-on, by the trusted claim";
            note.write("joined", detail).await?;
        }
        Choice::Known => {}
    }
    put_identity(tx, issuer, &person.subject, &account.id, &now).await?;
    bring_to(&rights, &note).await?;
    record_login(tx, &account.id, &now).await?;
    Ok(account.id)
}

/// Decides who somebody will be. No user is taken over by a name: only by an account that an administrator linked, or by
/// the claim that is trusted to be a name here; and the user of another account of the provider never is.
fn choose(
    found: Option<&Account>,
    person: &Person,
    config: &OidcConfig,
) -> Result<Choice, Refusal> {
    match found {
        None if config.levels.is_none() => Err(Refusal::Unknown {
            account: subject(person),
        }),
        None => Ok(Choice::New),
        Some(account) if !account.is_known && account.is_anothers => Err(Refusal::AnothersName {
            name: account.username.clone(),
        }),
        Some(account) if !account.is_active => Err(Refusal::Inactive),
        Some(account) if account.is_known => Ok(Choice::Known),
        Some(_) => Ok(Choice::Join),
    }
}

async fn rights_of(
    found: Option<&Account>,
    person: &Person,
    config: &OidcConfig,
    tx: &Tx,
) -> Result<Rights, OidcError> {
    let mut present = Present::default();
    if let Some(account) = found {
        let ids: Vec<UnitId> = account.units.iter().copied().map(UnitId).collect();
        present = Present {
            level: account.level.as_deref().map(Level::from_code),
            is_staff: account.is_staff,
            units: unit_names(tx, &ids).await?,
        };
    }
    rights(&person.groups, &present, config).map_err(OidcError::Refused)
}

async fn unit_names(tx: &Tx, ids: &[UnitId]) -> Result<Vec<String>, OidcError> {
    let units = units_of(tx, &ids.to_vec()).await?;
    Ok(units.into_iter().map(|unit| unit.name).collect())
}

fn subject(person: &Person) -> error::Account {
    error::Account(person.subject.clone())
}

/// The name of a new user, unless somebody has it or one that looks like it.
fn new_name(person: &Person, users: &[UserName]) -> Result<String, Refusal> {
    let name = match &person.username {
        Ok(name) => names::tidy(name),
        Err(NameFault::Missing) => return Err(Refusal::NoName),
        Err(NameFault::UnverifiedEmail) => return Err(Refusal::UnverifiedEmail),
    };
    let looks = names::looks(&name);
    if looks.is_empty() || name.chars().count() > MAX_NAME {
        return Err(Refusal::NoName);
    }
    let twin = users.iter().find(|user| user.username == name).or_else(|| {
        users
            .iter()
            .find(|user| names::looks(&user.username) == looks)
    });
    match twin {
        None => Ok(name),
        Some(twin) if twin.has_identity => Err(Refusal::AnothersName {
            name: twin.username.clone(),
        }),
        Some(twin) => Err(Refusal::NameTaken {
            name: twin.username.clone(),
            account: subject(person),
        }),
    }
}

async fn make(
    person: &Person,
    config: &OidcConfig,
    app: &App,
    tx: &Tx,
) -> Result<Account, OidcError> {
    let users = user_names(tx, config.issuer.as_str()).await?;
    let username = new_name(person, &users).map_err(OidcError::Refused)?;
    let made = insert_sso_user(
        tx,
        &username,
        &no_password(),
        &person.first_name,
        &person.last_name,
        &person.email,
        &app.now(),
    )
    .await?;
    // Django Sal made a user of this name since we looked.
    let made = made.first().ok_or_else(|| {
        OidcError::Refused(Refusal::NameTaken {
            name: username.clone(),
            account: subject(person),
        })
    })?;
    Ok(Account {
        id: made.id,
        username,
        is_active: true,
        is_staff: false,
        is_known: true,
        is_anothers: false,
        level: None,
        units: Vec::new(),
    })
}

/// Brings the user to the mapping and notes each change.
async fn bring_to(rights: &Rights, note: &Note<'_>) -> Result<(), AppError> {
    let account = note.account;
    if let Some(level) = rights
        .level
        .filter(|level| account.level.as_deref() != Some(level.code()))
    {
        put_level(note.tx, &account.id, level.code()).await?;
        note.changed(
            "level",
            account.level.as_deref().map_or("none", title),
            level.title(),
        )
        .await?;
    }
    if let Some(is_staff) = rights
        .is_staff
        .filter(|is_staff| account.is_staff != *is_staff)
    {
        put_staff(note.tx, &account.id, &is_staff).await?;
        let words = |is_staff| if is_staff { "yes" } else { "no" };
        note.changed("may manage users", words(account.is_staff), words(is_staff))
            .await?;
    }
    if let Some(names) = &rights.units {
        bring_units_to(names, note).await?;
    }
    Ok(())
}

async fn bring_units_to(names: &Vec<String>, note: &Note<'_>) -> Result<(), AppError> {
    let account = note.account;
    let found = units_named(note.tx, names).await?;
    let missing = names
        .iter()
        .filter(|name| found.iter().all(|unit| unit.name != **name))
        .count();
    if missing > 0 {
        warn!("SAL_OIDC_UNITS names {missing} business units that do not exist; they are left out");
    }
    let mut units: Vec<i32> = found.iter().map(|unit| unit.id.0).collect();
    units.sort_unstable();
    if units == account.units {
        return Ok(());
    }
    put_units(note.tx, &account.id, &units).await?;
    let list = |ids: &[i32]| {
        let texts: Vec<_> = ids.iter().map(i32::to_string).collect();
        if texts.is_empty() {
            "none".to_owned()
        } else {
            texts.join(", ")
        }
    };
    note.changed("business units (ids)", &list(&account.units), &list(&units))
        .await
}

fn title(code: &str) -> &str {
    [
        Level::StatsOnly,
        Level::ReadOnly,
        Level::ReadWrite,
        Level::GlobalAdmin,
    ]
    .into_iter()
    .find(|level| level.code() == code)
    .map_or(code, |level| level.title())
}

/// Whose user is changed, and where that is noted.
struct Note<'a> {
    account: &'a Account,
    app: &'a App,
    tx: &'a Tx,
}

impl Note<'_> {
    async fn changed(&self, what: &str, before: &str, after: &str) -> Result<(), AppError> {
        let detail = format!("{what}: {before} → {after}, by the groups of single sign-on");
        self.write("changed", &detail).await
    }

    async fn write(&self, action: &str, detail: &str) -> Result<(), AppError> {
        let Account { id, username, .. } = self.account;
        insert_audit(
            self.tx,
            InsertAudit {
                at: &self.app.now(),
                user: &Some(*id),
                username,
                action,
                kind: "user",
                object_id: &id.to_string(),
                object_name: username,
                detail,
            },
        )
        .await?;
        info!(viewer = %id, "user {id} was {action} by single sign-on");
        Ok(())
    }
}

/// A password that none matches, as Django writes it: `!` and 40 random characters. Sessions hang on it.
fn no_password() -> String {
    let random = rand::rng().sample_iter(Alphanumeric).take(40);
    std::iter::once('!').chain(random.map(char::from)).collect()
}

const MAX_NAME: usize = 150;

#[cfg(test)]
mod tests;
