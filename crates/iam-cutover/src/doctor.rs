//! Everything the move needs and everything known to break it, one line each.
//!
//! Pure: the facts are gathered by the caller (`gather.rs` for what this crate can ask itself), the
//! lines are decided here. What may not be read is *unknown*, with the permission that is missing.

mod aws_side;
mod database;
mod diagnosis;
mod endpoint;
mod gather;
mod neighbours;
mod ownership;
mod platform;

use jiff::Timestamp;
use rds_iam::{CredentialError, LoginError, LoginStatus, RdsEndpoint, Skew};
use serde::Serialize;

pub use self::{
    gather::{Question, gather},
    ownership::OwnedByOthers,
};
use crate::{
    aws::{AwsFacts, Caller},
    check::Check,
    compare::Difference,
    inventory::Inventory,
    wish::Wish,
};

/// Where the program runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Platform {
    /// ECS on Fargate.
    Fargate,
    /// ECS on EC2.
    Ecs,
    /// A pod of Kubernetes with an AWS role: EKS.
    Eks,
    /// Some other container.
    Container,
    /// No container.
    Plain,
}

/// What the program knows of itself.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// Where it runs.
    pub platform: Platform,
    /// Its name and version.
    pub program: String,
    /// Whether it is configured to log in with IAM.
    pub iam: bool,
    /// The region that is configured.
    pub region: Option<String>,
    /// Whether instance metadata is what credentials come from in a container.
    pub metadata_off: bool,
}

/// Where the host's name leads.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// The names passed, the configured one first.
    pub chain: Vec<String>,
    /// Its addresses.
    pub addresses: Vec<String>,
    /// Why nothing was found.
    pub error: Option<String>,
}

/// What the server says of itself to anybody.
#[derive(Clone, Debug, Default)]
pub struct Server {
    /// `server_version`, such as 15.5.
    pub version: String,
    /// `server_version_num`.
    pub version_number: i32,
    /// Sessions now.
    pub connections: i64,
    /// `max_connections`.
    pub most_connections: i64,
    /// `rds.force_ssl`, where there is such a setting.
    pub force_ssl: Option<String>,
    /// Logins that are idle in transaction, or anything that a move would wait for.
    pub long_transactions: i64,
}

/// Everything the lines are decided from.
#[derive(Debug)]
pub struct Facts {
    /// When.
    pub now: Timestamp,
    /// What is wanted.
    pub wish: Wish,
    /// The host as configured.
    pub host: String,
    /// The program.
    pub surroundings: Surroundings,
    /// The RDS name behind the host.
    pub endpoint: Option<RdsEndpoint>,
    /// Whether the roots inside the program are trusted, and no file in their place.
    pub embedded_roots: bool,
    /// DNS.
    pub names: Names,
    /// Credentials: the source and the end, or why there are none.
    pub credentials: Result<CredentialFacts, CredentialError>,
    /// The clock of AWS against ours.
    pub skew: Option<Skew>,
    /// How the new user's login went; `None` when it could not be tried.
    pub new_login: Option<Result<LoginStatus, Box<LoginError>>>,
    /// How the old user's login went.
    pub old_login: Option<Result<LoginStatus, Box<LoginError>>>,
    /// How the administrator's login went.
    pub admin_login: Option<Result<LoginStatus, Box<LoginError>>>,
    /// Roles and memberships, by whoever could log in.
    pub inventory: Option<Inventory>,
    /// The server.
    pub server: Option<Server>,
    /// Differences between old and new, when both exist.
    pub differences: Option<Vec<Difference>>,
    /// Databases that could not be looked at, each with the reason.
    pub unread: Vec<String>,
    /// Tables of the application that the new user cannot alter.
    pub owned_by_others: Vec<OwnedByOthers>,
    /// AWS.
    pub aws: AwsFacts,
    /// The exact resource that a policy has to name.
    pub resource: Option<String>,
}

/// Where credentials come from.
#[derive(Clone, Debug)]
pub struct CredentialFacts {
    /// The source in words.
    pub source: String,
    /// Their end.
    pub expires_at: Option<Timestamp>,
}

/// The report.
#[must_use]
pub fn diagnose(facts: &Facts) -> Vec<Check> {
    let parts: [fn(&Facts) -> Vec<Check>; 7] = [
        diagnosis::checks,
        platform::checks,
        endpoint::checks,
        aws_side::checks,
        neighbours::checks,
        database::checks,
        database::limits,
    ];
    let mut checks: Vec<Check> = parts.iter().flat_map(|part| part(facts)).collect();
    checks.extend(blind(facts, &checks));
    checks
}

/// One line for everything that may not be looked at, with what opens it.
fn blind(facts: &Facts, checks: &[Check]) -> Option<Check> {
    let each = checks.iter().filter_map(|check| {
        let permission = check.permission.as_ref()?;
        Some(format!("{} ({permission})", check.title))
    });
    let each: Vec<String> = each.collect();
    let role = facts.caller().and_then(Caller::role_name);
    let role = role.map_or_else(String::new, |role| format!(" --role {role}"));
    (!each.is_empty()).then(|| {
        Check::unknown(
            "blind",
            "Not permitted to look",
            format!("these lines are blind: {}", each.join(", ")),
            format!("`sal iam policy --for doctor{role}` prints the policy that opens them"),
        )
    })
}

impl Facts {
    /// Whether a user is the master user who logs in with IAM on purpose.
    pub(crate) fn master_is_on_iam(&self, user: &str) -> bool {
        self.aws.flag_owner().is_some_and(|target| {
            target.master_username.as_deref() == Some(user)
                && target.master_authentication.as_deref() == Some("iam-db-auth")
        })
    }

    pub(crate) fn caller(&self) -> Option<&Caller> {
        self.aws.caller.known()
    }
}
