//! Every command and flag, nothing else. `sal iam`, `sal relay`, `sal user` and `sal lab` have files of their own.

mod iam;
mod import;
mod key;
mod lab;
mod relay;
mod user;

use clap::{Args, Parser, Subcommand};

pub(crate) use self::iam::{
    Apply, Aws, Change, Doctor, Env, EnvFormat, Holder, Iam, POLICY_NAME, Plan, PlanFormat, Policy,
    PolicyFormat, Psql, Report, Rollback, Token, Trust, Unlock, Verify, Who,
};
pub(crate) use self::import::ImportSettings;
pub(crate) use self::key::Key;
pub(crate) use self::lab::{Lab, LabEnvironment, LabShape, LabUp, Running};
pub(crate) use self::relay::{Check, Relay};
pub(crate) use self::user::{AddedUser, LevelName, LinkedAccount, User};

/// A drop-in Sal 4.4.1 server that logs in to AWS RDS Postgres with IAM.
#[derive(Debug, Parser)]
#[command(
    name = "sal",
    version,
    after_help = "Settings come from the environment; `sal reference env` lists them."
)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the server; the container's command.
    #[command(
        after_help = "Example: DB_HOST=db DB_NAME=sal DB_USER=sal DB_PASS=… sal serve --listen 0.0.0.0:8000"
    )]
    Serve(Serve),
    /// Look at the database's tables, or make them.
    #[command(subcommand)]
    Db(Db),
    /// Make users, give them passwords, levels and staff; link accounts of single sign-on to them.
    #[command(subcommand)]
    User(User),
    /// Keys that programs show to the REST API.
    ///
    /// The key of a machine group, which clients send, is another thing: the group's page shows it.
    #[command(subcommand)]
    Key(Key),
    /// Turn a settings.py of Django Sal into environment variables.
    ///
    /// The file is read, never run. Standard output is an env file; what has no counterpart, and what only Python could
    /// say, is told beside it, with its line. Passwords are not shown. Exit code 3 when something was not understood.
    #[command(
        after_help = "Example: sal import-settings /usr/local/sal_data/settings/settings.py > sal.env"
    )]
    ImportSettings(ImportSettings),
    /// Look at a folder of your own plugins.
    #[command(subcommand)]
    Plugin(Plugin),
    /// Why is my Mac missing? What the machines' door refused, and what it last took.
    #[command(subcommand)]
    Checkin(Checkin),
    /// Log in to RDS with IAM.
    #[command(subcommand)]
    Iam(Iam),
    /// A local Postgres port or socket for other programs: it logs in upstream with IAM.
    #[command(
        after_help = "Example: SAL_RELAY_PASSWORD=… sal relay 127.0.0.1:6432=NAME.HASH.REGION.rds.amazonaws.com --user salawsiam"
    )]
    Relay(Relay),
    /// Rehearse the move to IAM, offline.
    #[command(subcommand)]
    Lab(Lab),
    /// Let a simulated fleet check in to any Sal server, or fill this one's database with it.
    ///
    /// With --bulk nothing is sent: the rows that check-ins, inventories and profiles of all those machines would leave
    /// are copied into the database of the environment (DB_HOST, DB_NAME, … as for `sal db check`), with two months of
    /// history. For trying how large a fleet a database serves; never for one that is in use.
    #[command(
        after_help = "Examples: sal simulate --url http://127.0.0.1:8000 --key KEY --machines 100 --seed 7\n          DB_HOST=db DB_NAME=sal DB_USER=sal DB_PASS=… sal simulate --bulk --machines 10000"
    )]
    Simulate(Simulate),
    /// Start a Postgres dressed as RDS, a server that logs in to it with IAM, and a fleet; Ctrl-C ends it all.
    #[command(after_help = "Example: sal demo --machines 60")]
    Demo(Demo),
    /// Measure.
    #[command(subcommand)]
    Bench(Bench),
    /// Print reference pages, as Markdown.
    #[command(after_help = "Example: sal reference env")]
    Reference {
        /// Which page.
        page: Page,
    },
}

/// The pages of `sal reference`.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum Page {
    /// Environment variables.
    Env,
    /// Commands and flags.
    Cli,
    /// Metrics.
    Metrics,
}

/// `sal serve`.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Address and port to listen on.
    #[arg(long, default_value = "0.0.0.0:8000")]
    pub(crate) listen: std::net::SocketAddr,
}

