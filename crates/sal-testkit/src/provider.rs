//! An OpenID Connect provider on a loopback port: describes itself, shows its keys, logs everybody in at once, and
//! checks what a provider checks before it hands out a token. A test says what it does wrong.
#![expect(
    clippy::expect_used,
    reason = "a test that cannot be set up must stop, and say where"
)]

mod endpoints;
mod signing;

use std::collections::HashMap;
use std::error::Error;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use sal_http::outbound::{Call, Outbound, Reply};
use serde_json::{Map, Value, json};
use tokio::task::JoinHandle;

pub use self::signing::Signature;
use self::signing::SigningKey;

/// Our name at the provider.
pub const CLIENT_ID: &str = "sal-server";
/// Our secret there; its odd characters have to be encoded.
pub const CLIENT_SECRET: &str = "s3cret: of+the client%";

/// A running provider. Stops when dropped.
pub struct Provider {
    /// Its name and address.
    pub issuer: String,
    inner: Arc<Inner>,
    serving: JoinHandle<()>,
}

/// What the provider does.
#[derive(Clone)]
pub struct Script {
    /// What it says about whoever logs in.
    pub person: Map<String, Value>,
    /// Claims that replace the right ones; null takes one out.
    pub claims: Map<String, Value>,
    /// How it signs.
    pub signature: Signature,
    /// Error and description that it sends back instead of a code.
    pub denies: Option<(String, String)>,
    /// Whether the state that it sends back is another.
    pub swaps_state: bool,
    /// Entries that replace those of its description.
    pub description: Map<String, Value>,
    /// Whether everything but the login page answers with 500.
    pub is_broken: bool,
    /// What its userinfo endpoint says; none where it has no such endpoint.
    pub userinfo: Option<Value>,
    /// Where the token endpoint redirects to, if it does.
    pub redirects_to: Option<String>,
    /// The time.
    pub now: Timestamp,
}

struct Inner {
    issuer: String,
    script: Mutex<Script>,
    key: Mutex<SigningKey>,
    codes: Mutex<HashMap<String, Granted>>,
    asked: Mutex<Vec<String>>,
}

/// What a code stands for.
struct Granted {
    challenge: String,
    nonce: String,
    redirect_uri: String,
}

impl Provider {
    /// Starts a provider whose only account is `anna`, in no group.
    pub async fn start(now: Timestamp) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a free port");
        let issuer = format!(
            "http://{}/realms/sal",
            listener.local_addr().expect("an address")
        );
        let script = Script {
            person: Map::new(),
            claims: Map::new(),
            signature: Signature::Right,
            denies: None,
            swaps_state: false,
            description: Map::new(),
            is_broken: false,
            userinfo: None,
            redirects_to: None,
            now,
        };
        let inner = Arc::new(Inner {
            issuer: issuer.clone(),
            script: Mutex::new(script),
            key: Mutex::new(SigningKey::new("key-1")),
            codes: Mutex::default(),
            asked: Mutex::default(),
        });
        let router = endpoints::router(Arc::clone(&inner));
        #[expect(
            clippy::disallowed_methods,
            reason = "the handle is kept and aborted on drop"
        )]
        let serving = tokio::spawn(async move {
            // It ends by being aborted.
            let _ended = axum::serve(listener, router).await;
        });
        let provider = Self {
            issuer,
            inner,
            serving,
        };
        provider.person(json!({"sub": "subject-of-anna", "preferred_username": "anna"}));
        provider
    }

    /// Goes away: from now on nobody answers at its address.
    pub async fn stop(&mut self) {
        self.serving.abort();
        // It ends by being aborted, and its listener with it.
        let _ended = (&mut self.serving).await;
    }

    /// Changes what it does.
    pub fn script(&self) -> MutexGuard<'_, Script> {
        locked(&self.inner.script)
    }

    /// Sets whom it logs in.
    pub fn person(&self, claims: Value) {
        self.script().person = object(claims);
    }

    /// Sets what its userinfo endpoint says.
    pub fn userinfo(&self, claims: Value) {
        self.script().userinfo = Some(claims);
    }

    /// Sets claims that replace the right ones.
    pub fn claims(&self, claims: Value) {
        self.script().claims = object(claims);
    }

    /// Takes a new key and forgets the old one.
    pub fn rotate(&self, id: &str) {
        *locked(&self.inner.key) = SigningKey::new(id);
    }

    /// How often a path below the issuer was asked for.
    pub fn times_asked(&self, path: &str) -> usize {
        let asked = locked(&self.inner.asked);
        asked.iter().filter(|asked| *asked == path).count()
    }

    /// Forgets the challenges, so that no verifier is the right one.
    pub fn forget_challenges(&self) {
        for granted in locked(&self.inner.codes).values_mut() {
            granted.challenge.clear();
        }
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Inner {
    fn note(&self, path: &str) {
        locked(&self.asked).push(path.to_owned());
    }
}

/// The way to the provider, for servers under test.
pub struct PlainOutbound(reqwest::Client);

impl PlainOutbound {
    /// A client that follows no redirects.
    pub fn new() -> Self {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("a client");
        Self(client)
    }

    async fn call(&self, call: Call) -> Result<Reply, Box<dyn Error + Send + Sync>> {
        let mut request = match call.form {
            None => self.0.get(&call.url),
            Some(form) => self
                .0
                .post(&call.url)
                .header("content-type", "application/x-www-form-urlencoded")
                .body(form),
        };
        if let Some(authorization) = call.authorization {
            request = request.header("authorization", authorization);
        }
        let response = request.send().await?;
        Ok(Reply {
            status: response.status().as_u16(),
            body: response.bytes().await?.to_vec(),
        })
    }
}

impl Default for PlainOutbound {
    fn default() -> Self {
        Self::new()
    }
}

impl Outbound for PlainOutbound {
    fn send(&self, call: Call) -> BoxFuture<'_, Result<Reply, Box<dyn Error + Send + Sync>>> {
        Box::pin(self.call(call))
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
