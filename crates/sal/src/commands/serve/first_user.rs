//! The first user: `admin` with `ADMIN_PASS`, or the link that lets a person make one.
//!
//! As in Sal, `ADMIN_PASS` counts whenever there is no superuser: then `admin` is made, or becomes one and gets that
//! password. It never touches a database that has a superuser.

use sal_http::access::hashing::{Asker, Hashing};
use sal_http::access::password;
use sal_http::access::setup::{self, Admin};
use tracing::{info, warn};

use super::ready::{Obstacle, Ready};
use crate::output;

/// Makes the first user, or says how.
pub(super) async fn make(ready: &Ready) -> Result<(), Obstacle> {
    match &ready.config.admin_password {
        Some(secret) => by_password(secret.expose().to_owned(), ready).await,
        None => by_link(ready).await,
    }
}

async fn by_password(password: String, ready: &Ready) -> Result<(), Obstacle> {
    let away = |error: &dyn std::fmt::Display| Obstacle::Away(error.to_string());
    let has_superuser = setup::has_superuser(&ready.store).await;
    if has_superuser.map_err(|error| away(&error))? {
        info!("ADMIN_PASS changes nothing: the database has a superuser");
        return Ok(());
    }
    let encoded = password::encode(password, &Asker::Server, &Hashing::default())
        .await
        .map_err(|error| away(&error))?;
    let made = setup::restore_admin(ADMIN, &encoded, (ready.clock)(), &ready.store).await;
    match made.map_err(|error| away(&error))? {
        None => info!("ADMIN_PASS changes nothing: another server made a superuser just now"),
        Some(Admin::Created) => {
            info!(
                user = ADMIN,
                "the user `{ADMIN}` was made with ADMIN_PASS, as there was no superuser"
            );
        }
        Some(Admin::Restored) => {
            warn!(
                user = ADMIN,
                "there was no superuser: `{ADMIN}` is one now, a global admin, and its password is ADMIN_PASS"
            );
        }
        Some(Admin::RestoredInactive) => {
            warn!(
                user = ADMIN,
                "there was no superuser: `{ADMIN}` is one now and its password is ADMIN_PASS, but it is deactivated and cannot log in. \
                 Activate it: UPDATE auth_user SET is_active = true WHERE username = '{ADMIN}'"
            );
        }
    }
    Ok(())
}

async fn by_link(ready: &Ready) -> Result<(), Obstacle> {
    let away = |error: sal_store::StoreError| Obstacle::Away(error.to_string());
    let offered = setup::offer((ready.clock)(), &ready.store).await;
    let Some(path) = offered.map_err(away)? else {
        if !setup::has_superuser(&ready.store).await.map_err(away)? {
            warn!(
                "no user is a superuser. Set ADMIN_PASS to make `{ADMIN}` one at the next start, with that password"
            );
        }
        return Ok(());
    };
    let base = ready
        .config
        .public_url
        .clone()
        .unwrap_or_else(|| format!("http://{}", ready.address));
    output::note(&format!(
        "There is no user yet. Make the first one at {}{path} within 24 hours.",
        base.trim_end_matches('/')
    ));
    Ok(())
}

/// The name that Sal's image uses.
const ADMIN: &str = "admin";
