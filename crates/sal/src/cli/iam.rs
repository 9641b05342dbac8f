//! `sal iam`: everything about logging in to RDS with IAM, and moving there and back.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use iam_cutover::aws::Made;

use crate::config::aws_names;
use crate::config::role::RoleName;

mod made;

/// `sal iam`.
#[derive(Debug, Subcommand)]
pub(crate) enum Iam {
    /// Look at everything that IAM login needs and everything known to break it; exit code 3 when something is wrong.
    #[command(after_help = "Example: sal iam doctor --json")]
    Doctor(Doctor),
    /// Show, step by step, how a deployment moves from its password to IAM. Changes nothing.
    #[command(
        after_help = "Example: SAL_ADMIN_USER=postgres SAL_ADMIN_PASS=… sal iam plan --aws --role sal-task"
    )]
    Plan(Plan),
    /// Do it: shows the plan, asks, and takes every step back after which somebody cannot log in.
    #[command(
        after_help = "Example: SAL_ADMIN_USER=postgres SAL_ADMIN_PASS=… sal iam apply --aws --role sal-task"
    )]
    Apply(Apply),
    /// Prove it: a real login, reads, writes, a check-in (rolled back), equal privileges, and the way back.
    #[command(after_help = "Example: sal iam verify --json")]
    Verify(Verify),
    /// Switch the old user's login off, once nothing uses it. It is never dropped.
    #[command(after_help = "Example: sal iam finalize")]
    Finalize(Change),
    /// Go back to the password, from wherever the move is.
    #[command(after_help = "Example: sal iam rollback")]
    Rollback(Rollback),
    /// Let a locked-out administrator log in with its password again: RDS refuses the password of every member of rds_iam,
    /// direct or through another role.
    #[command(
        after_help = "Example: SAL_ADMIN_USER=postgres SAL_ADMIN_PASS=… sal iam unlock\nIt logs in with a token, for which the AWS credentials need rds-db:connect as the administrator: sal iam policy --user postgres"
    )]
    Unlock(Unlock),
    /// Where the move stands, and who uses which user.
    #[command(after_help = "Example: sal iam status")]
    Status(Report),
    /// Print the exact IAM policy, or the role's trust, or both as code.
    #[command(
        after_help = "Example: sal iam policy --for server --format terraform --role sal-task --trust ecs"
    )]
    Policy(Policy),
    /// Print a token for one login; it is a password for 15 minutes.
    #[command(
        after_help = "Example: PGPASSWORD=$(sal iam token --host NAME.HASH.REGION.rds.amazonaws.com --user salawsiam) psql …"
    )]
    Token(Token),
    /// Print the environment of a deployment that logs in with IAM, or what other programs need for one login.
    #[command(after_help = "Example: sal iam env")]
    Env(Env),
    /// Start psql, logged in with IAM over verified TLS.
    #[command(after_help = "Example: sal iam psql -- -c 'SELECT current_user'")]
    Psql(Psql),
    /// Print the certificate authorities of RDS and of RDS Proxy that are inside this program, as PEM.
    #[command(after_help = "Example: sal iam roots > rds.pem")]
    Roots,
}

/// Who moves, and where.
#[derive(Debug, Args)]
pub(crate) struct Who {
    /// The Postgres user to log in with IAM. By default DB_USER where AWS_IAM is set, else salawsiam.
    #[arg(long, value_parser = aws_names::postgres_user)]
    pub(crate) user: Option<String>,
    /// The user of the password deployment. By default DB_USER where AWS_IAM is not set; later it is found in the database.
    #[arg(long)]
    pub(crate) old_user: Option<String>,
    /// A database of the deployment; may be given several times. By default DB_NAME.
    #[arg(long = "database")]
    pub(crate) databases: Vec<String>,
    /// The role that takes the objects when the old user is the master user. By default DB_NAME_owner.
    #[arg(long)]
    pub(crate) owner_role: Option<String>,
    /// Also grant rds_superuser, as Sal's wiki page does. The deployment does not need it.
    #[arg(long)]
    pub(crate) grant_rds_superuser: bool,
    /// Where the old user is the master user: go on although others granted it something that the owner role cannot have.
    #[arg(long)]
    pub(crate) leave_grants: bool,
}

