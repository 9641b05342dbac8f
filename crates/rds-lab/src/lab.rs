//! A running lab: the instance, the account, and the handles tests hold.
//!
//! Dropping it ends everything; [`Lab::stop`] does so politely and waits.

mod doors;
mod handles;
mod standby;
mod trust_file;

use std::sync::{Arc, Mutex, PoisonError};

use local_postgres::LocalPostgres;
use tokio_postgres::NoTls;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::aws::{Account, Endpoints, INSTANCE_ROLE, TASK_ROLE};
use crate::breakage::Before;
use crate::certs::Authority;
use crate::clock::LabClock;
use crate::credentials::{Credential, Credentials, random};
use crate::database::{self, identifier, literal};
use crate::faults::Faults;
use crate::instance::Instance;
use crate::options::IamAuthentication;
use crate::pam::{self, Pam, PamDoor};
use crate::shape::{PROXY_ROLE, Shape, Site};
use crate::{LabError, LabOptions};
use doors::{Doors, Hall};
pub use standby::OldConnections;
use trust_file::TrustFile;

/// A running lab.
pub struct Lab {
    pub(crate) options: LabOptions,
    doors: Doors,
    pub(crate) account: Arc<Account>,
    endpoints: Endpoints,
    static_credential: Credential,
    master_password: String,
    trust: TrustFile,
    before: Mutex<Before>,
    tasks: Tasks,
    pam: Option<PamDoor>,
    pub(crate) postgres: LocalPostgres,
    standby: Option<LocalPostgres>,
    /// Dead primaries; the file that clients trust lies in the first one's folder.
    former: Vec<LocalPostgres>,
}

/// Everything that runs beside; dropping it ends it.
#[derive(Default)]
pub(crate) struct Tasks {
    pub(crate) tracker: TaskTracker,
    pub(crate) shutdown: CancellationToken,
}

impl Drop for Tasks {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

impl Lab {
    /// Starts the Postgres, the gate and the stand-ins, and waits until all take connections.
    ///
    /// # Errors
    /// [`LabError`] says which part did not start.
    pub async fn start(mut options: LabOptions) -> Result<Self, LabError> {
        // PAM looks for service names in lower case only.
        let service = format!("rds-lab-{}", random(12).to_ascii_lowercase());
        let wants_pam = options.pam == Pam::OnMachineWeOwn;
        if wants_pam && options.shape != Shape::Instance {
            return Err(LabError::PamOfAnInstance);
        }
        let site = Arc::new(Site::new(&options));
        let names = site.names(&options.endpoint);
        if let Some(first) = names.first() {
            options.endpoint.clone_from(&first.endpoint);
        }
        options.resource_id.clone_from(&site.resource_id);
        let more_hba = wants_pam.then(|| pam::hba(&service));
        let (mut postgres, master_password) =
            database::start(&options, more_hba.as_deref()).await?;
        let endpoints: Vec<String> = names.iter().map(|name| name.endpoint.clone()).collect();
        let authority = Authority::create(&options.region, &endpoints, 1, None)?;
        let trust = TrustFile::create(postgres.folder(), &authority.root_pem)?;
        if wants_pam {
            pam::turn_tls_on(&mut postgres, &authority).await?;
        }
        let tasks = Tasks::default();
        let account = Arc::new(open_account(&options, &postgres, Arc::clone(&site)).await);
        let endpoints = Endpoints::start(&account, &tasks.tracker, &tasks.shutdown).await?;
        let hall = Hall::new(&options, &postgres, &account, authority, &tasks);
        let doors = hall.open(&names).await?;
        let pam = match wants_pam {
            true => Some(pam::open(&service, &postgres, &doors.front, &tasks).await?),
            false => None,
        };
        let static_credential = account.credentials.issue_static(account.user("sal-lab"));
        Ok(Self {
            options,
            pam,
            doors,
            account,
            endpoints,
            static_credential,
            master_password,
            trust,
            before: Mutex::default(),
            tasks,
            postgres,
            standby: None,
            former: Vec::new(),
        })
    }

