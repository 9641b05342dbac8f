//! The database moves, restarts or vanishes while the program runs.

use std::{net::SocketAddr, sync::Arc};

use rds_iam::{Authorities, Connection};
use rds_lab::{InstanceRole, LabOptions};

use crate::support::{
    Names, USER, ask, clock, connector, connector_with, iam_config, lab, lab_without_policy, until,
};

#[tokio::test]
async fn after_a_failover_the_next_login_follows_dns() {
    let first = lab().await;
    let elsewhere = SocketAddr::from(([127, 0, 0, 2], first.address().port()));
    let options = LabOptions {
        listen: elsewhere,
        ..LabOptions::new(clock())
    };
    let second = lab_without_policy(options).await;
    second.allow_connect("*", USER);
    second.add_credential(first.static_credentials().clone());

    let names = Arc::new(Names::default());
    names.point(first.endpoint(), first.address().ip());
    let mut config = iam_config(&first);
    config.host_address = None;
    config.require_writable = true;
    config.tls.authorities = Authorities::Pem(first.ca_pem() + &second.ca_pem());
    let connector = connector_with(config, Arc::clone(&names));
    let before = connector.connect().await.unwrap();

    first.faults().set_role(InstanceRole::Reader);
    let error = connector.connect().await.unwrap_err();
    assert_eq!(
        error.explain().code,
        "not_writable",
        "the old writer must not be used"
    );

    names.point(first.endpoint(), elsewhere.ip());
    let after = connector.connect().await.unwrap();
    assert_eq!(ask(&after, "SELECT current_user::text").await, USER);
    assert_eq!(second.metrics().success, 1);

    first.cut_connections();
    notices_its_end(before).await;
    first.stop().await;
    second.stop().await;
}

#[tokio::test]
async fn a_restart_is_waited_for_and_explained_while_it_lasts() {
    // A fast lab may lose the roles it made a moment before the crash.
    let options = LabOptions {
        fast: false,
        ..LabOptions::new(clock())
    };
    let mut lab = lab_without_policy(options).await;
    lab.allow_connect("*", USER);
    let connector = connector(iam_config(&lab));
    let connection = connector.connect().await.unwrap();
    lab.crash_postgres().await;
    notices_its_end(connection).await;
    let error = connector.connect().await.unwrap_err();
    assert_eq!(error.explain().code, "server_restarting", "{error}");
    assert_eq!(error.context.attempts, 3);
    lab.restart_postgres().await.unwrap();
    connector.connect().await.unwrap();
    lab.stop().await;
}

async fn notices_its_end(connection: Connection) {
    until("the end of the connection", || {
        connection.client.is_closed()
    })
    .await;
    connection.task.await.unwrap();
}