/// The AWS side.
#[derive(Debug, Args)]
pub(crate) struct Aws {
    /// The name or the ARN of the IAM role that the deployment assumes.
    #[arg(long)]
    pub(crate) role: Option<RoleName>,
    /// The name of the IAM policy.
    #[arg(long, default_value = POLICY_NAME, value_parser = policy_name)]
    pub(crate) policy_name: String,
    /// Who may assume the role: makes it where it is missing.
    #[arg(long)]
    pub(crate) trust: Option<Trust>,
    /// For eks-irsa: the ARN of the cluster's OIDC provider.
    #[arg(long, required_if_eq("trust", "eks-irsa"))]
    pub(crate) oidc_provider: Option<String>,
    /// For eks-irsa: NAMESPACE:SERVICE-ACCOUNT.
    #[arg(long, required_if_eq("trust", "eks-irsa"))]
    pub(crate) service_account: Option<String>,
    /// The ARN of the permissions boundary that a role gets which is made.
    #[arg(long, value_name = "ARN", value_parser = made::boundary)]
    pub(crate) permissions_boundary: Option<String>,
    /// The path of the policy and the role that are made, such as /apps/.
    #[arg(long, value_parser = made::path)]
    pub(crate) path: Option<String>,
    /// A tag for the policy and the role that are made; may be given several times.
    #[arg(long = "tag", value_name = "KEY=VALUE", value_parser = made::tag)]
    pub(crate) tags: Vec<(String, String)>,
}

/// The policy's name where none is said.
pub(crate) const POLICY_NAME: &str = "sal-rds-iam";

/// Policies are made by name; an ARN's last part is it.
fn policy_name(text: &str) -> Result<String, String> {
    let of_arn = text
        .strip_prefix("arn:")
        .and_then(|arn| arn.split_once(":policy/"));
    let name = of_arn.map_or(text, |(_, path)| path.rsplit('/').next().unwrap_or(path));
    // IAM API Reference, `PolicyName`.
    let fits = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    if name.is_empty() || name.len() > 128 || !name.chars().all(fits) {
        return Err("a policy's name has letters, digits and _+=,.@- only, 128 at most".to_owned());
    }
    Ok(name.to_owned())
}

impl Aws {
    /// What everything made in IAM gets.
    pub(crate) fn made(&self) -> Made {
        Made {
            boundary: self.permissions_boundary.clone(),
            path: self.path.clone(),
            tags: self.tags.clone(),
        }
    }

    /// The role's name, without what an ARN says beside it.
    pub(crate) fn role_name(&self) -> Option<&str> {
        self.role.as_ref().map(|role| role.name.as_str())
    }
}

/// A platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Trust {
    /// ECS tasks, on Fargate or EC2.
    Ecs,
    /// EKS, IAM roles for service accounts.
    EksIrsa,
    /// EKS Pod Identity.
    EksPodIdentity,
    /// EC2 instances.
    Ec2,
}

/// `sal iam doctor`.
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    #[command(flatten)]
    pub(crate) who: Who,
    /// The name or the ARN of the IAM role to look at. By default the one that AWS says this is.
    #[arg(long)]
    pub(crate) role: Option<RoleName>,
    /// Show every line, also of what is as it should be.
    #[arg(long)]
    pub(crate) all: bool,
    /// Print JSON, which has every line.
    #[arg(long)]
    pub(crate) json: bool,
}

