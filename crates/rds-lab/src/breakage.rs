//! What can be broken while the lab runs, by name: each plays something that happens to real installations.
//!
//! [`Lab::break_it`] does it, [`Lab::mend`] puts everything back. The names are what `sal lab break` takes.

use std::time::Duration;

use jiff::SignedDuration;

use crate::database::{identifier, literal};
use crate::directory::{Role, is_policy};
use crate::faults::{AuthHealth, EndpointHealth, InstanceRole, Service};
use crate::{Lab, LabError};

/// Something that can be broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Breakage {
    /// Its name.
    pub name: &'static str,
    /// What happens.
    pub what: &'static str,
}

/// Whose deployment is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployment {
    /// Its database.
    pub database: String,
    /// The user with the password.
    pub old_user: String,
    /// The user with IAM.
    pub new_user: String,
}

/// Everything that can be broken.
pub const BREAKAGES: &[Breakage] = &[
    of(
        "clock-behind",
        "AWS's clock is 20 minutes ahead of this machine's",
    ),
    of(
        "clock-ahead",
        "AWS's clock is 20 minutes behind this machine's",
    ),
    of(
        "credentials-expired",
        "the credentials that were handed out have expired, and the endpoint is down",
    ),
    of("credentials-short", "new credentials live 10 seconds only"),
    of(
        "credentials-down",
        "the container's credential endpoint is down",
    ),
    of(
        "credentials-silent",
        "the container's credential endpoint takes requests and never answers",
    ),
    of(
        "trust-removed",
        "the role does not trust the platform any more",
    ),
    of(
        "throttled",
        "more than 200 IAM logins a second, all refused",
    ),
    of(
        "auth-unavailable",
        "the service that checks tokens answers 503",
    ),
    of("policy-missing", "the role has no policy"),
    of(
        "policy-identifier",
        "the policy names the identifier instead of the resource id",
    ),
    of(
        "policy-other-database",
        "the policy names another database's resource id",
    ),
    of(
        "policy-other-user",
        "the policy names another Postgres user",
    ),
    of(
        "policy-condition",
        "the policy has a condition on aws:SourceIp",
    ),
    of("policy-denied", "a second policy denies rds-db:connect"),
    of(
        "organization-denies",
        "the organization's policy denies rds-db:connect",
    ),
    of("iam-off", "IAM authentication of the instance is off"),
    of(
        "iam-pending",
        "IAM authentication waits for the maintenance window",
    ),
    of("rds-iam-revoked", "the new user is not in rds_iam any more"),
    of(
        "rds-iam-to-admin",
        "somebody granted the new user to the master user",
    ),
    of(
        "rds-iam-to-old",
        "somebody granted the new user to the old one",
    ),
    of(
        "membership-revoked",
        "the new user is not a member of the old one any more",
    ),
    of("set-role-reset", "the new user's SET role was reset"),
    of("login-off", "the new user has NOLOGIN"),
    of(
        "connection-limit",
        "the new user's connection limit is reached",
    ),
    of("stray-objects", "the new user owns a table"),
    of(
        "ca-rotated",
        "the server's certificate comes from another root",
    ),
    of(
        "ca-ending",
        "the server's certificate comes from a root that ends in 20 days",
    ),
    of(
        "reader",
        "the name still leads to the old writer, which is a reader now",
    ),
    of(
        "slow",
        "connections are accepted and nothing follows for a minute",
    ),
    of("small-instance", "the instance is a db.t4g.micro"),
    of("kerberos", "the instance is joined to a Kerberos domain"),
    of("outpost", "the instance stands on an Outpost"),
    of("replica", "the instance has a read replica"),
    of(
        "blue-green",
        "a blue/green deployment is about to take the database's place",
    ),
    of(
        "log-not-exported",
        "iam-db-auth-error is not exported to CloudWatch",
    ),
    of("rds-api-down", "RDS's API is down"),
    of(
        "describe-denied",
        "the role may not describe databases or itself",
    ),
];

/// What Postgres itself does not play, and clients that come in by PAM would never see.
const FAULTS_OF_THE_GATE: &[&str] = &["ca-rotated", "ca-ending", "reader", "slow"];

