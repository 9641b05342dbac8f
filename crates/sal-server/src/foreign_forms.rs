//! Refuses forms that a browser sends for another site, and says which two values differ.
//!
//! A browser says where a form comes from: `Sec-Fetch-Site`, and `Origin`, which is compared with the `Host` that this
//! server was asked as. Behind a proxy that changes `Host` they differ for the server's own pages too, so the public
//! address and the configured origins count as its own (docs/guides/behind-a-proxy.md). The decision is pure.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::Response;
use sal_http::django::{self, HEAD, escaped};
use sal_http::seldom::Seldom;
use sal_http::{Access, Door, Doors};
use tracing::warn;

use crate::router::BadOrigin;

/// Which origins are taken for this server's own, beside the one it is asked as.
#[derive(Default)]
pub(crate) struct OwnOrigins {
    exact: Vec<Site>,
    /// `https://*.example.org`, as Django takes it: that domain and all below it.
    below: Vec<Site>,
    public: Option<String>,
    said: Seldom,
}

impl OwnOrigins {
    /// Reads `SAL_PUBLIC_URL`, whose path does not count, and the list of `DOCKER_SAL_CSRF_TRUSTED_ORIGINS`.
    pub(crate) fn read(public_url: Option<&str>, trusted: &[String]) -> Result<Self, BadOrigin> {
        let mut own = Self {
            public: public_url.map(str::to_owned),
            ..Self::default()
        };
        for origin in public_url
            .into_iter()
            .chain(trusted.iter().map(String::as_str))
        {
            let bad = || BadOrigin {
                origin: origin.to_owned(),
            };
            match origin.split_once("://*.") {
                Some((scheme, domain)) => {
                    let site = Site::parse(&format!("{scheme}://{domain}")).ok_or_else(bad)?;
                    own.below.push(site);
                }
                None => own.exact.push(Site::parse(origin).ok_or_else(bad)?),
            }
        }
        Ok(own)
    }

    fn has(&self, origin: &Site) -> bool {
        let is_below = |domain: &Site| {
            let rest = origin.host.strip_suffix(&domain.host);
            let is_inside = rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
            is_inside && (&domain.scheme, domain.port) == (&origin.scheme, origin.port)
        };
        self.exact.contains(origin) || self.below.iter().any(is_below)
    }

    /// The origin that a request names, where it is none of those that are configured. `Host` does not count.
    fn stranger(&self, said: &Said<'_>) -> Option<String> {
        let origin = said.origin?;
        let is_own = Site::parse(origin).is_some_and(|origin| self.has(&origin));
        (!is_own).then(|| shown(Some(origin)))
    }

    /// Why a request is refused; `None` when it is taken.
    fn objection(&self, method: &Method, said: &Said<'_>) -> Option<Objection> {
        if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
            return None;
        }
        let origin = said.origin.and_then(Site::parse);
        let is_own = origin.as_ref().is_some_and(|origin| self.has(origin));
        match said.site {
            Some("same-origin" | "none") => None,
            Some(_) => (!is_own).then_some(Objection::OtherSite),
            None if said.origin.is_none() || is_own => None,
            None => {
                let host = said.host.unwrap_or_default();
                let is_asked = origin.is_some_and(|origin| origin.is_asked_as(host));
                (!is_asked).then_some(Objection::OtherHost)
            }
        }
    }
}

/// Takes a request, or answers 403 with both values.
pub(crate) async fn refuse(
    State((own, doors)): State<(Arc<OwnOrigins>, Arc<Doors>)>,
    request: Request,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let said = Said::of(&parts);
    let place = doors.place(&parts.extensions);
    // Where assistants ask, they are told in their own words.
    if place.is_some_and(|place| place.access == Access::Token) {
        let stranger = own.stranger(&said);
        if let Some(origin) = stranger {
            parts.extensions.insert(sal_api::ForeignOrigin(origin));
        }
        return next.run(Request::from_parts(parts, body)).await;
    }
    if let Some(objection) = own.objection(&parts.method, &said) {
        let is_program = place.is_some_and(|place| place.door == Door::Programs);
        return answer(objection, &said, is_program, &own);
    }
    next.run(Request::from_parts(parts, body)).await
}