/// `sal iam plan`.
#[derive(Debug, Args)]
pub(crate) struct Plan {
    #[command(flatten)]
    pub(crate) who: Who,
    #[command(flatten)]
    pub(crate) aws: Aws,
    /// Plan the AWS side, too.
    #[arg(long = "aws")]
    pub(crate) with_aws: bool,
    /// Plan the way back instead.
    #[arg(long)]
    pub(crate) back: bool,
    /// As what.
    #[arg(long, default_value = "text")]
    pub(crate) format: PlanFormat,
}

/// The forms of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PlanFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// A psql script.
    Sql,
}

/// What every command that changes something has.
#[derive(Debug, Args)]
pub(crate) struct Change {
    #[command(flatten)]
    pub(crate) who: Who,
    /// Do not ask.
    #[arg(long)]
    pub(crate) yes: bool,
    /// Print what became of it as JSON; what happens meanwhile goes to standard error, as always.
    #[arg(long)]
    pub(crate) json: bool,
    /// The file that says what was done, by whom and when; the database has the same in a table.
    #[arg(long)]
    pub(crate) journal: Option<PathBuf>,
}

/// `sal iam apply`.
#[derive(Debug, Args)]
pub(crate) struct Apply {
    #[command(flatten)]
    pub(crate) change: Change,
    #[command(flatten)]
    pub(crate) aws: Aws,
    /// Do the AWS side, too: IAM authentication, policy, role.
    #[arg(long = "aws")]
    pub(crate) with_aws: bool,
    /// Go on without proof of the login with a token: for whoever may not log in to the database that way. The container
    /// proves it afterwards: `sal iam verify`.
    #[arg(long)]
    pub(crate) unproved: bool,
    /// Seconds that a change in AWS may take until it is live.
    #[arg(long, default_value_t = 900)]
    pub(crate) patience: u64,
}

/// `sal iam rollback`.
#[derive(Debug, Args)]
pub(crate) struct Rollback {
    #[command(flatten)]
    pub(crate) change: Change,
    #[command(flatten)]
    pub(crate) aws: Aws,
    /// Take the policy away, too.
    #[arg(long = "aws")]
    pub(crate) with_aws: bool,
    /// Also take away what the move made: roles, memberships, the owner role.
    #[arg(long)]
    pub(crate) everything: bool,
    /// Take the new user's login away although the old password is not at hand to be proved.
    #[arg(long)]
    pub(crate) unproved: bool,
}

/// `sal iam unlock`.
#[derive(Debug, Args)]
pub(crate) struct Unlock {
    #[command(flatten)]
    pub(crate) change: Change,
    /// Do it although the administrator's password is not at hand to be proved.
    #[arg(long)]
    pub(crate) unproved: bool,
}

/// `sal iam verify`.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    pub(crate) report: Report,
    /// Leave out what is Sal's: tables and a check-in.
    #[arg(long)]
    pub(crate) login_only: bool,
}

/// What every report has.
#[derive(Debug, Args)]
pub(crate) struct Report {
    #[command(flatten)]
    pub(crate) who: Who,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// `sal iam policy`.
#[derive(Debug, Args)]
pub(crate) struct Policy {
    /// The Postgres user. By default DB_USER where AWS_IAM is set, else salawsiam.
    #[arg(long, value_parser = aws_names::postgres_user)]
    pub(crate) user: Option<String>,
    #[command(flatten)]
    pub(crate) aws: Aws,
    /// Who is to have it: exactly what each calls. By default the policy of Sal's wiki page, which is the server's and three
    /// of the doctor's permissions.
    #[arg(long = "for")]
    pub(crate) holder: Option<Holder>,
    /// As what.
    #[arg(long, default_value = "policy")]
    pub(crate) format: PolicyFormat,
    /// A resource id (db-…, cluster-…, prx-…); may be given several times. By default RDS is asked.
    #[arg(long = "resource-id", value_parser = aws_names::resource_id)]
    pub(crate) resource_ids: Vec<String>,
    /// The database's account. By default AWS is asked.
    #[arg(long, value_parser = aws_names::account)]
    pub(crate) account: Option<String>,
    /// Allow every database of the account and region: a wildcard, wider than needed.
    #[arg(long, conflicts_with = "resource_ids")]
    pub(crate) any_database: bool,
    /// Allow every Postgres user: a wildcard, wider than needed.
    #[arg(long, conflicts_with = "user")]
    pub(crate) any_user: bool,
}

/// Who a policy is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Holder {
    /// The server: logs in to the database, and asks AWS nothing else.
    Server,
    /// `sal iam doctor`: reads the database, the role, the log and the metrics.
    Doctor,
    /// Whoever runs `sal iam plan`, `apply` and `rollback` with --aws.
    Operator,
}

