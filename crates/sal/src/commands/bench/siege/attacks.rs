//! What is done to the server, each by itself.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use fake_fleet::{Client, Submission, Yardstick, hostile};
use reqwest::header::{COOKIE, SET_COOKIE};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::super::stage::{PASSWORD, Stage};

/// The phases of the siege, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attack {
    /// None: what the others are compared with.
    Calm,
    /// Two hundred people look at overviews and lists.
    Viewers,
    /// Five hundred bodies come a byte at a time.
    SlowBodies,
    /// A thousand connections say nothing.
    Silent,
    /// A hundred wrong logins at once, again and again.
    Logins,
    /// Check-ins of five megabytes with one key.
    Bulky,
    /// Inventories of a few kilobytes that unpack to the limit.
    Bombs,
    /// Check-ins that are hung up in the middle, and one of five megabytes.
    HungUp,
    /// Somebody locks the table of machines.
    Locked,
    /// Viewers, slow bodies, silence, logins and bulky check-ins together.
    All,
}

/// What is attacked, and what it answered.
pub(super) struct Target {
    http: reqwest::Client,
    url: String,
    address: String,
    /// Whoever has the key.
    client: Client,
    key: String,
    cookies: Vec<String>,
    locker: tokio_postgres::Client,
    bulky: Submission,
    bomb: Submission,
    answers: Mutex<BTreeMap<String, u32>>,
    /// Where readiness is asked.
    pub(super) status_url: String,
}

impl Attack {
    pub(super) const ALL: [Self; 10] = [
        Self::Calm,
        Self::Viewers,
        Self::SlowBodies,
        Self::Silent,
        Self::Logins,
        Self::Bulky,
        Self::Bombs,
        Self::HungUp,
        Self::Locked,
        Self::All,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Calm => "calm",
            Self::Viewers => "viewers",
            Self::SlowBodies => "slow-bodies",
            Self::Silent => "silent",
            Self::Logins => "logins",
            Self::Bulky => "bulky",
            Self::Bombs => "bombs",
            Self::HungUp => "hung-up",
            Self::Locked => "locked",
            Self::All => "all",
        }
    }

    /// Begins; the attackers end soon after `stop`.
    pub(super) async fn begin(
        self,
        target: &Arc<Target>,
        stop: &CancellationToken,
    ) -> Result<TaskTracker> {
        let tasks = TaskTracker::new();
        if self == Self::Locked {
            let lock = "BEGIN; LOCK TABLE server_machine";
            target.locker.batch_execute(lock).await.context("locking")?;
            let (target, stop) = (Arc::clone(target), stop.clone());
            tasks.spawn(async move {
                stop.cancelled().await;
                let _ = target.locker.batch_execute("ROLLBACK").await;
            });
        }
        for (attack, count) in self.parts() {
            for number in 0..*count {
                let target = Arc::clone(target);
                let attacker = async move {
                    loop {
                        target.once(*attack, number).await;
                    }
                };
                tasks.spawn(stop.clone().run_until_cancelled_owned(attacker));
            }
        }
        Ok(tasks)
    }

    /// Which attackers there are, and how many of each.
    fn parts(self) -> &'static [(Self, usize)] {
        match self {
            Self::Calm => &[],
            Self::Viewers | Self::Locked => &[(Self::Viewers, 200)],
            Self::SlowBodies => &[(Self::SlowBodies, 500)],
            Self::Silent => &[(Self::Silent, 1000)],
            Self::Logins => &[(Self::Logins, 100)],
            Self::Bulky => &[(Self::Bulky, 30)],
            Self::Bombs => &[(Self::Bombs, 8)],
            Self::HungUp => &[(Self::HungUp, 112), (Self::Bulky, 1)],
            Self::All => &[
                (Self::Viewers, 200),
                (Self::SlowBodies, 500),
                (Self::Silent, 1000),
                (Self::Logins, 100),
                (Self::Bulky, 4),
            ],
        }
    }
}