fn answer(objection: Objection, said: &Said<'_>, is_program: bool, own: &OwnOrigins) -> Response {
    let (origin, host) = (shown(said.origin), shown(said.host));
    let why = match objection {
        Objection::OtherSite => {
            format!(
                "the browser says that it comes from another site ({origin}) than the one it is sent to ({host})"
            )
        }
        Objection::OtherHost => {
            format!("it comes from {origin} (Origin), and this server was asked as {host} (Host)")
        }
    };
    let setting = match &own.public {
        Some(public) => format!(
            "SAL_PUBLIC_URL is {}: set it to the address in the browser, or add that to DOCKER_SAL_CSRF_TRUSTED_ORIGINS",
            shown(Some(public))
        ),
        None => format!(
            "set SAL_PUBLIC_URL to the address in the browser{}, or let the proxy pass Host on as it came",
            said.origin
                .filter(|text| Site::parse(text).is_some())
                .map_or_else(String::new, |origin| format!(
                    " (the form says {})",
                    shown(Some(origin))
                ))
        ),
    };
    if own.said.is_due() {
        warn!(
            origin,
            host,
            "a form was refused: {why}. If both are this server, {setting}, and start again; see docs/guides/behind-a-proxy.md"
        );
    }
    if is_program {
        return sal_api::refused(&format!(
            "Nothing was changed: {why}. If both are this server, {setting}."
        ));
    }
    let page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head>{HEAD}<title>Form refused</title></head>\
         <body><h1>Form refused</h1><p>Nothing was changed: {}.</p>\
         <p>If both are this server, an administrator can fix it: {}, and start the server again. \
         The guide is docs/guides/behind-a-proxy.md.</p></body></html>\n",
        escaped(&why),
        escaped(&setting)
    );
    django::answer(StatusCode::FORBIDDEN, page)
}

/// What the browser and whoever stands in between say.
struct Said<'a> {
    site: Option<&'a str>,
    origin: Option<&'a str>,
    host: Option<&'a str>,
}

impl<'a> Said<'a> {
    fn of(parts: &'a Parts) -> Self {
        // What is no text is nobody's: it equals nothing.
        let text = |name: HeaderName| {
            let value = parts.headers.get(name)?;
            let text = value.to_str().unwrap_or("(not readable)").trim();
            (!text.is_empty()).then_some(text)
        };
        Self {
            site: text(HeaderName::from_static("sec-fetch-site")),
            origin: text(header::ORIGIN),
            host: parts
                .uri
                .authority()
                .map(|host| host.as_str())
                .or(text(header::HOST)),
        }
    }
}

/// Scheme, host in lower case and port of an origin.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Site {
    scheme: String,
    host: String,
    port: u16,
}

impl Site {
    fn parse(text: &str) -> Option<Self> {
        let uri: Uri = text.parse().ok()?;
        let scheme = uri.scheme_str()?.to_ascii_lowercase();
        let usual = match scheme.as_str() {
            "http" => 80,
            "https" => 443,
            _ => return None,
        };
        let host = uri
            .host()
            .filter(|host| !host.is_empty())?
            .to_ascii_lowercase();
        let port = uri.port_u16().unwrap_or(usual);
        Some(Self { scheme, host, port })
    }

    /// Whether a request for `host` is one to this origin. Browsers name every unusual port, so a `Host` without one is of
    /// a proxy that lost it, and says nothing of the port.
    fn is_asked_as(&self, host: &str) -> bool {
        let asked: Option<Uri> = host.parse().ok();
        let asked = asked.as_ref().and_then(Uri::authority);
        asked.is_some_and(|asked| {
            asked.host().eq_ignore_ascii_case(&self.host)
                && asked.port_u16().is_none_or(|port| port == self.port)
        })
    }
}

/// What is wrong with a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Objection {
    /// The browser itself says so.
    OtherSite,
    /// Of an old browser, or over http: the two values differ.
    OtherHost,
}

/// Anybody can send any length.
fn shown(value: Option<&str>) -> String {
    value.map_or_else(
        || "nothing".to_owned(),
        |value| {
            // Whatever stands before an `@` may be a password.
            let value = value.rsplit_once('@').map_or(value, |(_, host)| host);
            value.chars().take(MOST_SHOWN).collect()
        },
    )
}