    /// Ends every connection, the stand-ins and the Postgres, and waits for all of them.
    pub async fn stop(self) {
        self.tasks.shutdown.cancel();
        self.tasks.tracker.close();
        self.tasks.tracker.wait().await;
        self.postgres.stop().await;
        if let Some(standby) = self.standby {
            standby.stop().await;
        }
    }

    /// Closes every connection through the gate without a word, as a failover does.
    pub fn cut_connections(&self) {
        self.doors.front.cut_connections();
    }

    /// Fails over: another instance of the cluster writes, names lead there, and every connection is cut.
    ///
    /// # Errors
    /// [`LabError::NoFailover`] where there is one instance only.
    pub fn fail_over(&self) -> Result<(), LabError> {
        let site = &self.account.site;
        if site.members() < 2 {
            return Err(LabError::NoFailover);
        }
        site.fail_over();
        self.cut_connections();
        Ok(())
    }

    /// Makes the database Aurora Serverless v2 with this least capacity, such as `0.5`.
    pub fn make_serverless(&self, least_capacity: &str) {
        self.account.instance.change(|facts| {
            facts.serverless = Some(least_capacity.to_owned());
            "db.serverless".clone_into(&mut facts.class);
        });
    }

    /// Gives the proxy a secret: the password that it logs in with for a user.
    pub fn set_proxy_secret(&self, user: &str, password: &str) {
        self.account.site.set_secret(user, password);
    }

    /// Stops the Postgres as if its host died; connections break, new ones get SQLSTATE 57P03.
    pub async fn crash_postgres(&mut self) {
        self.postgres.crash().await;
    }

    /// Starts the Postgres again after [`Self::crash_postgres`], or restarts a healthy one.
    ///
    /// # Errors
    /// [`LabError::Postgres`].
    pub async fn restart_postgres(&mut self) -> Result<(), LabError> {
        Ok(self.postgres.restart().await?)
    }

    /// Replaces the root: new connections see a certificate that only the new root vouches for.
    ///
    /// # Errors
    /// [`LabError::Certificate`] or [`LabError::Io`]; the old root then stays.
    pub fn rotate_ca(&self) -> Result<(), LabError> {
        self.replace_ca(None)?;
        self.announce_ca()
    }

    /// Replaces the root without telling the file that clients trust.
    pub(crate) fn replace_ca(&self, ends: Option<jiff::Timestamp>) -> Result<(), LabError> {
        let generation = self.trust.next_generation();
        let doors = self.doors.all.iter();
        let endpoints: Vec<String> = doors.map(|door| door.endpoint.clone()).collect();
        let new = Authority::create(&self.options.region, &endpoints, generation, ends)?;
        *self
            .doors
            .front
            .authority
            .write()
            .unwrap_or_else(PoisonError::into_inner) = new;
        Ok(())
    }

    /// Tells the file that clients trust what the present root is.
    pub(crate) fn announce_ca(&self) -> Result<(), LabError> {
        self.trust.write(&self.ca_pem())
    }