impl Target {
    /// Two hundred people with sessions, and the bodies.
    pub(super) async fn prepare(
        stage: &Stage,
        admin: &tokio_postgres::Client,
    ) -> Result<Arc<Self>> {
        admin.batch_execute(PEOPLE).await.context("making people")?;
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(40))
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .context("an HTTP client")?;
        let mut cookies = Vec::new();
        for number in 0..PEOPLE_COUNT {
            let form = [
                ("username", format!("person{number}")),
                ("password", PASSWORD.to_owned()),
            ];
            let answer = http
                .post(format!("{}/login/", stage.url))
                .form(&form)
                .send()
                .await
                .context("logging in")?;
            let cookie = answer
                .headers()
                .get(SET_COOKIE)
                .and_then(|value| value.to_str().ok());
            let cookie = cookie.and_then(|value| value.split(';').next());
            cookies.push(cookie.context("a session")?.to_owned());
        }
        Ok(Arc::new(Self {
            http,
            address: stage.url.trim_start_matches("http://").to_owned(),
            url: stage.url.clone(),
            status_url: stage.status_url.clone(),
            client: Client::new(&stage.url, &stage.key, Duration::from_secs(40))
                .context("a client")?,
            cookies,
            locker: stage.connect().await?,
            // Just below the limit on bodies.
            key: stage.key.clone(),
            bulky: hostile::bulky_checkin("C02BULKY", 48_000, &stage.key),
            bomb: hostile::unpacking_inventory("C02BULKY", 31_000_000),
            answers: Mutex::default(),
        }))
    }

    /// What was heard since the last time, as `200 x 17`.
    pub(super) fn take_answers(&self) -> String {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let words: Vec<String> = std::mem::take(&mut *answers)
            .iter()
            .map(|(status, count)| format!("{status} x {count}"))
            .collect();
        words.join(", ")
    }

    fn note(&self, status: Option<u16>) {
        let word = status.map_or("no answer".to_owned(), |status| status.to_string());
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        *answers.entry(word).or_default() += 1;
    }

    /// One go of one attacker.
    async fn once(&self, attack: Attack, number: usize) {
        match attack {
            Attack::Viewers => {
                let cookie = self.cookies.get(number % self.cookies.len().max(1));
                let path = if number.is_multiple_of(2) {
                    "/"
                } else {
                    "/machines/"
                };
                let page = self.http.get(format!("{}{path}", self.url));
                let page = page.header(COOKIE, cookie.map_or("", String::as_str));
                self.note(
                    page.send()
                        .await
                        .ok()
                        .map(|answer| answer.status().as_u16()),
                );
                // A person looks at it.
                tokio::time::sleep(Duration::from_secs(2)).await;
            }
            Attack::SlowBodies => self.slowly().await,
            Attack::Silent => {
                if let Ok(stream) = TcpStream::connect(&self.address).await {
                    let mut end = [0; 1];
                    // Until the server closes.
                    let _ = stream.readable().await;
                    let _ = stream.try_read(&mut end);
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            Attack::Logins => {
                let form = [("username", "person0"), ("password", "wrong")];
                let login = self.http.post(format!("{}/login/", self.url)).form(&form);
                self.note(
                    login
                        .send()
                        .await
                        .ok()
                        .map(|answer| answer.status().as_u16()),
                );
            }
            Attack::Bulky => {
                let sent = self.client.submit(&self.bulky).await;
                self.note(sent.map(|outcome| outcome.status).ok());
            }
            Attack::Bombs => {
                let sent = self.client.submit(&self.bomb).await;
                self.note(sent.map(|outcome| outcome.status).ok());
            }
            Attack::HungUp => {
                let machine = u32::try_from(number).unwrap_or(0);
                let body = Yardstick::new(100_000 + machine, 1, true).submission(&self.key);
                let sent = self.client.submit(&body);
                // Sometimes before the statements, sometimes in the middle of them.
                let patience = Duration::from_millis(u64::from(machine % 20) + 1);
                let _ = tokio::time::timeout(patience, sent).await;
            }
            Attack::Calm | Attack::Locked | Attack::All => {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }

    /// The head of a login, and then a byte every second.
    async fn slowly(&self) {
        let Ok(mut stream) = TcpStream::connect(&self.address).await else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            return;
        };
        let head = "POST /login/ HTTP/1.1\r\nHost: sal\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 16000\r\n\r\n";
        let mut going = stream.write_all(head.as_bytes()).await;
        while going.is_ok() {
            tokio::time::sleep(Duration::from_secs(1)).await;
            going = stream.write_all(b"a").await;
        }
    }
}

const PEOPLE_COUNT: usize = 200;
/// Copies of the first user.
const PEOPLE: &str = "
    INSERT INTO auth_user (username, password, is_superuser, is_staff, is_active, first_name, last_name, email, date_joined)
    SELECT 'person' || number, password, true, false, true, '', '', '', now() FROM auth_user, generate_series(0, 199) number WHERE username = 'admin';
    INSERT INTO server_userprofile (user_id, level) SELECT id, 'GA' FROM auth_user WHERE username LIKE 'person%'
    ON CONFLICT (user_id) DO UPDATE SET level = 'GA'";
