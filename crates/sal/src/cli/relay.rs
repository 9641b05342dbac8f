//! `sal relay`: a local Postgres port or socket whose clients are logged in with IAM.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;

/// What is to be checked, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Check {
    /// Once, instead of serving.
    Once,
    /// While serving, so often.
    Every(Duration),
    /// Once; what follows the flag is a door.
    OnceAt(String),
}

impl FromStr for Check {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text.parse() {
            Ok(0) => Self::Once,
            Ok(seconds) => Self::Every(Duration::from_secs(seconds)),
            Err(_not_a_number) => Self::OnceAt(text.to_owned()),
        })
    }
}

impl Relay {
    /// What follows `--check` and is no number is a door.
    pub(crate) fn sorted(mut self) -> Self {
        if let Some(Check::OnceAt(door)) = &self.check {
            self.doors.insert(0, door.clone());
            self.check = Some(Check::Once);
        }
        self
    }

    /// Whether it only logs in once, and ends.
    pub(crate) fn checks_once(&self) -> bool {
        self.check == Some(Check::Once)
    }
}

/// `sal relay`.
#[derive(Debug, Args)]
pub(crate) struct Relay {
    /// Where to listen, and what is behind it: [LOCAL=]HOST[:PORT], LOCAL being ADDRESS:PORT or unix:FOLDER. By default
    /// 127.0.0.1:6432 leads to DB_HOST. May be given several times.
    pub(crate) doors: Vec<String>,
    /// The Postgres user to log in as. By default DB_USER.
    #[arg(long)]
    pub(crate) user: Option<String>,
    /// The region to sign for. By default that of each endpoint's name.
    #[arg(long)]
    pub(crate) region: Option<String>,
    /// The most sessions at once, of all doors.
    #[arg(long, default_value_t = 100)]
    pub(crate) max_connections: usize,
    /// The most clients at each door that have connected and not said yet who they are. Beyond it, the one that has been
    /// silent longest goes.
    #[arg(long, default_value_t = 200)]
    pub(crate) max_waiting: usize,
    /// The most of these from one address, so that one address cannot block a door for others.
    #[arg(long, default_value_t = 50)]
    pub(crate) max_waiting_per_address: usize,
    /// Seconds from a client's connection until it has to have said who it is, password included.
    #[arg(long, default_value_t = 15)]
    pub(crate) greeting_timeout: u64,
    /// Close sessions in which nothing moved for so many seconds; 0 for never.
    #[arg(long, default_value_t = 0)]
    pub(crate) idle_timeout: u64,
    /// Seconds that clients are taken and sessions may go on after SIGTERM: as long as the application beside it needs to
    /// end. Docker kills after 10 s, Kubernetes after 30 s. Ctrl-C, a second SIGTERM or /quitquitquit lets nobody in any
    /// more and ends as soon as open sessions have.
    #[arg(long, default_value_t = 8)]
    pub(crate) drain: u64,
    /// Answer /livez, /readyz (whether logins work) and /metrics here. `POST /quitquitquit` from the same machine or pod ends
    /// the relay: for jobs, whose container is done when their work is.
    #[arg(long)]
    pub(crate) health: Option<SocketAddr>,
    /// Speak TLS with clients that want it, with a certificate made at the start.
    #[arg(long)]
    pub(crate) local_tls: bool,
    /// The relay's own certificate, as PEM.
    #[arg(long, requires = "tls_key")]
    pub(crate) tls_certificate: Option<PathBuf>,
    /// Its key, as PEM.
    #[arg(long, requires = "tls_certificate")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Without SECONDS: log in once to everything, say how it went, and end. With SECONDS: serve, and log in to everything
    /// and out again that often, so that /readyz knows whether logins work although no client has come.
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "0")]
    pub(crate) check: Option<Check>,
    /// Wait until the relay that answers at --health is ready, then end.
    #[arg(long, requires = "health")]
    pub(crate) wait: bool,
    /// Seconds that --wait waits.
    #[arg(long, default_value_t = 30)]
    pub(crate) wait_timeout: u64,
}