const fn of(name: &'static str, what: &'static str) -> Breakage {
    Breakage { name, what }
}

/// How everything was before it was broken.
#[derive(Debug, Default)]
pub(crate) struct Before {
    /// The task's role: its trust, and which inline policies were changed.
    role: Option<Role>,
    /// The present root is one that ends soon.
    ca_ending: bool,
    /// Statements that undo, last first.
    undo: Vec<(String, String)>,
}

impl Lab {
    /// Breaks something; several can be broken at once.
    ///
    /// # Errors
    /// [`LabError::UnknownBreakage`], [`LabError::FaultOfTheGate`], or why it could not be done.
    pub async fn break_it(&self, name: &str, deployment: &Deployment) -> Result<(), LabError> {
        if self.pam_address().is_some() && FAULTS_OF_THE_GATE.contains(&name) {
            return Err(LabError::FaultOfTheGate {
                name: name.to_owned(),
            });
        }
        if self.break_aws(name, deployment)? || self.break_instance(name)? {
            return Ok(());
        }
        self.break_roles(name, deployment).await
    }

    /// Faults of services and policies; whether `name` is one of them.
    fn break_aws(&self, name: &str, deployment: &Deployment) -> Result<bool, LabError> {
        let faults = self.faults();
        match name {
            "clock-behind" => faults.shift_clock(SignedDuration::from_mins(20)),
            "clock-ahead" => faults.shift_clock(SignedDuration::from_mins(-20)),
            "credentials-expired" => {
                faults.expire_credentials();
                faults.set_endpoint(Service::Container, EndpointHealth::Down);
            }
            "credentials-short" => faults.set_credential_life(Duration::from_secs(10)),
            "credentials-down" => faults.set_endpoint(Service::Container, EndpointHealth::Down),
            "credentials-silent" => faults.set_endpoint(Service::Container, EndpointHealth::Silent),
            "throttled" => faults.set_auth(AuthHealth::Throttling),
            "auth-unavailable" => faults.set_auth(AuthHealth::Unavailable),
            "slow" => faults.set_slow_accept(Duration::from_secs(60)),
            "rds-api-down" => faults.set_endpoint(Service::Rds, EndpointHealth::Down),
            "organization-denies" => self.account.directory.with(|state| {
                state.organization_denies.push("rds-db:*".to_owned());
            }),
            "trust-removed" => self.change_role(|role| {
                role.trust = r#"{"Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#.to_owned();
            }),
            "policy-missing" => self.change_role(clear),
            "policy-identifier" => self.replace_policy(&self.resource(&self.options.identifier, &deployment.new_user), ""),
            "policy-other-database" => self.replace_policy(&self.resource("db-SOMEOTHERDATABASE0000000", &deployment.new_user), ""),
            "policy-other-user" => self.replace_policy(&self.resource(&self.options.resource_id, "somebody_else"), ""),
            "policy-condition" => self.replace_policy(
                &self.resource(&self.options.resource_id, &deployment.new_user),
                r#","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}"#,
            ),
            "policy-denied" => self.change_role(|role| {
                let deny = r#"{"Statement":[{"Effect":"Deny","Action":"rds-db:connect","Resource":"*"}]}"#;
                role.inline.insert("deny".to_owned(), deny.to_owned());
            }),
            "describe-denied" => self.replace_policy(&self.resource(&self.options.resource_id, &deployment.new_user), ""),
            _ => return Ok(false),
        }
        if name == "describe-denied" {
            self.change_role(|role| drop(role.inline.remove("doctor")));
        }
        Ok(true)
    }

