//! Every command and flag, nothing else. `sal iam`, `sal relay`, `sal user` and the rehearsal have files of their own.

mod compare;
mod iam;
mod import;
mod key;
#[cfg(feature = "rehearsal")]
mod lab;
#[cfg(feature = "rehearsal")]
mod rehearsal;
mod relay;
mod rest;
mod search;
mod user;

use clap::{Args, Parser, Subcommand};

pub(crate) use self::compare::Compare;
pub(crate) use self::iam::{
    Apply, Aws, Change, Doctor, Env, EnvFormat, Holder, Iam, POLICY_NAME, Plan, PlanFormat, Policy,
    PolicyFormat, Psql, Report, Rollback, Token, Trust, Unlock, Verify, Who,
};
pub(crate) use self::import::ImportSettings;
pub(crate) use self::key::{ApiToken, GroupKey, Key, NewToken};
#[cfg(feature = "rehearsal")]
pub(crate) use self::lab::{Lab, LabEnvironment, LabShape, LabUp, Running};
#[cfg(feature = "rehearsal")]
pub(crate) use self::rehearsal::{
    Bench, BenchApi, BenchCheckin, BenchInventory, BenchPages, BenchRelay, BenchSearch, BenchSiege,
    BenchSteady, BenchStorm, Demo, Simulate,
};
pub(crate) use self::relay::{Check, Relay};
pub(crate) use self::rest::{Api, Export, ExportFormat};
pub(crate) use self::search::Search;
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
    /// Ask the server on this machine whether it is ready; exit code 0 when it is, 1 when not.
    ///
    /// For the health checks of containers: the image has no shell and no curl.
    #[command(after_help = "Example: sal healthcheck --live")]
    Healthcheck(Healthcheck),
    /// Look at the database's tables, or make them.
    #[command(subcommand)]
    Db(Db),
    /// Make users, give them passwords, levels and staff; link accounts of single sign-on to them.
    #[command(subcommand)]
    User(User),
    /// Manage API keys, API tokens, and keys of machine groups.
    ///
    /// API keys and tokens are for programs of the REST API. Macs check in with the key of their machine group: `sal key
    /// group`, or the page of the group.
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
    /// Why is my Mac missing? Which check-ins were refused, and what was last stored.
    #[command(subcommand)]
    Checkin(Checkin),
    /// Saved searches: what they mean, what they find, and where that differs from Sal.
    #[command(subcommand)]
    Search(Search),
    /// Compare two servers, such as a Django Sal and the one to take its place: clients' answers, numbers, tables.
    ///
    /// It logs in as `--user` and changes nothing else. Differences that are on purpose come with their number in docs/compat/quirks.md;
    /// for any other the exit code is 3.
    #[command(
        after_help = "Example: SAL_COMPARE_PASS=… SAL_COMPARE_KEY=… sal compare https://sal.example.org http://127.0.0.1:8001 --user admin"
    )]
    Compare(Compare),
    /// Ask the REST API of a server, or change something by it.
    ///
    /// The server is SAL_URL; the token is SAL_API_TOKEN, or the key SAL_API_PUBLIC_KEY and SAL_API_PRIVATE_KEY. Exit code 1 when the
    /// server refuses or does not answer, 2 when something is not said.
    #[command(
        after_help = "Examples: SAL_URL=https://sal.example.org SAL_API_TOKEN_FILE=token sal api GET machines filter='os_version < 15' --paginate\n          sal api PATCH machines/C02ABC deployed:=false"
    )]
    Api(Api),
    /// Write whole lists of a server's REST API to files, such as every day.
    ///
    /// A file has its name only when its last line proved that nothing is missing; until then it ends in .part. Exit code 0 when every
    /// list is whole, 1 when one is not, 2 when something is not said.
    #[command(
        after_help = "Examples: SAL_URL=https://sal.example.org SAL_API_TOKEN_FILE=token sal export machines facts inventory --to /srv/dumps/today --resume\n          sal export machines --to s3://BUCKET/sal --region us-west-2"
    )]
    Export(Export),
    /// Move a deployment to IAM logins, check it, and go back.
    #[command(subcommand)]
    Iam(Iam),
    /// A local Postgres port or socket for other programs: it logs in upstream with IAM.
    #[command(
        after_help = "Example: SAL_RELAY_PASSWORD=… sal relay 127.0.0.1:6432=NAME.HASH.REGION.rds.amazonaws.com --user salawsiam"
    )]
    Relay(Relay),
    /// Rehearse the move to IAM, offline.
    #[cfg(feature = "rehearsal")]
    #[command(subcommand)]
    Lab(Lab),
    /// Let a simulated fleet check in to any Sal server, or fill this one's database with it.
    ///
    /// With --bulk nothing is sent: the rows that check-ins, inventories and profiles of all those machines would leave
    /// are copied into the database of the environment (DB_HOST, DB_NAME, … as for `sal db check`), with two months of
    /// history. For trying how large a fleet a database serves; never for one that is in use.
    #[cfg(feature = "rehearsal")]
    #[command(
        after_help = "Examples: sal simulate --url http://127.0.0.1:8000 --key KEY --machines 100 --seed 7\n          DB_HOST=db DB_NAME=sal DB_USER=sal DB_PASS=… sal simulate --bulk --machines 10000"
    )]
    Simulate(Simulate),
    /// Start a Postgres dressed as RDS, a server that logs in to it with IAM, and a fleet; Ctrl-C ends it all.
    #[cfg(feature = "rehearsal")]
    #[command(after_help = "Example: sal demo --machines 60")]
    Demo(Demo),
    /// Measure.
    #[cfg(feature = "rehearsal")]
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
    /// Address and port to listen on [env: SAL_LISTEN] [default: 0.0.0.0:8000].
    #[arg(long)]
    pub(crate) listen: Option<std::net::SocketAddr>,
}

/// `sal healthcheck`.
#[derive(Debug, Args)]
pub(crate) struct Healthcheck {
    /// Ask only whether the process is running, not whether it can use its database. Use this for liveness probes.
    #[arg(long)]
    pub(crate) live: bool,
    /// The server's URL; by default the port of SAL_LISTEN, or 8000, on this machine.
    #[arg(long)]
    pub(crate) url: Option<String>,
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
