//! The credentials of the lab's AWS account: who holds which key, and until when.
//!
//! One table for everyone: the stand-ins issue into it, the judges look up in it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use rand::distr::{Alphanumeric, SampleString};

/// Who a key belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The ARN that policies are attached to: a user or a role.
    pub principal: String,
    /// The ARN that `GetCallerIdentity` and the logs name: for a role, its session.
    pub caller: String,
}

/// A key as its owner holds it; secrets do not print.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    /// `AKIA…` for a user's key, `ASIA…` for temporary ones.
    pub access_key_id: String,
    /// The secret key.
    pub secret_access_key: String,
    /// Present for temporary credentials.
    pub session_token: Option<String>,
    /// When temporary credentials end.
    pub expires: Option<Timestamp>,
    /// Whose key it is.
    pub identity: Identity,
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credential")
            .field("access_key_id", &self.access_key_id)
            .field("secret_access_key", &"***")
            .field("session_token", &self.session_token.as_ref().map(|_| "***"))
            .field("expires", &self.expires)
            .field("identity", &self.identity)
            .finish()
    }
}

/// Every key that was ever issued.
#[derive(Debug, Default)]
pub(crate) struct Credentials(Mutex<HashMap<String, Credential>>);

impl Credentials {
    /// Issues a user's key, which never expires.
    pub(crate) fn issue_static(&self, identity: Identity) -> Credential {
        self.insert(Credential {
            access_key_id: format!("AKIA{}", upper(16)),
            secret_access_key: random(40),
            session_token: None,
            expires: None,
            identity,
        })
    }

    /// Issues temporary credentials; the session token has a length as AWS's have.
    pub(crate) fn issue_temporary(&self, identity: Identity, expires: Timestamp) -> Credential {
        self.insert(Credential {
            access_key_id: format!("ASIA{}", upper(16)),
            secret_access_key: random(40),
            session_token: Some(format!("IQoJb3JpZ2luX2Vj+/{}==", random(1_000))),
            expires: Some(expires),
            identity,
        })
    }

    /// Makes a key that was made elsewhere known.
    pub(crate) fn insert(&self, credential: Credential) -> Credential {
        let key = credential.access_key_id.clone();
        self.table(|table| table.insert(key, credential.clone()));
        credential
    }

    pub(crate) fn find(&self, access_key_id: &str) -> Option<Credential> {
        self.table(|table| table.get(access_key_id).cloned())
    }

    /// Ends all temporary credentials that are alive at `now`.
    pub(crate) fn expire_all(&self, now: Timestamp) {
        self.table(|table| {
            for credential in table.values_mut() {
                credential.expires = credential.expires.map(|expires| expires.min(now));
            }
        });
    }

    fn table<T>(&self, use_it: impl FnOnce(&mut HashMap<String, Credential>) -> T) -> T {
        use_it(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Random letters and digits from the thread's generator.
pub(crate) fn random(length: usize) -> String {
    Alphanumeric.sample_string(&mut rand::rng(), length)
}

fn upper(length: usize) -> String {
    random(length).to_ascii_uppercase()
}
