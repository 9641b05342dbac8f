//! `sal lab`: the rehearsal. A database like RDS, AWS around it, and everything that can go wrong.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// `sal lab`.
#[derive(Debug, Subcommand)]
pub(crate) enum Lab {
    /// Start a populated Sal database on a Postgres that behaves like RDS, and the AWS services around it. Ctrl-C ends it.
    #[command(after_help = "Example: sal lab up --shape aurora")]
    Up(LabUp),
    /// Print an environment of the running lab, for eval.
    #[command(after_help = "Example: eval \"$(sal lab env admin)\"")]
    Env {
        /// Whose.
        whose: LabEnvironment,
        /// At which name of the database: writer (or database) by default; `sal lab status` lists them all.
        #[arg(long, value_name = "DOOR")]
        at: Option<String>,
        #[command(flatten)]
        lab: Running,
    },
    /// Break one thing, or list what can be broken.
    #[command(after_help = "Example: sal lab break policy-missing")]
    Break {
        /// What.
        name: Option<String>,
        /// List what can be broken.
        #[arg(long)]
        list: bool,
        #[command(flatten)]
        lab: Running,
    },
    /// Put everything back that was broken.
    #[command(after_help = "Example: sal lab mend")]
    Mend {
        #[command(flatten)]
        lab: Running,
    },
    /// Fail a cluster over: another instance writes from here on, and every connection is cut.
    #[command(after_help = "Example: sal lab failover")]
    Failover {
        #[command(flatten)]
        lab: Running,
    },
    /// What the running lab has seen: logins, refusals, metrics, what is broken.
    #[command(after_help = "Example: sal lab status --json")]
    Status {
        /// Print JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        lab: Running,
    },
    /// Stop the running lab and remove everything it made.
    #[command(after_help = "Example: sal lab down")]
    Down {
        #[command(flatten)]
        lab: Running,
    },
}

/// `sal lab up`.
#[derive(Debug, Args)]
pub(crate) struct LabUp {
    /// What the database is: with a cluster or a proxy it has several names, each with a port of its own.
    #[arg(long, default_value = "instance")]
    pub(crate) shape: LabShape,
    /// Machines that have checked in.
    #[arg(long, default_value_t = 20)]
    pub(crate) machines: u32,
    /// Where the database listens; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,
    /// Folder with `postgres` and `initdb` of another version than the machine's.
    #[arg(long)]
    pub(crate) postgres: Option<PathBuf>,
    /// Let clients in through Postgres's own TLS and PAM instead of the lab's gate. Needs root, a Postgres with PAM and
    /// rustc; writes one file below /etc/pam.d while it runs. Some faults are the gate's and cannot be broken then.
    #[arg(long, conflicts_with_all = ["postgres", "listen", "shape"])]
    pub(crate) pam: bool,
    /// Let the deployment use the master user, as many do.
    #[arg(long)]
    pub(crate) master_deployment: bool,
    #[command(flatten)]
    pub(crate) lab: Running,
}

/// Which lab.
#[derive(Debug, Args)]
pub(crate) struct Running {
    /// The socket that a running lab is spoken to through. By default one for each user.
    #[arg(long)]
    pub(crate) socket: Option<PathBuf>,
}

/// What a lab plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LabShape {
    /// One DB instance.
    Instance,
    /// An Aurora cluster: writer, reader, a custom endpoint, two instances, and the writer of a global database.
    Aurora,
    /// A Multi-AZ DB cluster: writer, reader and three instances.
    MultiAz,
    /// An instance behind RDS Proxy, which logs in with a secret: nobody behind it may be in rds_iam.
    Proxy,
    /// An instance behind RDS Proxy with end-to-end IAM, which logs in with a token of its own role.
    ProxyEndToEnd,
}

/// Environments of a lab.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LabEnvironment {
    /// The deployment as it is before: a password.
    Password,
    /// The administrator who moves it: the master user and an AWS key.
    Admin,
    /// The deployment while it moves: IAM, with the password as declared fallback.
    Moving,
    /// The deployment afterwards: IAM only.
    Iam,
}
