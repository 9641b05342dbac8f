//! What somebody named, and what is not there: a profile, a file, a role. AWS's libraries go on to the next source then, and
//! work as somebody else; here it is an error that names it.

use std::path::PathBuf;

use aws_config::profile;
use aws_types::os_shim_internal::{Env, Fs};

use super::CredentialError;

/// What the source of the shared files is called in messages.
pub(super) const PROFILE: &str = "profile";
/// What the source of web identities is called in messages.
pub(super) const WEB_IDENTITY: &str = "web identity";

/// Looks whether a profile that was asked for exists, before anybody else's credentials are taken.
pub(super) async fn check_profile(name: &str) -> Result<(), CredentialError> {
    check_files()?;
    let env = Env::real();
    let read = profile::load(&Fs::real(), &env, &Default::default(), None).await;
    let profiles = read.map_err(|error| failed(super::chain::error_text(&error)))?;
    if profiles.get_profile(name).is_some() {
        return Ok(());
    }
    let mut known: Vec<_> = profiles.profiles().collect();
    known.sort_unstable();
    let known = match known.is_empty() {
        true => "there are none".to_owned(),
        false => format!("there are {}", known.join(", ")),
    };
    Err(failed(format!(
        "AWS_PROFILE names `{name}`, which is in neither the config nor the credentials file ({known}); correct the name, or take it away"
    )))
}

/// Looks at what was named for a source before it is asked.
pub(super) fn check_before(source: &str) -> Result<(), CredentialError> {
    match source {
        PROFILE => check_files(),
        WEB_IDENTITY => check_role(),
        _ => Ok(()),
    }
}

/// Judges a profile that gave nothing: whoever named one wants no other, and one that leads to a profile that is missing is
/// a mistake.
pub(super) fn check_unloaded(named: Option<&str>, why: &str) -> Result<(), CredentialError> {
    if why.contains("source profile") {
        return Err(failed(why.to_owned()));
    }
    match named {
        None => Ok(()),
        Some(name) => Err(failed(format!(
            "the profile `{name}` of AWS_PROFILE holds no credentials and leads to none ({why}); complete it, or take AWS_PROFILE away to use those of this machine"
        ))),
    }
}

/// Files that were named have to be there.
fn check_files() -> Result<(), CredentialError> {
    for name in ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"] {
        let named = Env::real().get(name).ok().filter(|path| !path.is_empty());
        if let Some(path) = named
            && let Err(error) = std::fs::metadata(in_home(&path))
        {
            return Err(failed(format!(
                "{name} names `{path}`, which cannot be read ({error}); correct it, or take it away"
            )));
        }
    }
    Ok(())
}

/// As AWS's libraries read it.
fn in_home(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), Env::real().get("HOME")) {
        (Some(rest), Ok(home)) => PathBuf::from(home).join(rest),
        _ => PathBuf::from(path),
    }
}

/// A role without the token that opens it would be passed over in silence.
fn check_role() -> Result<(), CredentialError> {
    let set = |name: &str| Env::real().get(name).ok().filter(|value| !value.is_empty());
    let failed = |message: String| CredentialError::Failed {
        origin: WEB_IDENTITY.to_owned(),
        message,
    };
    let Some(role) = set("AWS_ROLE_ARN") else {
        return Ok(());
    };
    if set("AWS_WEB_IDENTITY_TOKEN_FILE").is_none() {
        return Err(failed(
            "AWS_ROLE_ARN is set without AWS_WEB_IDENTITY_TOKEN_FILE; set both, or take it away"
                .to_owned(),
        ));
    }
    if !role.starts_with("arn:aws") || !role.contains(":role/") {
        return Err(failed(format!(
            "AWS_ROLE_ARN is `{role}`, which is not the ARN of a role; write arn:aws:iam::ACCOUNT:role/NAME"
        )));
    }
    Ok(())
}

fn failed(message: String) -> CredentialError {
    CredentialError::Failed {
        origin: PROFILE.to_owned(),
        message,
    }
}
