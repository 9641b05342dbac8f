//! The lab's doors: a listener for each name, and what all of them share.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, RwLock};

use local_postgres::LocalPostgres;
use tokio::net::TcpListener;

use super::Tasks;
use crate::auth_service::AuthService;
use crate::aws::Account;
use crate::certs::Authority;
use crate::database;
use crate::front::{Backend, Ends, Front, Place, Roles};
use crate::options::DirectTls;
use crate::pam::Pam;
use crate::policy::Policy;
use crate::rate::Rate;
use crate::shape::{Door, Leads, Name, PROXY_ID, PROXY_ROLE};
use crate::{LabError, LabOptions};

/// Everything that listens for clients of Postgres.
pub(super) struct Doors {
    /// The writer's, or the only one.
    pub(super) front: Arc<Front>,
    pub(super) all: Vec<Door>,
}

/// What the doors share.
pub(super) struct Hall<'a> {
    options: &'a LabOptions,
    postgres: &'a LocalPostgres,
    account: &'a Arc<Account>,
    tasks: &'a Tasks,
    authority: Arc<RwLock<Authority>>,
    roles: Arc<Roles>,
    backend: Arc<Backend>,
    policy: Arc<Policy>,
    rate: Arc<Rate>,
    connections: Arc<Mutex<Ends>>,
}

impl<'a> Hall<'a> {
    pub(super) fn new(
        options: &'a LabOptions,
        postgres: &'a LocalPostgres,
        account: &'a Arc<Account>,
        authority: Authority,
        tasks: &'a Tasks,
    ) -> Self {
        let admin = postgres.admin_config("postgres");
        let roles = Roles::new(admin, tasks.tracker.clone(), tasks.shutdown.clone());
        let policy = Policy::new(&options.region, &options.account_id, &options.resource_id);
        Self {
            options,
            postgres,
            account,
            tasks,
            authority: Arc::new(RwLock::new(authority)),
            roles: Arc::new(roles),
            backend: Arc::new(Backend::at(place(options, postgres))),
            policy: Arc::new(policy),
            rate: Arc::default(),
            connections: Arc::default(),
        }
    }

    /// Opens them all. The first one listens where the options say, the others where there is room.
    pub(super) async fn open(&self, names: &[Name]) -> Result<Doors, LabError> {
        let mut fronts = Vec::new();
        let mut all = Vec::new();
        for name in names {
            let first = fronts.is_empty();
            let listen = match first {
                true => self.options.listen,
                false => SocketAddr::new(self.options.listen.ip(), 0),
            };
            let failed = || LabError::io("listen for Postgres clients");
            let listener = TcpListener::bind(listen).await.map_err(failed())?;
            let address = listener.local_addr().map_err(failed())?;
            let signed = self.options.signed_port.filter(|_| first);
            let front = Arc::new(self.front(name, signed.unwrap_or(address.port())));
            let (tracker, shutdown) = (self.tasks.tracker.clone(), self.tasks.shutdown.clone());
            let run = Arc::clone(&front).run(listener, tracker, shutdown);
            self.tasks.tracker.spawn(run);
            fronts.push(front);
            all.push(Door {
                name: name.name.clone(),
                endpoint: name.endpoint.clone(),
                address,
            });
        }
        let front = fronts.into_iter().next();
        let front = front.ok_or_else(|| LabError::NoDoor {
            name: "database".to_owned(),
            known: String::new(),
        })?;
        Ok(Doors { front, all })
    }

    fn front(&self, name: &Name, signed_port: u16) -> Front {
        let (options, postgres, account) = (self.options, self.postgres, self.account);
        Front {
            leads: name.leads,
            site: Arc::clone(&account.site),
            proxy_role: account.role_arn(PROXY_ROLE),
            authority: Arc::clone(&self.authority),
            auth: self.auth_service(name),
            backend: Arc::clone(&self.backend),
            iam_flag: Arc::clone(&account.instance),
            roles: Arc::clone(&self.roles),
            faults: account.faults.clone(),
            force_ssl: options.force_ssl,
            takes_direct_tls: options.direct_tls == DirectTls::Always
                || postgres.binaries().major() >= 17,
            signed_port,
            connections: Arc::clone(&self.connections),
        }
    }

    fn auth_service(&self, name: &Name) -> AuthService {
        let (options, account) = (self.options, self.account);
        let id = match name.leads {
            Leads::Proxy => PROXY_ID,
            Leads::Writer | Leads::Reader | Leads::Member(_) => &options.resource_id,
        };
        AuthService {
            host: name.endpoint.clone(),
            region: options.region.clone(),
            endpoint: options.endpoint_kind,
            clock: account.clock.clone(),
            credentials: Arc::clone(&account.credentials),
            policy: Arc::clone(&self.policy),
            resource_prefix: format!(
                "arn:aws:rds-db:{}:{}:dbuser:{id}/",
                options.region, options.account_id
            ),
            faults: account.faults.clone(),
            record: Arc::clone(&account.record),
            directory: Arc::clone(&account.directory),
            rate: Arc::clone(&self.rate),
        }
    }
}

/// Where the gate finds a Postgres.
pub(super) fn place(options: &LabOptions, postgres: &LocalPostgres) -> Place {
    // Which further lines there are in `pg_hba.conf` does not matter here.
    let more_hba = (options.pam == Pam::OnMachineWeOwn).then_some("");
    let socket = format!(".s.PGSQL.{}", postgres.port());
    Place {
        socket: postgres.socket_dir().join(socket),
        password_port: database::by_port(more_hba).then(|| postgres.port()),
    }
}
