//! The commands that fill, fake and measure; the image is built without them (feature `rehearsal`).

use clap::{Args, Subcommand};

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
    /// All Macs of a site come back at once: who is taken, who is told to come back, and what becomes of people's pages.
    /// Exit code 1 when a check-in that was told 200 is not in the database.
    #[command(after_help = "Example: sal bench storm --rate 500 --seconds 45")]
    Storm(BenchStorm),
    /// A fleet that checks in while the server is attacked in one way after the other: what was lost, late, and how much
    /// memory it took.
    #[command(after_help = "Example: sal bench siege --seconds 30")]
    Siege(BenchSiege),
    /// The pages on a full database: times, statements and bytes, next to plain SQL for the same answer.
    #[command(after_help = "Example: sal bench pages --machines 1000,10000 --json")]
    Pages(BenchPages),
    /// Filters, their counts and suggestions on a full database, next to SQL by hand for the same answer.
    #[command(after_help = "Example: sal bench search --machines 10000 --json")]
    Search(BenchSearch),
    /// The REST API on a full database: pages, a walk of all pages and whole lists, next to plain SQL and COPY.
    #[command(after_help = "Example: sal bench api --only walk,JSONL")]
    Api(BenchApi),
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

/// `sal bench search`.
#[derive(Debug, Args)]
pub(crate) struct BenchSearch {
    /// Machines in the database; several sizes, separated by commas, each on a database of its own.
    #[arg(long, value_delimiter = ',', default_values_t = [10_000, 100_000])]
    pub(crate) machines: Vec<u32>,
    /// How often each question is asked both ways, in turn; medians count.
    #[arg(long, default_value_t = 9)]
    pub(crate) rounds: usize,
    /// Only questions whose name holds one of these.
    #[arg(long, value_delimiter = ',')]
    pub(crate) only: Vec<String>,
    /// The database stays until Ctrl-C, for EXPLAIN; how to reach it is printed.
    #[arg(long)]
    pub(crate) keep: bool,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// `sal bench api`.
#[derive(Debug, Args)]
pub(crate) struct BenchApi {
    /// Machines in the database; each of up to 20,000 has 100 facts and 150 applications.
    #[arg(long, default_value_t = 10_000)]
    pub(crate) machines: u32,
    /// Requests of each page.
    #[arg(long, default_value_t = 300)]
    pub(crate) requests: u32,
    /// Only questions whose name holds one of these.
    #[arg(long, value_delimiter = ',')]
    pub(crate) only: Vec<String>,
    /// Server and database stay until Ctrl-C, for EXPLAIN; how to reach them is printed.
    #[arg(long)]
    pub(crate) keep: bool,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// `sal bench relay`.
#[derive(Debug, Args)]
pub(crate) struct BenchRelay {
    /// Seconds of each measurement of pgbench, of which each turn has three; the token of a turn is for 15 minutes.
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..=200))]
    pub(crate) seconds: u32,
    /// Megabytes of COPY.
    #[arg(long, default_value_t = 1024)]
    pub(crate) megabytes: u32,
    /// Rounds; medians count.
    #[arg(long, default_value_t = 3)]
    pub(crate) rounds: u32,
    /// Reach Postgres by its own TLS and PAM instead of through the lab's gate, which costs as much as a relay. Needs
    /// root, a Postgres with PAM and rustc; writes one file below /etc/pam.d while it runs.
    #[arg(long)]
    pub(crate) pam: bool,
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

/// `sal bench storm`.
#[derive(Debug, Args)]
pub(crate) struct BenchStorm {
    /// Machines, each with a connection of its own that stays open.
    #[arg(long, default_value_t = 2000)]
    pub(crate) machines: u32,
    /// Check-ins a second in the storm, whatever the server does.
    #[arg(long, default_value_t = 500)]
    pub(crate) rate: u32,
    /// How long the storm is.
    #[arg(long, default_value_t = 45)]
    pub(crate) seconds: u32,
    /// Check-ins a second before and after it.
    #[arg(long, default_value_t = 20)]
    pub(crate) calm_rate: u32,
    /// How long it is calm before.
    #[arg(long, default_value_t = 10)]
    pub(crate) calm_seconds: u32,
    /// How long it is watched after.
    #[arg(long, default_value_t = 20)]
    pub(crate) recovery_seconds: u32,
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
    /// Tell where our check-ins go: time, plans and WAL of each statement, and WAL of each table and index.
    #[arg(long)]
    pub(crate) profile: bool,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}
