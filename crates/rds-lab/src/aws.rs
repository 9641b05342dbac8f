//! Stand-ins for the AWS services around a login, on loopback: those that hand out credentials, and RDS, IAM,
//! CloudWatch as far as a move to IAM asks them.
//!
//! One listener each, so that each can fail alone. What they issue goes into the table that the
//! judges look up in. They answer what SDKs ask; nothing here is a simulator of AWS at large.

mod account;
mod cloudwatch;
mod container;
mod failing;
mod iam;
mod imds;
mod rds;
mod signed;
mod sts;
mod xml;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::LabError;
use crate::faults::Service;
use failing::FailingListener;

pub(crate) use account::Account;
pub use account::Requests;
pub(crate) use container::{FULL_PATH, RELATIVE_PATH, TASK_ROLE};
pub(crate) use imds::INSTANCE_ROLE;

/// Where the stand-ins listen.
pub(crate) struct Endpoints {
    pub(crate) imds: SocketAddr,
    pub(crate) container: SocketAddr,
    pub(crate) sts: SocketAddr,
    pub(crate) rds: SocketAddr,
    pub(crate) iam: SocketAddr,
    pub(crate) monitoring: SocketAddr,
    pub(crate) logs: SocketAddr,
}

impl Endpoints {
    /// Starts all of them; they end on `shutdown`.
    pub(crate) async fn start(
        account: &Arc<Account>,
        tracker: &TaskTracker,
        shutdown: &CancellationToken,
    ) -> Result<Self, LabError> {
        let serve = |service, routes| serve(account, service, routes, tracker, shutdown);
        Ok(Self {
            imds: serve(Service::Imds, imds::routes()).await?,
            container: serve(Service::Container, container::routes()).await?,
            sts: serve(Service::Sts, sts::routes()).await?,
            rds: serve(Service::Rds, rds::routes()).await?,
            iam: serve(Service::Iam, iam::routes()).await?,
            monitoring: serve(Service::Monitoring, cloudwatch::metric_routes()).await?,
            logs: serve(Service::Logs, cloudwatch::log_routes()).await?,
        })
    }
}

async fn serve(
    account: &Arc<Account>,
    service: Service,
    routes: Router<Arc<Account>>,
    tracker: &TaskTracker,
    shutdown: &CancellationToken,
) -> Result<SocketAddr, LabError> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .map_err(LabError::io("listen for an AWS stand-in"))?;
    let address = listener
        .local_addr()
        .map_err(LabError::io("listen for an AWS stand-in"))?;
    let routes =
        failing::layered(routes, service, account, shutdown).with_state(Arc::clone(account));
    let listener = FailingListener::new(listener, service, account.faults.clone());
    let ended = shutdown.clone().cancelled_owned();
    tracker.spawn(async move {
        let served = axum::serve(listener, routes)
            .with_graceful_shutdown(ended)
            .await;
        if let Err(error) = served {
            tracing::warn!(%error, ?service, "an AWS stand-in ended early");
        }
    });
    Ok(address)
}
