//! A running lab: the instance, the account, and the handles tests hold.
//!
//! Dropping it ends everything; [`Lab::stop`] does so politely and waits.

mod handles;
mod trust_file;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use local_postgres::LocalPostgres;
use tokio::net::TcpListener;
use tokio_postgres::NoTls;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::auth_service::AuthService;
use crate::aws::{Account, Endpoints, INSTANCE_ROLE, TASK_ROLE};
use crate::breakage::Before;
use crate::certs::Authority;
use crate::clock::LabClock;
use crate::credentials::{Credential, Credentials, random};
use crate::database::{self, identifier, literal};
use crate::faults::Faults;
use crate::front::{Backend, Front, Roles};
use crate::instance::Instance;
use crate::options::{DirectTls, IamAuthentication};
use crate::pam::{self, Pam, PamDoor};
use crate::policy::Policy;
use crate::rate::Rate;
use crate::{LabError, LabOptions};
use trust_file::TrustFile;

/// A running lab.
pub struct Lab {
    pub(crate) options: LabOptions,
    address: SocketAddr,
    front: Arc<Front>,
    pub(crate) account: Arc<Account>,
    endpoints: Endpoints,
    static_credential: Credential,
    master_password: String,
    trust: TrustFile,
    before: Mutex<Before>,
    tasks: Tasks,
    pam: Option<PamDoor>,
    pub(crate) postgres: LocalPostgres,
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
    pub async fn start(options: LabOptions) -> Result<Self, LabError> {
        // PAM looks for service names in lower case only.
        let service = format!("rds-lab-{}", random(12).to_ascii_lowercase());
        let wants_pam = options.pam == Pam::OnMachineWeOwn;
        let more_hba = wants_pam.then(|| pam::hba(&service));
        let (mut postgres, master_password) =
            database::start(&options, more_hba.as_deref()).await?;
        let authority = Authority::create(&options.region, &options.endpoint, 1, None)?;
        let trust = TrustFile::create(postgres.folder(), &authority.root_pem)?;
        if wants_pam {
            pam::turn_tls_on(&mut postgres, &authority).await?;
        }
        let listener = TcpListener::bind(options.listen)
            .await
            .map_err(LabError::io("listen for Postgres clients"))?;
        let address = listener
            .local_addr()
            .map_err(LabError::io("listen for Postgres clients"))?;
        let tasks = Tasks::default();
        let account = Arc::new(open_account(&options, &postgres).await);
        let endpoints = Endpoints::start(&account, &tasks.tracker, &tasks.shutdown).await?;
        let signed_port = options.signed_port.unwrap_or(address.port());
        let front = front(
            &options,
            &postgres,
            &account,
            authority,
            signed_port,
            &tasks,
        );
        let front = Arc::new(front);
        let run = Arc::clone(&front).run(listener, tasks.tracker.clone(), tasks.shutdown.clone());
        tasks.tracker.spawn(run);
        let pam = match wants_pam {
            true => Some(pam::open(&service, &postgres, &front, &tasks).await?),
            false => None,
        };
        let static_credential = account.credentials.issue_static(account.user("sal-lab"));
        Ok(Self {
            options,
            address,
            pam,
            front,
            account,
            endpoints,
            static_credential,
            master_password,
            trust,
            before: Mutex::default(),
            tasks,
            postgres,
        })
    }

    /// Ends every connection, the stand-ins and the Postgres, and waits for all of them.
    pub async fn stop(self) {
        self.tasks.shutdown.cancel();
        self.tasks.tracker.close();
        self.tasks.tracker.wait().await;
        self.postgres.stop().await;
    }

    /// Closes every connection through the gate without a word, as a failover does.
    pub fn cut_connections(&self) {
        self.front.cut_connections();
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
        let options = &self.options;
        let new = Authority::create(&options.region, &options.endpoint, generation, ends)?;
        *self
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

    async fn run_sql(&self, action: &'static str, sql: &str) -> Result<(), LabError> {
        self.postgres
            .run_sql("postgres", sql)
            .await
            .map_err(LabError::database(action))
    }

    /// Lets a principal (an ARN, wildcards allowed, `*` for all) connect as a database user
    /// (wildcards allowed) or to a whole `rds-db` resource ARN.
    pub fn allow_connect(&self, principal: &str, user_or_arn: &str) {
        self.front.auth.policy.allow(principal, user_or_arn);
    }

    /// Takes back everything that was allowed to exactly this principal.
    pub fn revoke_connect(&self, principal: &str) {
        self.front.auth.policy.revoke(principal);
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

async fn open_account(options: &LabOptions, postgres: &LocalPostgres) -> Account {
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
        (instance, &options.resource_id),
    );
    for (role, service) in [
        (TASK_ROLE, "ecs-tasks.amazonaws.com"),
        (INSTANCE_ROLE, "ec2.amazonaws.com"),
    ] {
        account.add_role(role, service);
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

/// Whether there are further lines in `pg_hba.conf`; which ones does not matter here.
fn pam_hba(options: &LabOptions) -> Option<&'static str> {
    (options.pam == Pam::OnMachineWeOwn).then_some("")
}

fn front(
    options: &LabOptions,
    postgres: &LocalPostgres,
    account: &Account,
    authority: Authority,
    signed_port: u16,
    tasks: &Tasks,
) -> Front {
    let socket = format!(".s.PGSQL.{}", postgres.port());
    let admin = postgres.admin_config("postgres");
    Front {
        authority: RwLock::new(authority),
        auth: auth_service(options, account),
        backend: Backend {
            socket: postgres.socket_dir().join(socket),
            password_port: database::by_port(pam_hba(options)).then(|| postgres.port()),
        },
        iam_flag: Arc::clone(&account.instance),
        roles: Roles::new(admin, tasks.tracker.clone(), tasks.shutdown.clone()),
        faults: account.faults.clone(),
        force_ssl: options.force_ssl,
        takes_direct_tls: options.direct_tls == DirectTls::Always
            || postgres.binaries().major() >= 17,
        signed_port,
        connections: Mutex::default(),
    }
}

fn auth_service(options: &LabOptions, account: &Account) -> AuthService {
    AuthService {
        host: options.endpoint.clone(),
        region: options.region.clone(),
        endpoint: options.endpoint_kind,
        clock: account.clock.clone(),
        credentials: Arc::clone(&account.credentials),
        policy: Policy::new(&options.region, &options.account_id, &options.resource_id),
        faults: account.faults.clone(),
        record: Arc::clone(&account.record),
        directory: Arc::clone(&account.directory),
        rate: Rate::default(),
    }
}