/// `sal db`.
#[derive(Debug, Subcommand)]
pub(crate) enum Db {
    /// Compare the database with Sal 4.4.1's tables; exit code 3 when something needs attention.
    #[command(after_help = "Example: sal db check --json")]
    Check {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Make Sal's tables where there are none, and our additions where they are missing or were taken back.
    #[command(after_help = "Example: sal db init")]
    Init,
    /// Do the maintenance now that servers do by themselves, and say what was done; exit code 1 when a job failed.
    #[command(after_help = "Example: sal db maintain --job retention --dry-run")]
    Maintain {
        /// Only this job; several times for several.
        #[arg(long)]
        job: Vec<String>,
        /// Only say what would be done.
        #[arg(long)]
        dry_run: bool,
        /// Also remove more than half of a table at once.
        #[arg(long)]
        yes: bool,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Take one of our additions out of the database; what it held is lost, Sal's rows stay. It stays out until `sal db init`.
    #[command(after_help = "Example: sal db take-back 0003-fill-factor")]
    TakeBack {
        /// Its name, as `sal db check` lists it.
        addition: String,
    },
}

/// `sal plugin`.
#[derive(Debug, Subcommand)]
pub(crate) enum Plugin {
    /// List the plugins of a folder and every mistake with file and line; exit code 3 when there is one.
    #[command(after_help = "Example: sal plugin check /srv/sal/plugins")]
    Check {
        /// The folder that `SAL_PLUGIN_DIR` names: it holds a folder for each plugin.
        folder: std::path::PathBuf,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

/// `sal checkin`.
#[derive(Debug, Subcommand)]
pub(crate) enum Checkin {
    /// Show refusals, failures, first check-ins and values that did not fit, the newest first.
    #[command(after_help = "Example: sal checkin journal --serial C02ABC --json")]
    Journal {
        /// Only this machine, and what it sent last.
        #[arg(long)]
        serial: Option<String>,
        /// How many lines.
        #[arg(long, default_value_t = 50)]
        lines: u32,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// List the bodies of refused submissions that are kept.
    #[command(after_help = "Example: sal checkin rejected")]
    Rejected {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Send a kept body again, once the reason is gone; it is forgotten when it is taken.
    #[command(after_help = "Example: sal checkin replay 17 --url http://127.0.0.1:8000")]
    Replay {
        /// Numbers of bodies, from `sal checkin rejected`; all without any.
        ids: Vec<i64>,
        /// The server's address.
        #[arg(long, default_value = "http://127.0.0.1:8000")]
        url: String,
    },
}

/// `sal simulate`.
#[derive(Debug, Args)]
pub(crate) struct Simulate {
    /// The server's address.
    #[arg(long, required_unless_present = "bulk")]
    pub(crate) url: Option<String>,
    /// A machine group's key. Visible to other users of this machine: use a test group.
    #[arg(long, required_unless_present = "bulk")]
    pub(crate) key: Option<String>,
    /// Fill the database of the environment instead.
    #[arg(long, conflicts_with_all = ["url", "key", "rate", "runs", "first_run", "concurrency"])]
    pub(crate) bulk: bool,
    /// With --bulk: as many machines more in a database that has some.
    #[arg(long, requires = "bulk")]
    pub(crate) add: bool,
    /// With --bulk: the time of the newest check-in, such as 2026-11-02T08:30:00Z; now without it.
    #[arg(long, requires = "bulk")]
    pub(crate) at: Option<jiff::Timestamp>,
    /// With --bulk: days over which managed items have a history; 0 for a fleet that checked in once.
    #[arg(long, requires = "bulk", default_value_t = 60)]
    pub(crate) days: u32,
    /// How many machines.
    #[arg(long, default_value_t = 10)]
    pub(crate) machines: u32,
    /// The same seed makes the same machines.
    #[arg(long, default_value_t = fake_fleet::DEMO_SEED)]
    pub(crate) seed: u64,
    /// Check-ins per second; by default as fast as the server answers.
    #[arg(long)]
    pub(crate) rate: Option<f64>,
    /// How often every machine checks in.
    #[arg(long, default_value_t = 1)]
    pub(crate) runs: u32,
    /// The number of each machine's first run; 0 for machines the server has not seen.
    #[arg(long, default_value_t = 0)]
    pub(crate) first_run: u32,
    /// Check-ins under way at a time.
    #[arg(long, default_value_t = 8)]
    pub(crate) concurrency: usize,
    /// Print the report as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// `sal demo`.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// How many machines check in.
    #[arg(long, default_value_t = 60)]
    pub(crate) machines: u32,
    /// Address and port to listen on; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:8000")]
    pub(crate) listen: std::net::SocketAddr,
}

/// `sal bench`.
#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    /// Tokens per second on one core, and an IAM login against a password login, both over TLS, in one run.
    #[command(after_help = "Example: sal bench login --json")]
    Login {
        /// Logins of each kind.
        #[arg(long, default_value_t = 200)]
        logins: u32,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Check-ins over HTTP: rate, times, CPU, WAL and statements, next to plain SQL on the same private Postgres.
    #[command(after_help = "Example: sal bench checkin --machines 1000 --json")]
    Checkin(BenchCheckin),
    /// Inventories over HTTP: unchanged, 2 % changed, all new.
    #[command(after_help = "Example: sal bench inventory --applications 150,2000")]
    Inventory(BenchInventory),
    /// An open loop at a fixed rate, with a checkpoint and autovacuum inside: the times of answers, and the memory.
    #[command(after_help = "Example: sal bench steady --rate 100 --seconds 300")]
    Steady(BenchSteady),
    /// A fleet that checks in while the server is attacked in one way after the other: what was lost, late, and how much
    /// memory it took.
    #[command(after_help = "Example: sal bench siege --seconds 30")]
    Siege(BenchSiege),
    /// The pages on a full database: times, statements and bytes, next to plain SQL for the same answer.
    #[command(after_help = "Example: sal bench pages --machines 1000,10000 --json")]
    Pages(BenchPages),
    /// pgbench and COPY through the relay, next to direct TLS and, where it is installed, pgbouncer.
    #[command(after_help = "Example: sal bench relay --json")]
    Relay(BenchRelay),
}

/// `sal bench pages`.
#[derive(Debug, Args)]
pub(crate) struct BenchPages {
    /// Machines in the database; several sizes, separated by commas, each on a database of its own.
    #[arg(long, value_delimiter = ',', default_values_t = [1000, 10_000])]
    pub(crate) machines: Vec<u32>,
    /// Requests of each page in a round; slow pages get fewer.
    #[arg(long, default_value_t = 50)]
    pub(crate) requests: u32,
    /// Rounds; medians count.
    #[arg(long, default_value_t = 3)]
    pub(crate) rounds: usize,
    /// Only pages whose name holds one of these.
    #[arg(long, value_delimiter = ',')]
    pub(crate) only: Vec<String>,
    /// The database stays until Ctrl-C, for EXPLAIN; how to reach it is printed.
    #[arg(long)]
    pub(crate) keep: bool,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// `sal bench relay`.
#[derive(Debug, Args)]
pub(crate) struct BenchRelay {
    /// Seconds of each measurement of pgbench.
    #[arg(long, default_value_t = 8)]
    pub(crate) seconds: u32,
    /// Megabytes of COPY.
    #[arg(long, default_value_t = 1024)]
    pub(crate) megabytes: u32,
    /// Rounds; medians count.
    #[arg(long, default_value_t = 3)]
    pub(crate) rounds: u32,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// `sal bench inventory`.
#[derive(Debug, Args)]
pub(crate) struct BenchInventory {
    /// Applications of each machine; several, separated by commas.
    #[arg(long, value_delimiter = ',', default_values_t = [150, 2000])]
    pub(crate) applications: Vec<u32>,
    /// Machines that take turns.
    #[arg(long, default_value_t = 200)]
    pub(crate) machines: u32,
    /// Inventories under way at a time.
    #[arg(long, default_value_t = 8)]
    pub(crate) concurrency: usize,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// `sal bench siege`.
#[derive(Debug, Args)]
pub(crate) struct BenchSiege {
    /// Check-ins a second, whatever the server does.
    #[arg(long, default_value_t = 20)]
    pub(crate) rate: u32,
    /// How long each attack goes on.
    #[arg(long, default_value_t = 30)]
    pub(crate) seconds: u64,
    /// Machines that take turns.
    #[arg(long, default_value_t = 2000)]
    pub(crate) machines: u32,
    /// Only these attacks: calm, viewers, slow-bodies, silent, logins, bulky, bombs, hung-up, locked, all.
    #[arg(long, value_delimiter = ',')]
    pub(crate) only: Vec<String>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// `sal bench steady`.
#[derive(Debug, Args)]
pub(crate) struct BenchSteady {
    /// Check-ins a second, whatever the server does; all as Munki clients send them.
    #[arg(long, default_value_t = 100)]
    pub(crate) rate: u32,
    /// How long.
    #[arg(long, default_value_t = 300)]
    pub(crate) seconds: u32,
    /// Machines that take turns.
    #[arg(long, default_value_t = 5000)]
    pub(crate) machines: u32,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// `sal bench checkin`.
#[derive(Debug, Args)]
pub(crate) struct BenchCheckin {
    /// Machines that are there before, with all their rows.
    #[arg(long, default_value_t = 2000)]
    pub(crate) machines: u32,
    /// Check-ins of each cell.
    #[arg(long, default_value_t = 3000)]
    pub(crate) checkins: u32,
    /// Check-ins under way at a time; several, separated by commas.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 8, 32])]
    pub(crate) concurrency: Vec<usize>,
    /// Only these strategies: ours, floor, floor-paced, replace, original.
    #[arg(long, value_delimiter = ',')]
    pub(crate) only: Vec<String>,
    /// Only these scenarios: first, unchanged, few, real.
    #[arg(long, value_delimiter = ',')]
    pub(crate) scenarios: Vec<String>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}
