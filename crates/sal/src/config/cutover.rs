//! What `sal iam` needs to know: the database, three users, AWS, the journal.

use std::path::PathBuf;

use iam_cutover::{LostGrants, RdsSuperuser, Wish, aws::AwsEndpoints};
use rds_iam::Secret;

use super::Environment;
use super::database::{DatabaseConfig, Login, Proof};
use crate::cli;

/// Everything about a move.
pub(crate) struct CutoverConfig {
    pub(crate) database: DatabaseConfig,
    /// Whether the environment is that of a deployment that logs in with IAM.
    pub(crate) iam: bool,
    pub(crate) wish: Wish,
    /// Whether the old user is known, or has to be looked for in the database.
    pub(crate) old_user_known: bool,
    pub(crate) old_password: Option<Secret>,
    pub(crate) admin_user: Option<String>,
    /// Whether SAL_ADMIN_USER names it; otherwise it is the deployment's own user.
    pub(crate) admin_is_named: bool,
    pub(crate) admin_password: Option<Secret>,
    pub(crate) endpoints: AwsEndpoints,
    pub(crate) journal: PathBuf,
}

impl CutoverConfig {
    /// Reads the environment, and what the command line says instead.
    pub(crate) fn read(who: &cli::Who, environment: &mut Environment) -> Self {
        let database = DatabaseConfig::read_target(environment);
        let iam = database
            .logins
            .first()
            .is_some_and(|login: &Login| matches!(login.proof, Proof::Iam));
        let mut databases = who.databases.clone();
        if databases.is_empty() && !database.name.is_empty() {
            databases.push(database.name.clone());
        }
        let Some(home) = databases.first().cloned() else {
            environment.problem(
                "DB_NAME is not set (commands that take --database do without it)".to_owned(),
            );
            return Self::empty(database, environment);
        };
        let configured = (!database.user.is_empty()).then(|| database.user.clone());
        let (of_iam, of_password) = if iam {
            (configured, None)
        } else {
            (None, configured)
        };
        let fallback = database.fallback_user.clone();
        let old = who.old_user.clone().or(of_password.clone()).or(fallback);
        let new = who
            .user
            .clone()
            .or(of_iam)
            .unwrap_or_else(|| NEW_USER.to_owned());
        let admin_password = environment.secret("SAL_ADMIN_PASS").map(Secret::new);
        let old_password = environment.secret("DB_PASS").map(Secret::new);
        let own_admin = environment.text("SAL_ADMIN_USER");
        if own_admin.is_none() && admin_password.is_some() {
            environment.problem("SAL_ADMIN_PASS is set without SAL_ADMIN_USER".to_owned());
        }
        let admin_is_named = own_admin.is_some();
        // Without an administrator of its own, the deployment's user may be the master user.
        let (admin_user, admin_password) = match own_admin {
            Some(user) => (Some(user), admin_password),
            None => (
                of_password.filter(|_| old_password.is_some()),
                old_password.clone(),
            ),
        };
        let mut wish = Wish::new(old.as_deref().unwrap_or_default(), &new, &home);
        wish.databases = databases;
        wished(who, &mut wish);
        Self {
            iam,
            wish,
            old_user_known: old.is_some(),
            old_password,
            admin_user,
            admin_is_named,
            admin_password,
            ..Self::empty(database, environment)
        }
    }

    fn empty(database: DatabaseConfig, environment: &mut Environment) -> Self {
        Self {
            database,
            iam: false,
            wish: Wish::new("", NEW_USER, ""),
            old_user_known: false,
            old_password: None,
            admin_user: None,
            admin_is_named: false,
            admin_password: None,
            endpoints: endpoints(environment),
            journal: environment
                .text("SAL_IAM_JOURNAL")
                .map(PathBuf::from)
                .unwrap_or_default(),
        }
    }
}

/// What the command line says of how the move is to be made.
fn wished(who: &cli::Who, wish: &mut Wish) {
    if let Some(owner) = &who.owner_role {
        wish.owner_role.clone_from(owner);
    }
    if who.grant_rds_superuser {
        wish.rds_superuser = RdsSuperuser::Grant;
    }
    if who.leave_grants {
        wish.lost_grants = LostGrants::Accept;
    }
}

fn endpoints(environment: &mut Environment) -> AwsEndpoints {
    for name in [
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_RDS",
        "AWS_ENDPOINT_URL_STS",
        "AWS_ENDPOINT_URL_IAM",
        "AWS_ENDPOINT_URL_CLOUDWATCH",
        "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS",
    ] {
        environment.refuse_user_in_url(name);
    }
    let all = environment.text("AWS_ENDPOINT_URL");
    let of = |name: &str| environment.text(name).or_else(|| all.clone());
    AwsEndpoints {
        rds: of("AWS_ENDPOINT_URL_RDS"),
        sts: of("AWS_ENDPOINT_URL_STS"),
        iam: of("AWS_ENDPOINT_URL_IAM"),
        monitoring: of("AWS_ENDPOINT_URL_CLOUDWATCH"),
        logs: of("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS"),
    }
}

/// The name on Sal's wiki page.
const NEW_USER: &str = "salawsiam";
