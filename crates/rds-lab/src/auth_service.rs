//! Decides about an IAM login: limit, health, token, policy; and writes it down.
//!
//! What `rdsauthproxy` and the service behind it do on RDS. The client learns yes or no; the
//! reason goes to the record only.

use std::net::IpAddr;
use std::sync::Arc;

use tokio::time::Instant;

use crate::clock::LabClock;
use crate::credentials::{Credentials, Identity};
use crate::directory::{Decision, Directory};
use crate::faults::{AuthHealth, Faults, PolicyFault};
use crate::policy::Policy;
use crate::rate::Rate;
use crate::record::{AuthEvent, Outcome, Reason, Record};
use crate::verify::token::{self, EndpointKind, Expected, Refusal};

/// Everything an IAM login is judged by.
pub(crate) struct AuthService {
    pub(crate) host: String,
    pub(crate) region: String,
    pub(crate) endpoint: EndpointKind,
    pub(crate) clock: LabClock,
    pub(crate) credentials: Arc<Credentials>,
    pub(crate) policy: Arc<Policy>,
    /// `arn:aws:rds-db:…:dbuser:RESOURCE/` of whatever judges here: the database, or its proxy.
    pub(crate) resource_prefix: String,
    pub(crate) faults: Faults,
    pub(crate) record: Arc<Record>,
    pub(crate) directory: Arc<Directory>,
    pub(crate) rate: Arc<Rate>,
}

/// Where a login came in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Door {
    pub(crate) peer: IpAddr,
    /// The port the token must be signed for.
    pub(crate) port: u16,
}

impl AuthService {
    /// Judges the token that `user` sent as a password, and records the outcome.
    pub(crate) fn decide(&self, user: &[u8], token: &[u8], door: Door) -> Outcome {
        let shown_user = String::from_utf8_lossy(user).into_owned();
        let judged = self.judge(user, &shown_user, token, door.port);
        let (outcome, identity, detail) = match judged {
            Ok(identity) => (Outcome::Accepted, Some(identity), String::new()),
            Err(refusal) => {
                let detail = refusal.detail.to_owned();
                (Outcome::Refused(refusal.reason), refusal.identity, detail)
            }
        };
        let event = AuthEvent {
            at: self.clock.now(),
            user: shown_user,
            peer: door.peer,
            caller: identity.map(|identity| identity.caller),
            token_bytes: token.len(),
            outcome,
            detail,
        };
        if let Some(line) = event.error_line() {
            tracing::info!("iam-db-auth-error: {line}");
        }
        self.record.note(event);
        outcome
    }

    /// Whether a proxy's role may log in to the database behind it.
    pub(crate) fn may_connect_behind(&self, role: &Identity, user: &str) -> bool {
        self.allows(role, &self.policy.resource(user))
    }

    fn allows(&self, identity: &Identity, resource: &str) -> bool {
        match self
            .directory
            .decide(identity, "rds-db:connect", resource, &[])
        {
            Decision::Allowed => true,
            Decision::ImplicitDeny => self.policy.allows(identity, resource),
            Decision::ExplicitDeny => false,
        }
    }

    fn judge(
        &self,
        user: &[u8],
        shown_user: &str,
        token: &[u8],
        port: u16,
    ) -> Result<Identity, Refusal> {
        let recent = self.rate.count(Instant::now());
        let limited = recent > self.faults.login_limit();
        match self.faults.auth() {
            AuthHealth::Healthy if !limited => {}
            AuthHealth::Healthy | AuthHealth::Throttling => {
                return Err(refusal(
                    Reason::ThrottlingException,
                    "too many logins",
                    None,
                ));
            }
            AuthHealth::Unavailable => {
                return Err(refusal(
                    Reason::InternalError,
                    "the service answered 503",
                    None,
                ));
            }
        }
        let text = std::str::from_utf8(token)
            .map_err(|_not_text| refusal(Reason::InvalidToken, "the token is not text", None))?;
        let expected = Expected {
            host: &self.host,
            port,
            region: &self.region,
            user,
            endpoint: self.endpoint,
            now: self.clock.now(),
        };
        let identity = token::judge(text, &expected, |key| self.credentials.find(key))?;
        let denied = self.faults.policy() == PolicyFault::DenyAll;
        let resource = format!("{}{shown_user}", self.resource_prefix);
        let allowed = self.allows(&identity, &resource);
        if denied || !allowed {
            let detail = "no policy allows it";
            return Err(refusal(Reason::NotAuthorized, detail, Some(identity)));
        }
        Ok(identity)
    }
}

fn refusal(reason: Reason, detail: &'static str, identity: Option<Identity>) -> Refusal {
    Refusal {
        reason,
        detail,
        identity,
    }
}
