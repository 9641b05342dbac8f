//! One of the two servers, asked as a browser or a client asks it.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rds_iam::Secret;
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Method, RequestBuilder, Response, StatusCode, Url, header};

use crate::wiring::outbound::{read_up_to, web_authorities};

/// The original may take long over a list of ten thousand machines.
const PATIENCE: Duration = Duration::from_secs(120);

/// A server, and the cookies it gave.
pub(super) struct Side {
    pub(super) name: &'static str,
    base: Url,
    http: Client,
    cookies: Mutex<BTreeMap<String, String>>,
}

/// What a server said.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: String,
}

impl Side {
    pub(super) fn new(name: &'static str, address: &str) -> Result<Self> {
        let wrong = || {
            format!(
                "`{address}` is not the address of a server; write it as https://sal.example.org"
            )
        };
        let mut base = Url::parse(address).with_context(wrong)?;
        ensure!(
            matches!(base.scheme(), "http" | "https") && base.has_host(),
            wrong()
        );
        ensure!(
            base.username().is_empty() && base.password().is_none(),
            "an address with a user or a password in it is refused; write it without"
        );
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        let authorities = web_authorities();
        let known = authorities
            .iter()
            .filter_map(|one| Certificate::from_der(one).ok());
        let http = Client::builder()
            .redirect(Policy::none())
            .timeout(PATIENCE)
            .user_agent("sal compare")
            .tls_certs_only(known)
            .build()
            .context("setting up an HTTP client")?;
        Ok(Self {
            name,
            base,
            http,
            cookies: Mutex::default(),
        })
    }

    /// A request to a path that is written as it goes over the wire.
    pub(super) fn request(&self, method: Method, path: &str) -> Result<RequestBuilder> {
        let url = self
            .base
            .join(path)
            .with_context(|| format!("`{path}` is no path"))?;
        let request = self.http.request(method, url);
        let cookies = self
            .cookies
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let pairs: Vec<_> = cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        Ok(match pairs.is_empty() {
            true => request,
            false => request.header(header::COOKIE, pairs.join("; ")),
        })
    }

    /// Sends a request, keeps the cookies, and reads the answer.
    pub(super) async fn ask(&self, request: RequestBuilder) -> Result<Answer> {
        let answer = request.send().await.map_err(reqwest::Error::without_url);
        let answer = answer
            .with_context(|| format!("the {} server, {}, does not answer", self.name, self.base))?;
        self.keep_cookies(&answer);
        let status = answer.status();
        let body = read_up_to(LARGEST_BYTES, answer)
            .await
            .with_context(|| format!("reading the answer of the {} server", self.name))?;
        let body = String::from_utf8_lossy(&body).into_owned();
        Ok(Answer { status, body })
    }

    /// A page.
    pub(super) async fn page(&self, path: &str) -> Result<Answer> {
        self.ask(self.request(Method::GET, path)?).await
    }

    fn keep_cookies(&self, answer: &Response) {
        let mut cookies = self
            .cookies
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let set = answer.headers().get_all(header::SET_COOKIE);
        for text in set.iter().filter_map(|value| value.to_str().ok()) {
            let pair = text.split(';').next().unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=') {
                cookies.insert(name.trim().to_owned(), value.trim().to_owned());
            }
        }
    }

    /// Logs in by the form, as either server has it.
    pub(super) async fn log_in(&self, user: &str, password: &Secret) -> Result<()> {
        let form = self.page("login/").await?;
        // A password goes to the server that was named, and to no other.
        ensure!(
            form.status.is_success(),
            "the {} server answered {} for its login page; give the address that it is really at",
            self.name,
            form.status.as_u16()
        );
        let token = form
            .body
            .split("name=\"csrfmiddlewaretoken\" value=\"")
            .nth(1);
        let token = token
            .and_then(|rest| rest.split('"').next())
            .unwrap_or_default();
        let url = self.base.join("login/")?;
        let fields = [
            ("username", user),
            ("password", password.expose()),
            ("csrfmiddlewaretoken", token),
        ];
        let request = self
            .request(Method::POST, "login/")?
            .header(header::ORIGIN, self.base.origin().ascii_serialization())
            .header(header::REFERER, url.as_str())
            .form(&fields);
        let answer = self.ask(request).await?;
        if !answer.status.is_redirection() {
            bail!(
                "the {} server did not let `{user}` in (it answered {}); the user and SAL_COMPARE_PASS must be the same at both",
                self.name,
                answer.status.as_u16()
            );
        }
        Ok(())
    }
}

/// Serial numbers of some machines, from the list that any user may have.
pub(super) async fn serials(side: &Side, most: usize) -> Result<Vec<String>> {
    let answer = side.page("csv/Status/all_machines/all/0/").await?;
    if !answer.status.is_success() {
        // Without a login, none.
        return Ok(Vec::new());
    }
    let rows = super::widgets::rows(&answer.body);
    // Others would be a matter of how each server cleans them.
    let is_plain = |serial: &String| {
        serial.len() > 3
            && serial
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    Ok(rows.into_keys().filter(is_plain).take(most).collect())
}

/// The list of 100,000 machines has some 30 MB.
const LARGEST_BYTES: usize = 256 * 1024 * 1024;

/// As a browser writes a part of an address.
pub(super) fn escaped(text: &str) -> String {
    utf8_percent_encode(text, BEYOND_A_SEGMENT).to_string()
}

/// All but what RFC 3986 lets a segment of a path have (3.3, `pchar`).
const BEYOND_A_SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=')
    .remove(b':')
    .remove(b'@');