/// The forms of a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PolicyFormat {
    /// The policy document.
    Policy,
    /// The role's trust policy.
    Trust,
    /// Lines for the AWS CLI.
    Cli,
    /// Terraform.
    Terraform,
    /// CloudFormation.
    Cloudformation,
}

/// `sal iam token`.
#[derive(Debug, Args)]
pub(crate) struct Token {
    /// The RDS endpoint, with `:port` or without; signed as given, without DNS. By default DB_HOST, and then port and region come from DB_PORT
    /// and AWS_RDS_REGION, too.
    #[arg(long)]
    pub(crate) host: Option<String>,
    /// The port that the login will use. By default 5432.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) port: Option<u16>,
    /// The Postgres user. By default DB_USER.
    #[arg(long, value_parser = aws_names::postgres_user)]
    pub(crate) user: Option<String>,
    /// The region; by default that of the endpoint's name.
    #[arg(long, value_parser = aws_names::region)]
    pub(crate) region: Option<String>,
    /// Sign for this time instead of now, as 20260102T030405Z.
    #[arg(long)]
    pub(crate) at: Option<String>,
}

/// `sal iam env`.
#[derive(Debug, Args)]
pub(crate) struct Env {
    /// The Postgres user. By default DB_USER where AWS_IAM is set, else salawsiam.
    #[arg(long, value_parser = aws_names::postgres_user)]
    pub(crate) user: Option<String>,
    /// As what.
    #[arg(long, default_value = "container")]
    pub(crate) format: EnvFormat,
    /// For libpq and service: the file with the certificate authorities, which `sal iam roots` makes. DB_SSLROOTCERT, where it is set, counts instead.
    #[arg(long, value_name = "FILE", default_value = "rds.pem")]
    pub(crate) roots: PathBuf,
    /// During the move: keep the password of this user as declared fallback.
    #[arg(long)]
    pub(crate) fallback_user: Option<String>,
}

/// The forms of an environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum EnvFormat {
    /// NAME=value for an env file of a container.
    Container,
    /// export NAME=value for a shell.
    Shell,
    /// PG… variables for libpq programs, with a token that is good for 15 minutes.
    Libpq,
    /// A line for ~/.pgpass, with a token that is good for 15 minutes.
    Pgpass,
    /// A section for ~/.pg_service.conf, without a secret.
    Service,
}

/// `sal iam psql`.
#[derive(Debug, Args)]
pub(crate) struct Psql {
    /// The Postgres user. By default DB_USER where AWS_IAM is set, else salawsiam.
    #[arg(long, value_parser = aws_names::postgres_user)]
    pub(crate) user: Option<String>,
    /// The program to start.
    #[arg(long, default_value = "psql")]
    pub(crate) program: PathBuf,
    /// Arguments for psql.
    #[arg(last = true)]
    pub(crate) arguments: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_its_name_or_an_arn_that_ends_in_it() {
        for text in ["sal", "arn:aws:iam::123456789012:policy/path/sal"] {
            assert_eq!(policy_name(text).as_deref(), Ok("sal"));
        }
        for text in [
            "",
            "policy/sal",
            "arn:aws:iam::123456789012:role/sal",
            "s l",
        ] {
            assert!(policy_name(text).is_err(), "{text}");
        }
    }
}
