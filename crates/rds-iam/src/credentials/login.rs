//! Profiles of people, who log in at a portal: which command does it again when the login has ended.
//!
//! AWS's libraries say that a token cannot be loaded or was not taken; which profile it was for they do not say.

use aws_config::profile::{self, ProfileSet};
use aws_types::os_shim_internal::{Env, Fs};

/// The command that logs in again for a profile, where it, or the profile it takes its credentials from, is a person's.
pub(super) async fn command(named: Option<&str>) -> Option<String> {
    let (files, env) = (Fs::real(), Env::real());
    let read = profile::load(&files, &env, &Default::default(), None).await;
    of(&read.ok()?, named.unwrap_or("default"))
}

fn of(profiles: &ProfileSet, named: &str) -> Option<String> {
    let mut name = named;
    // A chain of profiles that leads back to itself is told by others.
    for _link in 0..MOST_LINKS {
        let profile = profiles.get_profile(name)?;
        if profile.get("sso_session").is_some() || profile.get("sso_start_url").is_some() {
            return Some(format!("aws sso login --profile {name}"));
        }
        if profile.get("login_session").is_some() {
            return Some(format!("aws login --profile {name}"));
        }
        name = profile.get("source_profile")?;
    }
    None
}

/// What was said, and what to do about it.
pub(super) fn with_command(said: String, command: Option<String>) -> String {
    match command {
        Some(command) => format!("{said}; {BEFORE}`{command}`"),
        None => said,
    }
}

/// The command in a message that has one.
pub(crate) fn command_in(message: &str) -> Option<&str> {
    let (_, command) = message.split_once(BEFORE)?;
    command.strip_prefix('`')?.split('`').next()
}

const BEFORE: &str = "log in again: ";
const MOST_LINKS: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_profile_of_a_person_is_found_behind_the_roles_it_leads_to() {
        let text = "[profile me]\nsso_session = corp\n[profile older]\nsso_start_url = https://x\n\
            [profile direct]\nlogin_session = arn\n[profile role]\nsource_profile = me\n\
            [profile circle]\nsource_profile = circle\n[profile keys]\naws_access_key_id = A\n";
        let files = Fs::from_map([("/config".to_owned(), text.as_bytes().to_vec())].into());
        let env = Env::from_slice(&[("AWS_CONFIG_FILE", "/config"), ("HOME", "/")]);
        let profiles = profile::load(&files, &env, &Default::default(), None)
            .await
            .unwrap();
        for (name, command) in [
            ("me", Some("aws sso login --profile me")),
            ("older", Some("aws sso login --profile older")),
            ("direct", Some("aws login --profile direct")),
            ("role", Some("aws sso login --profile me")),
            ("circle", None),
            ("keys", None),
            ("missing", None),
        ] {
            assert_eq!(of(&profiles, name).as_deref(), command, "{name}");
        }
        let said = with_command("x".to_owned(), Some("aws login".to_owned()));
        assert_eq!(command_in(&said), Some("aws login"));
        assert_eq!(command_in("x"), None);
    }
}