    fn break_instance(&self, name: &str) -> Result<bool, LabError> {
        let instance = &self.account.instance;
        match name {
            "iam-off" => instance.change(|facts| facts.set(false, None)),
            "iam-pending" => instance.change(|facts| facts.set(false, Some(true))),
            "small-instance" => {
                instance.change(|facts| "db.t4g.micro".clone_into(&mut facts.class))
            }
            "kerberos" => instance.change(|facts| facts.kerberos = true),
            "outpost" => instance.change(|facts| facts.outpost = true),
            "replica" => {
                instance.change(|facts| facts.replicas.push("sal-sandbox-replica".to_owned()))
            }
            "blue-green" => {
                instance.change(|facts| facts.blue_green = Some("AVAILABLE".to_owned()))
            }
            "log-not-exported" => instance.change(|facts| facts.log_exports.clear()),
            "reader" => self.faults().set_role(InstanceRole::Reader),
            "ca-ending" => {
                let now = (self.options.clock)();
                self.replace_ca(Some(now + SignedDuration::from_hours(20 * 24)))?;
                self.announce_ca()?;
                self.before(|before| before.ca_ending = true);
            }
            "ca-rotated" => self.replace_ca(None)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    async fn break_roles(&self, name: &str, deployment: &Deployment) -> Result<(), LabError> {
        let (new, old) = (
            identifier(&deployment.new_user),
            identifier(&deployment.old_user),
        );
        let (master, database) = (
            identifier(&self.options.master),
            identifier(&deployment.database),
        );
        let (sql, undo) = match name {
            "rds-iam-revoked" => (
                revoke("rds_iam", &deployment.new_user),
                format!("GRANT rds_iam TO {new}"),
            ),
            "rds-iam-to-admin" => (
                format!("GRANT {new} TO {master}"),
                format!("REVOKE {new} FROM {master}"),
            ),
            // A circle of memberships is refused, so the right one has to go first.
            "rds-iam-to-old" => (
                format!(
                    "{}; GRANT {new} TO {old}",
                    revoke(&deployment.old_user, &deployment.new_user)
                ),
                format!("REVOKE {new} FROM {old}; GRANT {old} TO {new}"),
            ),
            "membership-revoked" => (
                revoke(&deployment.old_user, &deployment.new_user),
                format!("GRANT {old} TO {new}"),
            ),
            "set-role-reset" => (
                format!("ALTER ROLE {new} IN DATABASE {database} RESET role"),
                format!("ALTER ROLE {new} IN DATABASE {database} SET role = {old}"),
            ),
            "login-off" => (
                format!("ALTER ROLE {new} NOLOGIN"),
                format!("ALTER ROLE {new} LOGIN"),
            ),
            "connection-limit" => (
                format!("ALTER ROLE {new} CONNECTION LIMIT 0"),
                format!("ALTER ROLE {new} CONNECTION LIMIT -1"),
            ),
            "stray-objects" => (
                format!(
                    "CREATE TABLE stray_of_the_lab (x int); ALTER TABLE stray_of_the_lab OWNER TO {new}"
                ),
                "DROP TABLE stray_of_the_lab".to_owned(),
            ),
            _ => {
                return Err(LabError::UnknownBreakage {
                    name: name.to_owned(),
                });
            }
        };
        let done = self.postgres.run_sql(&deployment.database, &sql).await;
        done.map_err(LabError::database("break roles"))?;
        self.before(|before| before.undo.push((deployment.database.clone(), undo)));
        Ok(())
    }

    /// Puts everything back that was broken.
    ///
    /// # Errors
    /// [`LabError::Database`] when a role is not as it was left.
    pub async fn mend(&self) -> Result<(), LabError> {
        let faults = self.faults();
        faults.shift_clock(SignedDuration::ZERO);
        faults.set_credential_life(Duration::from_secs(3_600));
        for service in [
            Service::Imds,
            Service::Container,
            Service::Sts,
            Service::Rds,
            Service::Iam,
            Service::Monitoring,
            Service::Logs,
        ] {
            faults.set_endpoint(service, EndpointHealth::Up);
        }
        faults.set_auth(AuthHealth::Healthy);
        faults.set_role(InstanceRole::Writer);
        faults.set_slow_accept(Duration::ZERO);
        self.account.instance.mend();
        self.account
            .directory
            .with(|state| state.organization_denies.clear());
        let before = self.before(std::mem::take);
        if before.ca_ending {
            self.replace_ca(None)?;
        }
        self.announce_ca()?;
        if let Some(role) = before.role {
            self.restore(role);
        }
        // One that cannot be undone, because the role is gone meanwhile, must not keep the others.
        let mut outcome = Ok(());
        for (database, undo) in before.undo.iter().rev() {
            let done = self.postgres.run_sql(database, undo).await;
            outcome = outcome.and(done.map_err(LabError::database("mend roles")));
        }
        outcome
    }

    /// Gives a role an inline policy: what somebody's policy generator printed, and nothing else. `connect` and `doctor`
    /// are the names that faults know.
    ///
    /// # Errors
    /// [`LabError::NoPolicy`] for what IAM would refuse.
    pub fn put_role_policy(&self, role: &str, name: &str, document: &str) -> Result<(), LabError> {
        if !is_policy(document) {
            return Err(LabError::NoPolicy {
                name: name.to_owned(),
            });
        }
        self.account.directory.with(|state| {
            let role = state.roles.entry(role.to_owned()).or_insert_with(|| Role {
                arn: self.account.role_arn(role),
                ..Role::default()
            });
            role.inline.insert(name.to_owned(), document.to_owned());
        });
        Ok(())
    }

    /// Says how the master user is meant to log in: `password` or `iam-db-auth`, as RDS does.
    pub fn set_master_authentication(&self, how: &str) {
        let instance = &self.account.instance;
        instance.change(|facts| how.clone_into(&mut facts.master_authentication));
    }

    /// What was there before comes back; what came meanwhile, through IAM, stays.
    fn restore(&self, before: Role) {
        self.account.directory.with(|state| {
            let Some(role) = state.roles.get_mut(self.task_role()) else {
                return;
            };
            role.trust = before.trust;
            for name in ["connect", "deny", "doctor"] {
                role.inline.remove(name);
            }
            role.inline.extend(before.inline);
            for arn in before.attached {
                if state.policies.contains_key(&arn) && !role.attached.contains(&arn) {
                    role.attached.push(arn);
                }
            }
        });
    }

    fn change_role(&self, change: impl FnOnce(&mut Role)) {
        let role = self
            .account
            .directory
            .with(|state| state.roles.get(self.task_role()).cloned());
        if let Some(role) = role {
            self.before(|before| before.role.get_or_insert(role).arn.len());
        }
        self.account
            .directory
            .with(|state| state.roles.get_mut(self.task_role()).map(change));
    }

    /// Only this policy, beside what a doctor may look at.
    fn replace_policy(&self, resource: &str, more: &str) {
        let document = format!(
            r#"{{"Statement":[{{"Effect":"Allow","Action":"rds-db:connect","Resource":"{resource}"{more}}}]}}"#
        );
        self.change_role(|role| {
            clear(role);
            role.inline.insert("connect".to_owned(), document);
        });
    }

    fn resource(&self, id: &str, user: &str) -> String {
        format!(
            "arn:aws:rds-db:{}:{}:dbuser:{id}/{user}",
            self.options.region, self.options.account_id
        )
    }
}

/// Every grant of a membership, whoever made it: from Postgres 16 on a REVOKE takes the revoker's own only, and warns.
fn revoke(role: &str, member: &str) -> String {
    let (granted, to) = (literal(role), literal(member));
    let plain = format!("REVOKE {} FROM {}", identifier(role), identifier(member));
    format!(
        "DO $revoke$ DECLARE g name; BEGIN
           IF current_setting('server_version_num')::int < 160000 THEN EXECUTE {plain}; RETURN; END IF;
           FOR g IN SELECT o.rolname FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid JOIN pg_roles u ON u.oid = m.member
                    JOIN pg_roles o ON o.oid = m.grantor WHERE r.rolname = {granted} AND u.rolname = {to}
           LOOP EXECUTE format('REVOKE %I FROM %I GRANTED BY %I', {granted}, {to}, g); END LOOP;
         END $revoke$",
        plain = literal(&plain)
    )
}

/// Takes every policy for connecting; what a doctor may look at stays.
fn clear(role: &mut Role) {
    role.attached.clear();
    role.inline.retain(|name, _| name == "doctor");
}