const MOST_SHOWN: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    fn own(public: Option<&str>, trusted: &[&str]) -> OwnOrigins {
        let trusted: Vec<_> = trusted.iter().map(|&text| text.to_owned()).collect();
        OwnOrigins::read(public, &trusted).unwrap()
    }

    fn post(own: &OwnOrigins, site: &str, origin: &str, host: &str) -> Option<Objection> {
        let given = |text: &'static str| (!text.is_empty()).then_some(text);
        let leak = |text: &str| given(Box::leak(text.to_owned().into_boxed_str()));
        let said = Said {
            site: leak(site),
            origin: leak(origin),
            host: leak(host),
        };
        own.objection(&Method::POST, &said)
    }

    #[test]
    fn without_settings_origin_and_host_have_to_be_one() {
        let own = own(None, &[]);
        for (origin, host) in [
            ("https://sal.example.org", "sal.example.org"),
            ("https://sal.example.org", "SAL.example.org:443"),
            ("http://sal.example.org", "sal.example.org:80"),
            ("http://127.0.0.1:8000", "127.0.0.1:8000"),
            ("http://[::1]:8000", "[::1]:8000"),
            // The proxy lost the port.
            ("https://sal.example.org:8443", "sal.example.org"),
            ("http://[2001:db8::1]:8080", "[2001:db8::1]"),
            ("", "sal.example.org"),
        ] {
            assert_eq!(post(&own, "", origin, host), None, "{origin} {host}");
        }
        for (origin, host) in [
            ("https://sal.example.org", "sal.internal"),
            ("https://sal.example.org", "127.0.0.1:8000"),
            ("https://sal.example.org", "sal.example.org:8000"),
            ("https://sal.example.org:8443", "sal.example.org:9443"),
            ("https://evil.example", "sal.example.org"),
            ("https://sal.example.org.evil.example", "sal.example.org"),
            ("null", "sal.example.org"),
            ("file://", "sal.example.org"),
            ("https://sal.example.org", ""),
            ("(not readable)", "(not readable)"),
        ] {
            let objection = post(&own, "", origin, host);
            assert_eq!(objection, Some(Objection::OtherHost), "{origin} {host}");
        }
    }

    #[test]
    fn the_browsers_own_word_goes_before_the_headers() {
        let own = own(None, &["https://portal.example.org"]);
        let host = "sal.internal";
        assert_eq!(
            post(&own, "same-origin", "https://sal.example.org", host),
            None
        );
        assert_eq!(post(&own, "none", "", host), None);
        for site in ["cross-site", "same-site", "something"] {
            let objection = post(&own, site, "https://sal.internal", host);
            assert_eq!(objection, Some(Objection::OtherSite), "{site}");
            assert_eq!(post(&own, site, "", host), Some(Objection::OtherSite));
            assert_eq!(post(&own, site, "https://portal.example.org", host), None);
        }
    }

    #[test]
    fn the_public_address_and_configured_origins_count_however_they_are_written() {
        for (public, trusted, origin) in [
            (
                Some("https://sal.example.org"),
                "",
                "https://sal.example.org",
            ),
            (
                Some("https://SAL.example.org:443/sal/"),
                "",
                "https://sal.example.org",
            ),
            (
                Some("https://sal.example.org:8443/"),
                "",
                "https://sal.example.org:8443",
            ),
            (None, "https://sal.example.org/", "https://sal.example.org"),
            (None, "https://*.example.org", "https://a.b.example.org"),
            (None, "https://*.example.org", "https://example.org"),
        ] {
            let trusted: Vec<_> = Some(trusted)
                .into_iter()
                .filter(|text| !text.is_empty())
                .collect();
            let own = own(public, &trusted);
            assert_eq!(post(&own, "", origin, "10.0.0.7:8000"), None, "{origin}");
            assert_eq!(post(&own, "cross-site", origin, "x"), None, "{origin}");
        }
        let own = own(Some("https://sal.example.org"), &["https://*.corp.example"]);
        for origin in [
            "http://sal.example.org",
            "https://sal.example.org:8443",
            "https://evilcorp.example",
            "http://a.corp.example",
        ] {
            assert!(post(&own, "", origin, "10.0.0.7").is_some(), "{origin}");
        }
        assert!(OwnOrigins::read(None, &["sal.example.org".to_owned()]).is_err());
        assert!(OwnOrigins::read(None, &["ftp://sal.example.org".to_owned()]).is_err());
    }

    #[test]
    fn what_only_reads_is_never_refused() {
        let said = Said {
            site: Some("cross-site"),
            origin: Some("https://evil.example"),
            host: Some("sal.example.org"),
        };
        for (method, is_taken) in [
            (Method::GET, true),
            (Method::HEAD, true),
            (Method::OPTIONS, true),
            (Method::PUT, false),
            (Method::DELETE, false),
            (Method::TRACE, false),
        ] {
            let objection = own(None, &[]).objection(&method, &said);
            assert_eq!(objection.is_none(), is_taken, "{method}");
        }
    }
}
