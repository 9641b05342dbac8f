//! Who the provider is, and who we are to it.

use std::{fmt, net::IpAddr};

use http::Uri;

/// The provider, and who we are to it.
#[derive(Debug, Clone)]
pub struct ClientConfig {
    /// The provider's name for itself, an address.
    pub issuer: Issuer,
    /// Our name at the provider.
    pub client_id: String,
    /// Our secret at the provider; a public client has none.
    pub client_secret: Option<ClientSecret>,
    /// Where the provider sends browsers back to; registered there exactly so.
    pub redirect_uri: String,
    /// What we ask for, separated by blanks; `openid` is among it.
    pub scopes: String,
}

/// An issuer whose tokens can be believed: reached by https, or on this very machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer(String);

impl Issuer {
    /// Reads an issuer as it was configured.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.contains(['?', '#']) {
            return Err("has a `?` or a `#`, which an issuer never has");
        }
        safe_url(text)?;
        Ok(Self(text.to_owned()))
    }

    /// The text, compared byte for byte.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where the provider describes itself.
    pub(crate) fn discovery(&self) -> String {
        format!(
            "{}/.well-known/openid-configuration",
            self.0.trim_end_matches('/')
        )
    }
}

/// Whether secrets may be sent to this address.
pub(crate) fn safe_url(text: &str) -> Result<(), &'static str> {
    let uri: Uri = text.parse().map_err(|_error| "is not an address")?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err("does not begin with https://");
    };
    if authority.as_str().contains('@') || text.contains('#') {
        return Err("has a `@` before its path or a `#`");
    }
    match scheme {
        "https" => Ok(()),
        "http" if is_loopback(authority.host()) => Ok(()),
        _ => Err("does not begin with https://; http is taken for this very machine only"),
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || address
            .parse()
            .is_ok_and(|address: IpAddr| address.is_loopback())
}

/// Our secret at the provider. Prints as `***`.
#[derive(Clone)]
pub struct ClientSecret(String);

impl ClientSecret {
    /// Wraps a secret.
    #[must_use]
    pub fn new(secret: String) -> Self {
        Self(secret)
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_reached_by_https_or_on_this_machine() {
        for good in [
            "https://login.example.org/tenant/v2.0",
            "https://accounts.google.com",
            "http://127.0.0.1:8080/realms/sal",
            "http://[::1]:8080",
            "http://localhost",
        ] {
            assert!(Issuer::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "login.example.org",
            "http://login.example.org",
            "http://127.0.0.1.example.org",
            "http://localhost@evil.example",
            "ftp://127.0.0.1",
            "https://login.example.org?x=1",
            "https://login.example.org#x",
            "https://me:secret@login.example.org",
            "/login",
        ] {
            assert!(Issuer::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_description_lies_below_the_issuer_with_or_without_a_slash() {
        for issuer in ["https://a.example/x", "https://a.example/x/"] {
            let found = Issuer::parse(issuer).unwrap().discovery();
            assert_eq!(
                found,
                "https://a.example/x/.well-known/openid-configuration"
            );
        }
    }

    #[test]
    fn the_secret_does_not_print() {
        let secret = ClientSecret::new("hush".to_owned());
        assert_eq!(format!("{secret:?}"), "***");
    }
}
