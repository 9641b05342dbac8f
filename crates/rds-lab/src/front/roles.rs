//! Asks the backend, for each login, whether a role is in `rds_iam` right now.
//!
//! One administrator's session, opened anew when it broke. Any chain of memberships counts, with
//! or without INHERIT: that is how `pg_hba.conf` reads `+rds_iam`.

use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::Mutex;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Config, NoTls};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::rules::Membership;

/// The administrator's session.
pub(crate) struct Roles {
    config: RwLock<Config>,
    session: Mutex<Option<Arc<Client>>>,
    tracker: TaskTracker,
    shutdown: CancellationToken,
}

impl Roles {
    pub(crate) fn new(config: Config, tracker: TaskTracker, shutdown: CancellationToken) -> Self {
        Self {
            config: RwLock::new(config),
            session: Mutex::default(),
            tracker,
            shutdown,
        }
    }

    /// Asks another server from here on. A session with the old one may hang, so nobody waits for it.
    pub(crate) async fn move_to(&self, config: Config) {
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = config;
        self.session.lock().await.take();
    }

    pub(super) async fn membership(&self, user: &str) -> Result<Membership, tokio_postgres::Error> {
        let session = self.session().await?;
        let rows = session
            .query_typed(MEMBERSHIP, &[(&user, Type::TEXT)])
            .await?;
        Ok(if rows.is_empty() {
            Membership::Other
        } else {
            Membership::Iam
        })
    }

    async fn session(&self) -> Result<Arc<Client>, tokio_postgres::Error> {
        let mut session = self.session.lock().await;
        if let Some(open) = session.as_ref().filter(|open| !open.is_closed()) {
            return Ok(Arc::clone(open));
        }
        let config = self
            .config
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let (client, connection) = config.connect(NoTls).await?;
        let shutdown = self.shutdown.clone();
        self.tracker.spawn(async move {
            tokio::select! {
                () = shutdown.cancelled() => {}
                // A broken session is noticed, and opened anew, by the next login.
                _ended = connection => {}
            }
        });
        Ok(Arc::clone(session.insert(Arc::new(client))))
    }
}

const MEMBERSHIP: &str = "
WITH RECURSIVE above (role) AS (
    SELECT oid FROM pg_roles WHERE rolname = $1
    UNION
    SELECT m.roleid FROM pg_auth_members m JOIN above ON m.member = above.role
    -- The master's right to grant rds_iam is a membership from Postgres 16 on; RDS lets it log in all the same.
    WHERE NOT (m.member = to_regrole('rds_superuser') AND m.roleid = to_regrole('rds_iam'))
)
SELECT 1 FROM above JOIN pg_roles r ON r.oid = above.role WHERE r.rolname = 'rds_iam'";
