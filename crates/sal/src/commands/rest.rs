//! The REST API of a server, asked as any program would: `sal api` and `sal export`.
//!
//! Tokens and keys come from the environment or from files, never from the command line, where every user of the machine
//! reads them; and they go to the server that was named, to no other, whatever it says.

pub(super) mod api;
mod bucket;
pub(super) mod export;
mod proof;
mod target;

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rds_iam::Secret;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Method, RequestBuilder, Response, Url};
use serde_json::Value;

use crate::commands;
use crate::config::Environment;
use crate::exit::Exit;
use crate::output;
use crate::wiring::outbound::{read_up_to, web_authorities};

/// A server and what is shown to it.
struct Server {
    root: Url,
    http: Client,
}

impl Server {
    /// The server of the environment, or an exit code where it does not say enough.
    fn of_environment() -> Result<Result<Self, Exit>> {
        let environment = Environment::read();
        let url = environment.text("SAL_URL");
        let secret = |name: &str| environment.secret(name).map(Secret::new);
        let token = secret("SAL_API_TOKEN");
        let keys = secret("SAL_API_PUBLIC_KEY").zip(secret("SAL_API_PRIVATE_KEY"));
        if let Err(exit) = commands::checked(environment) {
            return Ok(Err(exit));
        }
        let Some(url) = url else {
            output::problem(
                "SAL_URL is not set; give the server's address, such as https://sal.example.org",
            );
            return Ok(Err(Exit::Usage));
        };
        let Some(headers) = shown(token.as_ref(), keys.as_ref())? else {
            output::problem(
                "no token and no key; set SAL_API_TOKEN, or SAL_API_PUBLIC_KEY and SAL_API_PRIVATE_KEY (each also as …_FILE)",
            );
            return Ok(Err(Exit::Usage));
        };
        Ok(Ok(Self {
            root: root(&url)?,
            http: client(headers)?,
        }))
    }

    /// An address below `/api/v2/`, with a slash at its end.
    fn address(&self, path: &str) -> Result<Url> {
        let path = path.trim_start_matches('/');
        let path = path.strip_prefix("api/v2").unwrap_or(path);
        let path = path.trim_start_matches('/').trim_end_matches('/');
        ensure!(
            !path.contains(['?', '#']) && !path.split('/').any(|part| part == ".."),
            "`{path}` is no path; write parameters as name=value behind it"
        );
        let end = if path.is_empty() { "" } else { "/" };
        let url = self.root.join(&format!("{path}{end}"));
        url.with_context(|| format!("`{path}` is no path"))
    }

    fn request(&self, method: Method, url: Url) -> Result<RequestBuilder> {
        ensure!(
            url.origin() == self.root.origin(),
            "{} sends on to another server, {}; set SAL_PUBLIC_URL there, or SAL_URL here",
            self.root.origin().ascii_serialization(),
            url.origin().ascii_serialization()
        );
        Ok(self.http.request(method, url))
    }
}

/// Where the API of a server is.
fn root(address: &str) -> Result<Url> {
    let wrong =
        || format!("SAL_URL `{address}` is no address; write it as https://sal.example.org");
    let mut root = Url::parse(address).with_context(wrong)?;
    ensure!(
        matches!(root.scheme(), "http" | "https") && root.has_host(),
        wrong()
    );
    ensure!(
        root.username().is_empty() && root.password().is_none(),
        "SAL_URL has a user or a password in it; write it without"
    );
    root.set_query(None);
    root.set_fragment(None);
    let path = root
        .path()
        .trim_end_matches('/')
        .trim_end_matches("/api/v2");
    root.set_path(&format!("{path}/api/v2/"));
    Ok(root)
}