    pub(crate) fn before<T>(&self, use_it: impl FnOnce(&mut Before) -> T) -> T {
        use_it(&mut self.before.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Creates a database.
    ///
    /// # Errors
    /// [`LabError::Database`] with Postgres's reason.
    pub async fn create_database(&self, name: &str, owner: &str) -> Result<(), LabError> {
        let sql = format!(
            "CREATE DATABASE {} OWNER {}",
            identifier(name),
            identifier(owner)
        );
        self.run_sql("create a database", &sql).await
    }

    /// Creates a login role in `rds_iam` and in the given roles, without a password.
    ///
    /// # Errors
    /// [`LabError::Database`] with Postgres's reason.
    pub async fn create_iam_user(&self, user: &str, member_of: &[&str]) -> Result<(), LabError> {
        let name = identifier(user);
        let mut sql = format!("CREATE ROLE {name} LOGIN; GRANT rds_iam TO {name};");
        for role in member_of {
            sql.push_str(&format!(" GRANT {} TO {name};", identifier(role)));
        }
        self.run_sql("create an IAM user", &sql).await
    }

    /// Creates a login role with a password.
    ///
    /// # Errors
    /// [`LabError::Database`] with Postgres's reason.
    pub async fn create_password_user(&self, user: &str, password: &str) -> Result<(), LabError> {
        let mut sql = format!(
            "CREATE ROLE {} LOGIN PASSWORD {};",
            identifier(user),
            literal(password)
        );
        if self.postgres.binaries().major() >= database::OWN_ADMIN_OPTION {
            // What the master gets who makes a role.
            sql.push_str(&format!(
                " GRANT {} TO {} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE",
                identifier(user),
                identifier(&self.options.master)
            ));
        }
        self.run_sql("create a password user", &sql).await
    }

    fn account_policy(&self) -> &crate::policy::Policy {
        &self.doors.front.auth.policy
    }

    async fn run_sql(&self, action: &'static str, sql: &str) -> Result<(), LabError> {
        self.postgres
            .run_sql("postgres", sql)
            .await
            .map_err(LabError::database(action))
    }

    /// Lets a principal (an ARN, wildcards allowed, `*` for all) connect as a database user
    /// (wildcards allowed) or to a whole `rds-db` resource ARN.
    pub fn allow_connect(&self, principal: &str, user_or_arn: &str) {
        self.account_policy().allow(principal, user_or_arn);
    }

    /// Takes back everything that was allowed to exactly this principal.
    pub fn revoke_connect(&self, principal: &str) {
        self.account_policy().revoke(principal);
    }

    /// Lets principals that fit a pattern assume a role.
    pub fn trust_role(&self, role_arn: &str, principal: &str) {
        self.account.trust(role_arn, principal);
    }

    /// Lets nobody assume a role who does not bring this external id.
    pub fn ask_for_external_id(&self, role_arn: &str, id: &str) {
        self.account.ask_for_external_id(role_arn, id);
    }

    /// Makes a token that `AssumeRoleWithWebIdentity` takes for the role.
    #[must_use]
    pub fn web_identity_token(&self, role_arn: &str) -> String {
        self.account.web_identity(role_arn)
    }

    /// Makes a key known that was made elsewhere.
    pub fn add_credential(&self, credential: Credential) {
        self.account.credentials.insert(credential);
    }

    /// Issues temporary credentials of a role, without asking STS.
    #[must_use]
    pub fn temporary_credentials(&self, role: &str) -> Credential {
        let arn = self.account.role_arn(role);
        let most = std::time::Duration::from_secs(12 * 3_600);
        self.account.issue(&arn, "lab", most)
    }
}

async fn open_account(options: &LabOptions, postgres: &LocalPostgres, site: Arc<Site>) -> Account {
    let has_proxy = site.shape.has_proxy();
    let clock = LabClock::new(Arc::clone(&options.clock));
    let credentials = Arc::new(Credentials::default());
    let faults = Faults::new(clock.clone(), Arc::clone(&credentials), options.login_limit);
    let version = server_version(postgres).await;
    let enabled = options.iam_authentication == IamAuthentication::On;
    let instance = Instance::new(&options.identifier, &version, enabled);
    let account = Account::new(
        &options.account_id,
        &options.region,
        clock,
        credentials,
        faults,
        (instance, site),
    );
    for (role, service) in [
        (TASK_ROLE, "ecs-tasks.amazonaws.com"),
        (INSTANCE_ROLE, "ec2.amazonaws.com"),
    ] {
        account.add_role(role, service);
    }
    if has_proxy {
        account.add_role(PROXY_ROLE, "rds.amazonaws.com");
    }
    account
}

/// Such as `15.18`, as RDS names engine versions.
async fn server_version(postgres: &LocalPostgres) -> String {
    let asked = async {
        let (client, connection) = postgres.admin_config("postgres").connect(NoTls).await?;
        let work = async move {
            client
                .query_one("SHOW server_version", &[])
                .await?
                .try_get::<_, String>(0)
        };
        let (_ended, version) = tokio::join!(connection, work);
        version
    };
    let version = asked
        .await
        .unwrap_or_else(|_error| postgres.binaries().major().to_string());
    version
        .split_whitespace()
        .next()
        .unwrap_or_default()
        .to_owned()
}
