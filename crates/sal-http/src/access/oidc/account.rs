//! An account of the provider becomes a user: finds it, makes it, brings its rights to the mapping.

use rand::{RngExt, distr::Alphanumeric};
use sal_store::{
    Tx,
    audit::insert_audit,
    identities::{
        Account, find_account, insert_sso_user, lock_identities, put_identity, put_level,
        put_staff, put_units, units_named,
    },
    ids::UserId,
    users::record_login,
};
use tracing::{info, warn};

use super::{
    config::OidcConfig,
    error::{OidcError, Refusal},
    mapping::Rights,
    person::Person,
};
use crate::db::page_client;
use crate::{access::Level, app::App, error::AppError};

/// Who somebody will be here.
#[derive(Debug, PartialEq, Eq)]
enum Choice {
    /// A user that is made now.
    New,
    /// A user that had another way in, or none.
    Join,
    /// The user of the last time.
    Known,
}

/// Finds or makes the user of a person, and brings level, staff and units to the mapping, in one transaction.
pub(super) async fn enter(
    person: &Person,
    config: &OidcConfig,
    app: &App,
) -> Result<UserId, OidcError> {
    let rights = config.rights(&person.groups).ok_or_else(|| {
        OidcError::Refused(Refusal::NoLevel {
            groups_left_out: person.groups_left_out,
        })
    })?;
    let db = page_client(app).await?;
    let tx = db.begin().await?;
    match enter_in(person, &rights, config, app, &tx).await {
        Ok(user) => {
            tx.commit().await?;
            Ok(user)
        }
        Err(error) => {
            // A refusal is no fault of the connection, which so can go back to the pool.
            if matches!(error, OidcError::Refused(_)) {
                tx.rollback().await?;
            }
            Err(error)
        }
    }
}

async fn enter_in(
    person: &Person,
    rights: &Rights,
    config: &OidcConfig,
    app: &App,
    tx: &Tx,
) -> Result<UserId, OidcError> {
    let issuer = config.issuer.as_str();
    lock_identities(tx).await?;
    let found = find_account(tx, issuer, &person.subject, &person.username)
        .await?
        .into_iter()
        .next();
    let choice = choose(found.as_ref(), person, config).map_err(OidcError::Refused)?;
    let account = match found {
        Some(account) => account,
        None => make(person, app, tx).await?,
    };
    let note = Note {
        account: &account,
        app,
        tx,
    };
    match choice {
        Choice::New => note.write("made", "by single sign-on").await?,
        Choice::Join => {
            note.write("joined", "to its account of single sign-on")
                .await?
        }
        Choice::Known => {}
    }
    let now = app.now();
    put_identity(tx, issuer, &person.subject, &account.id, &now).await?;
    bring_to(rights, &note).await?;
    record_login(tx, &account.id, &now).await?;
    Ok(account.id)
}

/// Decides who somebody will be. A user who has a password is not taken over by whoever has the same name elsewhere,
/// unless an administrator says so; a user of another account of the provider never is.
fn choose(
    found: Option<&Account>,
    person: &Person,
    config: &OidcConfig,
) -> Result<Choice, Refusal> {
    let name = || person.username.clone();
    match found {
        None if config.levels.is_none() => Err(Refusal::Unknown),
        None => Ok(Choice::New),
        Some(account) if !account.is_known && account.is_anothers => {
            Err(Refusal::AnothersName { name: name() })
        }
        Some(account) if !account.is_known && !account.is_passwordless && !config.link_existing => {
            Err(Refusal::NameTaken { name: name() })
        }
        Some(account) if !account.is_active => Err(Refusal::Inactive),
        Some(account) if account.is_known => Ok(Choice::Known),
        Some(_) => Ok(Choice::Join),
    }
}

async fn make(person: &Person, app: &App, tx: &Tx) -> Result<Account, OidcError> {
    let made = insert_sso_user(
        tx,
        &person.username,
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
            name: person.username.clone(),
        })
    })?;
    Ok(Account {
        id: made.id,
        username: person.username.clone(),
        is_active: true,
        is_staff: false,
        is_passwordless: true,
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
            &self.app.now(),
            &Some(*id),
            username,
            action,
            "user",
            &id.to_string(),
            username,
            detail,
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

#[cfg(test)]
mod tests;