/// The headers that say who asks.
fn shown(token: Option<&Secret>, keys: Option<&(Secret, Secret)>) -> Result<Option<HeaderMap>> {
    let value = |text: &str, name: &str| {
        let mut value = HeaderValue::from_str(text.trim()).map_err(|_invalid| {
            anyhow::anyhow!("{name} has characters that no token or key has")
        })?;
        value.set_sensitive(true);
        Ok::<_, anyhow::Error>(value)
    };
    let mut headers = HeaderMap::new();
    match (token, keys) {
        (Some(token), _) => {
            let bearer = format!("Bearer {}", token.expose().trim());
            headers.insert(AUTHORIZATION, value(&bearer, "SAL_API_TOKEN")?);
        }
        (None, Some((public, private))) => {
            headers.insert("publickey", value(public.expose(), "SAL_API_PUBLIC_KEY")?);
            headers.insert(
                "privatekey",
                value(private.expose(), "SAL_API_PRIVATE_KEY")?,
            );
        }
        (None, None) => return Ok(None),
    }
    Ok(Some(headers))
}

fn client(headers: HeaderMap) -> Result<Client> {
    let authorities = web_authorities();
    let known = authorities
        .iter()
        .filter_map(|one| Certificate::from_der(one).ok());
    Client::builder()
        .redirect(Policy::none())
        .connect_timeout(Duration::from_secs(10))
        // Between two parts of an answer: a list may take long, a silent server may not.
        .read_timeout(Duration::from_secs(120))
        .default_headers(headers)
        .user_agent("sal api")
        .tls_certs_only(known)
        .build()
        .context("setting up an HTTP client")
}

/// What went wrong, in the words of the server.
async fn refusal(what: &str, answer: Response) -> String {
    let status = answer.status();
    let to = answer
        .headers()
        .get("location")
        .and_then(|to| to.to_str().ok());
    let to = to.map(|to| format!("; it is at {to}")).unwrap_or_default();
    let body = read_up_to(LONGEST_REFUSAL, answer)
        .await
        .unwrap_or_default();
    let body = String::from_utf8_lossy(&body);
    let detail = serde_json::from_str(&body)
        .ok()
        .and_then(|body: Value| Some(body.get("detail")?.as_str()?.to_owned()));
    let said = detail.unwrap_or_else(|| body.trim().to_owned());
    format!("{what} answered {}{to}: {said}", status.as_u16())
}

const LONGEST_REFUSAL: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn server(url: &str) -> Server {
        Server {
            root: root(url).unwrap(),
            http: client(HeaderMap::new()).unwrap(),
        }
    }

    #[test]
    fn paths_are_below_the_api_whatever_is_in_front() {
        for (url, path, address) in [
            (
                "https://sal.example.org",
                "machines",
                "https://sal.example.org/api/v2/machines/",
            ),
            (
                "https://sal.example.org/api/v2/",
                "/api/v2/machines/C02/",
                "https://sal.example.org/api/v2/machines/C02/",
            ),
            (
                "http://h:8000/sal/",
                "saved_searches/7/execute",
                "http://h:8000/sal/api/v2/saved_searches/7/execute/",
            ),
            ("http://h", "", "http://h/api/v2/"),
        ] {
            assert_eq!(server(url).address(path).unwrap().as_str(), address);
        }
        for path in ["machines/../../x", "machines?page=2", "a#b"] {
            assert!(server("http://h").address(path).is_err(), "{path}");
        }
        for url in ["sal.example.org", "ftp://h", "https://u:p@h", ""] {
            assert!(root(url).is_err(), "{url}");
        }
    }

    #[test]
    fn nothing_is_shown_to_another_server() {
        let elsewhere = Url::parse("https://evil.example/api/v2/machines/").unwrap();
        let refused = server("https://sal.example.org").request(Method::GET, elsewhere);
        assert!(
            refused
                .unwrap_err()
                .to_string()
                .contains("another server, https://evil.example")
        );
    }

    #[test]
    fn a_token_goes_before_keys_and_a_broken_one_is_not_repeated() {
        let secret = |text: &str| Secret::new(text.to_owned());
        let keys = (secret("a"), secret("b"));
        let both = shown(Some(&secret("sal_x\n")), Some(&keys))
            .unwrap()
            .unwrap();
        assert_eq!(both.len(), 1);
        assert!(both["authorization"].is_sensitive());
        assert_eq!(shown(None, Some(&keys)).unwrap().unwrap().len(), 2);
        assert!(shown(None, None).unwrap().is_none());
        let broken = shown(Some(&secret("sal\u{1}secret")), None).unwrap_err();
        assert!(!format!("{broken:#}").contains("secret"));
    }
}
