//! A lab with what most tests need: a database, its old password user, an IAM user.

use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use rds_lab::{Credential, Lab, LabOptions, Outcome, Reason};

use crate::signer::Token;

pub(crate) const USER: &str = "salawsiam";
pub(crate) const OLD_USER: &str = "sal";
pub(crate) const OLD_PASSWORD: &str = "the old password";

pub(crate) struct Site {
    pub(crate) lab: Lab,
    now: Arc<Mutex<Timestamp>>,
}

impl Site {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut LabOptions)) -> Self {
        let now = Arc::new(Mutex::new("2026-01-02T03:04:05Z".parse().unwrap()));
        let clock = Arc::clone(&now);
        let mut options = LabOptions::new(Arc::new(move || *clock.lock().unwrap()));
        change(&mut options);
        let lab = Lab::start(options).await.unwrap();
        lab.create_password_user(OLD_USER, OLD_PASSWORD)
            .await
            .unwrap();
        lab.create_database("sal", OLD_USER).await.unwrap();
        lab.create_iam_user(USER, &[OLD_USER]).await.unwrap();
        lab.allow_connect("*", "*");
        Self { lab, now }
    }

    pub(crate) fn now(&self) -> Timestamp {
        *self.now.lock().unwrap()
    }

    pub(crate) fn advance(&self, by: SignedDuration) {
        let mut now = self.now.lock().unwrap();
        *now = now.checked_add(by).unwrap();
    }

    /// A right token for the IAM user, to be changed or signed.
    pub(crate) fn token(&self) -> Token {
        self.token_of(self.lab.static_credentials().clone())
    }

    pub(crate) fn token_of(&self, credential: Credential) -> Token {
        Token {
            host: self.lab.endpoint().to_owned(),
            port: self.lab.address().port(),
            region: self.lab.region().to_owned(),
            service: "rds-db".to_owned(),
            action: "connect".to_owned(),
            user: USER.to_owned(),
            at: self.now(),
            expires: "900".to_owned(),
            credential,
        }
    }

    pub(crate) fn last_reason(&self) -> Option<Reason> {
        match self.lab.log().last().unwrap().outcome {
            Outcome::Accepted => None,
            Outcome::Refused(reason) => Some(reason),
        }
    }

    /// Runs SQL as the superuser, behind the gate.
    pub(crate) async fn sql(&self, sql: &str) {
        self.lab.postgres().run_sql("sal", sql).await.unwrap();
    }
}
