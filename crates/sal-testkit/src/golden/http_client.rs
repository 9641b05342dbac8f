//! The plainest HTTP/1.1 client: sends paths as they stand, follows nothing, keeps cookies.
//!
//! Not `reqwest`: its URLs resolve `..` and `%2e%2e` before sending, and some steps are
//! about just these.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::header::{COOKIE, HeaderMap, HeaderName, HeaderValue, SET_COOKIE};
use http::{Method, Request, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use super::GoldenError;
use super::values::{csrf_token, form_body};

/// How long a server may take for an answer.
const TIMEOUT: Duration = Duration::from_secs(120);

/// A client with one cookie jar per session.
pub(super) struct HttpClient {
    http: Client<HttpConnector, Full<Bytes>>,
    /// `http://host:port`.
    base: String,
    host: String,
    sessions: BTreeMap<String, BTreeMap<String, String>>,
}

/// A request as it goes out; a body of `None` has no length either.
pub(super) struct Outgoing<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Option<Vec<u8>>,
    pub(super) session: Option<&'a str>,
}

/// An answer; status 0 when there was none.
#[derive(Debug, Default)]
pub(super) struct Incoming {
    pub(super) status: u16,
    /// Lower-case names; of a repeated header the last.
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Vec<u8>,
}

impl HttpClient {
    pub(super) fn new(base_url: &str) -> Result<Self, GoldenError> {
        let base = base_url.trim_end_matches('/');
        let host = base
            .strip_prefix("http://")
            .filter(|host| !host.is_empty() && !host.contains('/'));
        let host = host.ok_or_else(|| GoldenError::Address(base_url.to_owned()))?;
        // A new connection per request, as the recorder had it.
        let http = Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(0)
            .build_http();
        Ok(Self {
            http,
            base: base.to_owned(),
            host: host.to_owned(),
            sessions: BTreeMap::new(),
        })
    }

    /// The server's address, and its `host:port`.
    pub(super) fn base(&self) -> (&str, &str) {
        (&self.base, &self.host)
    }

    /// A cookie of a session.
    pub(super) fn cookie(&self, session: &str, name: &str) -> Option<&str> {
        self.sessions.get(session)?.get(name).map(String::as_str)
    }

    /// Logs a user in with the form of the login page.
    pub(super) async fn log_in(&mut self, user: &str, password: &str) {
        self.sessions.insert(user.to_owned(), BTreeMap::new());
        let page = self.send(Outgoing::get("/login/", Some(user))).await;
        let mut fields: Vec<(String, String)> =
            [("username", user), ("password", password), ("next", "/")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into();
        if let Some(token) = csrf_token(&String::from_utf8_lossy(&page.body)) {
            fields.push(("csrfmiddlewaretoken".to_owned(), token));
        }
        let headers = BTreeMap::from([
            (
                "Content-Type".to_owned(),
                "application/x-www-form-urlencoded".to_owned(),
            ),
            ("Referer".to_owned(), format!("{}/login/", self.base)),
        ]);
        let body = Some(form_body(&fields).into_bytes());
        self.send(Outgoing {
            method: "POST",
            path: "/login/",
            headers,
            body,
            session: Some(user),
        })
        .await;
    }

    /// Sends a request. A failure is an answer too: status 0, and why in `x-harness-error`.
    pub(super) async fn send(&mut self, request: Outgoing<'_>) -> Incoming {
        let session = request.session.map(str::to_owned);
        match self.exchange(request).await {
            Ok((incoming, cookies)) => {
                if let Some(session) = session {
                    self.keep(&session, &cookies);
                }
                incoming
            }
            Err(problem) => Incoming {
                headers: BTreeMap::from([("x-harness-error".to_owned(), problem)]),
                ..Incoming::default()
            },
        }
    }

    async fn exchange(&self, request: Outgoing<'_>) -> Result<(Incoming, Vec<String>), String> {
        let uri: Uri = format!("{}{}", self.base, request.path)
            .parse()
            .map_err(|e| format!("{e}"))?;
        let method = Method::from_bytes(request.method.as_bytes()).map_err(|e| format!("{e}"))?;
        let mut outgoing = Request::new(Full::new(Bytes::from(request.body.unwrap_or_default())));
        *outgoing.method_mut() = method;
        *outgoing.uri_mut() = uri;
        *outgoing.headers_mut() = headers(&request.headers)?;
        let cookies = request
            .session
            .and_then(|session| self.sessions.get(session));
        if let Some(cookies) = cookies.filter(|cookies| !cookies.is_empty()) {
            let pairs: Vec<String> = cookies
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            let value = HeaderValue::from_str(&pairs.join("; ")).map_err(|e| format!("{e}"))?;
            outgoing.headers_mut().entry(COOKIE).or_insert(value);
        }
        let answer = async {
            let answer = self
                .http
                .request(outgoing)
                .await
                .map_err(|e| format!("{e}"))?;
            let (head, body) = answer.into_parts();
            let body = body
                .collect()
                .await
                .map_err(|e| format!("{e}"))?
                .to_bytes()
                .to_vec();
            Ok((head, body))
        };
        let answer: Result<_, String> = tokio::time::timeout(TIMEOUT, answer)
            .await
            .map_err(|e| format!("{e}"))?;
        let (head, body) = answer?;
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let cookies = head.headers.get_all(SET_COOKIE).iter().map(text).collect();
        let headers = head
            .headers
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), text(value)))
            .collect();
        Ok((
            Incoming {
                status: head.status.as_u16(),
                headers,
                body,
            },
            cookies,
        ))
    }

    fn keep(&mut self, session: &str, cookies: &[String]) {
        let jar = self.sessions.entry(session.to_owned()).or_default();
        for cookie in cookies {
            let pair = cookie.split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            if matches!(value, "" | "\"\"") || cookie.to_lowercase().contains("max-age=0") {
                jar.remove(name);
            } else {
                jar.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

impl<'a> Outgoing<'a> {
    pub(super) fn get(path: &'a str, session: Option<&'a str>) -> Self {
        Self {
            method: "GET",
            path,
            headers: BTreeMap::new(),
            body: None,
            session,
        }
    }
}

/// Headers as Python sends them: text in Latin-1.
fn headers(headers: &BTreeMap<String, String>) -> Result<HeaderMap, String> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|e| format!("{e}"))?;
        let bytes: Result<Vec<u8>, _> = value.chars().map(u8::try_from).collect();
        let bytes = bytes.map_err(|e| format!("{e}"))?;
        map.append(
            name,
            HeaderValue::from_bytes(&bytes).map_err(|e| format!("{e}"))?,
        );
    }
    Ok(map)
}
