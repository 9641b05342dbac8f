//! Who is let in and who is believed, as the environment says it.

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
}
