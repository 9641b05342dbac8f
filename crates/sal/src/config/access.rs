//! Who is let in and who is believed, as the environment says it.

use jiff::SignedDuration;
use rds_iam::Secret;
use sal_http::access::password::is_guessed_first;
use sal_http::proxies::TrustedProxies;

use super::Environment;

/// Reads the proxies whose word is taken.
pub(super) fn trusted_proxies(environment: &mut Environment) -> TrustedProxies {
    let parts = environment.list(PROXIES);
    let proxies = TrustedProxies::parse(&parts).unwrap_or_else(|mistakes| {
        for mistake in mistakes {
            environment.problem(format!("{PROXIES}: {mistake}"));
        }
        TrustedProxies::default()
    });
    if proxies.names_everybody() {
        environment.warn(format!(
            "{PROXIES} names every address: whoever reaches this server can say to come from anywhere"
        ));
    }
    proxies
}

/// Reads how long a session may be idle.
pub(super) fn session_idle(environment: &mut Environment) -> SignedDuration {
    let minutes: u32 = environment.number(IDLE);
    SignedDuration::from_mins(i64::from(minutes))
}

/// Reads the password of the first user. One that anybody would try is refused, whether there are users already or not:
/// the day there are none, it opens the server.
pub(super) fn admin_password(environment: &mut Environment) -> Option<Secret> {
    if environment.is_blank(ADMIN_PASS) {
        environment.problem(format!("{ADMIN_PASS} is set and empty; {INSTEAD}"));
        return None;
    }
    let password = environment.secret(ADMIN_PASS)?;
    let fault = if password.trim().chars().count() < LEAST_CHARACTERS {
        "has fewer than 8 characters"
    } else if is_guessed_first(&password) {
        "is one of the first that anybody tries"
    } else {
        return Some(Secret::new(password));
    };
    environment.problem(format!("{ADMIN_PASS} {fault}; {INSTEAD}"));
    None
}

const ADMIN_PASS: &str = "ADMIN_PASS";
const INSTEAD: &str = "choose a long one that nobody guesses, or take the variable away and open the set-up link in the log";
const LEAST_CHARACTERS: usize = 8;
const IDLE: &str = "SAL_SESSION_IDLE_MINUTES";
const PROXIES: &str = "SAL_TRUSTED_PROXIES";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_are_networks_and_every_other_part_is_named() {
        let mut environment = Environment::of([(PROXIES, "10.0.0.7, fd00::/8")]);
        let proxies = trusted_proxies(&mut environment);
        assert!(proxies.has("fd12::1".parse().unwrap()));
        assert_eq!(environment.finish(), Ok(Vec::new()));
        let mut environment = Environment::of([(PROXIES, "10.0.0.7/40,nginx,::1")]);
        assert!(trusted_proxies(&mut environment).is_empty());
        let problems = environment.finish().unwrap_err();
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(problems[1].contains("`nginx`"), "{problems:?}");
    }

    #[test]
    fn who_trusts_everybody_is_warned() {
        for everybody in ["0.0.0.0/0", "::/0"] {
            let mut environment = Environment::of([(PROXIES, everybody)]);
            let _proxies = trusted_proxies(&mut environment);
            assert_eq!(environment.finish().unwrap().len(), 1, "{everybody}");
        }
    }

    #[test]
    fn a_first_password_that_anybody_tries_is_refused_and_not_shown() {
        for (password, words) in [
            ("password", "first that anybody"),
            ("Password1!", "first that anybody"),
            ("changeme", "first that anybody"),
            ("administrator", "first that anybody"),
            ("12345678", "first that anybody"),
            ("admin", "fewer than 8"),
            ("sal", "fewer than 8"),
            ("x7-Kq!z", "fewer than 8"),
            ("", "set and empty"),
            ("   ", "set and empty"),
        ] {
            let mut environment = Environment::of([(ADMIN_PASS, password)]);
            assert!(admin_password(&mut environment).is_none());
            let problems = environment.finish().unwrap_err().join(" ");
            assert!(problems.contains(words), "{password}: {problems}");
            // The message itself has no word that could be one.
            let shown = password.trim();
            assert!(shown.len() < 4 || !problems.contains(shown), "{problems}");
        }
        let mut environment = Environment::of([(ADMIN_PASS, "four blue kettles")]);
        assert!(admin_password(&mut environment).is_some());
        let mut environment = Environment::of([("SAL_LOG", "info")]);
        assert!(admin_password(&mut environment).is_none());
        assert_eq!(environment.finish(), Ok(Vec::new()));
    }
}
