//! The cookies of logins that are under way: one for each, so that two tabs do not end each other's.

use http::{HeaderMap, HeaderValue, header};
use oidc_login::LIFETIME;

use crate::{access::session::cookie, error::AppError};

/// The cookie of a login.
pub(super) fn of_login(state: &str, sealed: &str, is_https: bool) -> Result<HeaderValue, AppError> {
    write(&name(state, is_https), sealed, LIFETIME.as_secs(), is_https)
}

/// Takes the cookie of a login away.
pub(super) fn gone(state: &str, is_https: bool) -> Result<HeaderValue, AppError> {
    write(&name(state, is_https), "", 0, is_https)
}

/// The login that a browser began, as it was sealed.
pub(super) fn find<'a>(headers: &'a HeaderMap, state: &str, is_https: bool) -> Option<&'a str> {
    cookie(headers, &name(state, is_https))
}

/// Takes cookies of logins away where a browser has so many that nobody ends them any more: its requests grow with each.
pub(super) fn too_many(headers: &HeaderMap, is_https: bool) -> Result<Vec<HeaderValue>, AppError> {
    let names: Vec<&str> = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .map(|(name, _value)| name)
        .filter(|name| {
            let login = name.strip_prefix(prefix(is_https));
            login.is_some_and(|login| login.bytes().all(is_plain))
        })
        .collect();
    if names.len() < MOST {
        return Ok(Vec::new());
    }
    let taken = names.iter().take(MOST_TAKEN);
    taken.map(|name| write(name, "", 0, is_https)).collect()
}

/// `Lax`, because the provider's page leads back here.
fn write(name: &str, value: &str, seconds: i64, is_https: bool) -> Result<HeaderValue, AppError> {
    let secure = if is_https { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
    let mut value = HeaderValue::from_str(&text)
        .map_err(|error| AppError::internal("writing a cookie", error))?;
    value.set_sensitive(true);
    Ok(value)
}

fn name(state: &str, is_https: bool) -> String {
    let login: String = state.chars().take(8).collect();
    format!("{}{login}", prefix(is_https))
}

/// With https the browser itself guarantees that no other host set the cookie.
fn prefix(is_https: bool) -> &'static str {
    if is_https {
        "__Host-sal_login_"
    } else {
        "sal_login_"
    }
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// Tabs in which a person may be at the provider's page at a time.
const MOST: usize = 5;
const MOST_TAKEN: usize = 50;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_with_many_unfinished_logins_loses_them() {
        let headers = |count: usize| {
            let pairs: Vec<_> = (0..count)
                .map(|n| format!("sal_login_{n}=x; other=1"))
                .collect();
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, pairs.join("; ").parse().unwrap());
            headers
        };
        assert!(too_many(&headers(4), false).unwrap().is_empty());
        let gone = too_many(&headers(5), false).unwrap();
        assert_eq!(gone.len(), 5);
        assert!(
            gone[0]
                .to_str()
                .unwrap()
                .starts_with("sal_login_0=; Path=/; Max-Age=0;")
        );
        assert!(
            too_many(&headers(9), true).unwrap().is_empty(),
            "other cookies"
        );
        assert_eq!(too_many(&headers(1000), false).unwrap().len(), MOST_TAKEN);
    }

    #[test]
    fn over_https_the_cookie_is_the_hosts_own() {
        let cookie = of_login("abcdefghijk", "sealed", true).unwrap();
        assert!(cookie.is_sensitive());
        assert_eq!(
            cookie.to_str().unwrap(),
            "__Host-sal_login_abcdefgh=sealed; Path=/; Max-Age=600; HttpOnly; SameSite=Lax; Secure"
        );
    }
}
