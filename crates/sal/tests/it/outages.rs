//! What goes wrong around a running server and passes again, without a restart and without a 500.

use std::time::Duration;

use rds_lab::{EndpointHealth, PolicyFault, Service};

use crate::checkins::Macs;
use crate::server::Server;
use crate::stage::{Settings, Stage};

/// A server with a group, and one check-in behind it.
struct Scene {
    stage: Stage,
    server: Server,
    macs: Macs,
    runs: u32,
}

impl Scene {
    async fn set() -> Self {
        Self::with(|settings| settings).await
    }

    async fn with(change: impl FnOnce(Settings) -> Settings) -> Self {
        let stage = Stage::set().await;
        let server = Server::start(&change(stage.settings())).await;
        stage.make_group().await;
        let mut scene = Self {
            stage,
            server,
            macs: Macs::new(1),
            runs: 0,
        };
        assert_eq!(scene.check_in().await, 200);
        scene
    }

    async fn check_in(&mut self) -> u16 {
        let status = self.macs.check_in(0, self.runs, &self.server).await;
        self.runs += 1;
        status
    }

    /// New logins are refused, with this in the log; check-ins are told to come back.
    async fn refuses_new_logins(&mut self, explanation: &[&str]) {
        self.stage.cut(&self.server).await;
        assert_eq!(self.check_in().await, 503);
        for text in explanation {
            self.server.logged(text).await;
        }
        let (status, report) = self.server.readiness().await;
        assert_eq!(status, 503);
        assert!(report["login"]["last_failure"].is_string(), "{report}");
    }

    /// New logins work again, and no request ever failed here.
    async fn is_well_again(&mut self) {
        self.server.recovered().await;
        assert_eq!(self.check_in().await, 200);
        assert!(self.server.stop().await.success());
        let log = self.server.log();
        assert!(!log.contains("answered 500"), "{log}");
    }
}

#[tokio::test]
async fn new_logins_go_on_through_an_outage_of_the_credential_source() {
    let mut scene = Scene::set().await;
    let faults = scene.stage.lab.faults().clone();
    for health in [
        EndpointHealth::Down,
        EndpointHealth::Status(503),
        EndpointHealth::Silent,
    ] {
        faults.set_endpoint(Service::Container, health);
        let before = scene.stage.lab.metrics().success;
        scene.stage.cut(&scene.server).await;
        assert_eq!(scene.check_in().await, 200, "{health:?}");
        assert!(scene.stage.lab.metrics().success > before);
    }
    assert_eq!(scene.stage.lab.metrics().failure, 0);
    faults.set_endpoint(Service::Container, EndpointHealth::Up);
    scene.is_well_again().await;
}

#[tokio::test]
async fn sessions_outlive_their_credentials_and_new_logins_work_after_the_recovery() {
    let mut scene = Scene::set().await;
    let faults = scene.stage.lab.faults().clone();
    faults.set_endpoint(Service::Container, EndpointHealth::Down);
    faults.expire_credentials();
    let before = scene.stage.lab.metrics().requests;
    for _ in 0..5 {
        assert_eq!(scene.check_in().await, 200);
    }
    assert_eq!(
        scene.stage.lab.metrics().requests,
        before,
        "an open session was enough"
    );
    scene
        .refuses_new_logins(&["PAM authentication failed"])
        .await;
    faults.set_endpoint(Service::Container, EndpointHealth::Up);
    scene.is_well_again().await;
}

#[tokio::test]
async fn a_policy_that_denies_is_explained_until_it_allows_again() {
    let mut scene = Scene::set().await;
    let faults = scene.stage.lab.faults().clone();
    faults.set_policy(PolicyFault::DenyAll);
    assert_eq!(
        scene.check_in().await,
        200,
        "open sessions are not asked again"
    );
    scene
        .refuses_new_logins(&[
            "PAM authentication failed",
            "rds-db:connect",
            "dbuser:RESOURCE-ID/salawsiam",
        ])
        .await;
    faults.set_policy(PolicyFault::AsGranted);
    scene.is_well_again().await;
}

#[tokio::test]
async fn a_revoked_rds_iam_is_explained_and_its_grant_is_noticed() {
    let mut scene = Scene::set().await;
    scene.stage.run("REVOKE rds_iam FROM salawsiam").await;
    scene
        .refuses_new_logins(&["token_sent_to_password_check", "GRANT rds_iam TO"])
        .await;
    scene.stage.run("GRANT rds_iam TO salawsiam").await;
    scene.is_well_again().await;
}

#[tokio::test]
async fn a_session_that_cannot_become_the_owner_is_refused() {
    let mut scene = Scene::with(|settings| settings.with("SAL_DB_EXPECT_ROLE", "sal")).await;
    scene.stage.run("REVOKE sal FROM salawsiam").await;
    scene.refuses_new_logins(&["salawsiam", "wrong_role"]).await;
    scene.stage.run("GRANT sal TO salawsiam").await;
    scene.is_well_again().await;
}

#[tokio::test]
async fn a_rotated_authority_is_read_again_from_its_file() {
    let mut scene = Scene::set().await;
    scene.stage.lab.rotate_ca().unwrap();
    scene.stage.cut(&scene.server).await;
    assert_eq!(scene.check_in().await, 200);
    scene
        .server
        .logged("the certificate authorities were read again")
        .await;
    scene.is_well_again().await;
}

#[tokio::test]
async fn an_authority_nobody_announced_is_refused_by_name() {
    let other = Stage::set().await;
    // The first roots of two labs have one name; the second one is named otherwise.
    other.lab.rotate_ca().unwrap();
    let strange = other.lab.ca_file().to_str().unwrap().to_owned();
    let stage = Stage::set().await;
    let settings = stage.settings().with("DB_SSLROOTCERT", &strange);
    let mut server = Server::launch(&settings);
    server.logged("unknown_authority").await;
    assert_eq!(
        stage.lab.metrics().requests,
        0,
        "no token went to a stranger"
    );
    assert!(server.stop().await.success());
}

#[tokio::test]
async fn a_login_slower_than_a_request_waits_goes_on_for_the_next_one() {
    let mut scene = Scene::set().await;
    // A client's request waits 4 s for a connection, a login may take 10 s.
    let faults = scene.stage.lab.faults().clone();
    faults.set_slow_accept(Duration::from_secs(6));
    scene.stage.cut(&scene.server).await;
    let before = scene.stage.lab.metrics().requests;
    assert_eq!(scene.check_in().await, 503);
    // The second one finds the login that the first began; on a busy machine it may take a third.
    let mut answers = Vec::new();
    while answers.last() != Some(&200) && answers.len() < 5 {
        answers.push(scene.check_in().await);
    }
    assert_eq!(answers.last(), Some(&200), "{answers:?}");
    assert_eq!(scene.stage.lab.metrics().requests - before, 1);
    faults.set_slow_accept(Duration::ZERO);
    scene.is_well_again().await;
}

#[tokio::test]
async fn a_server_that_starts_before_its_database_is_ready_when_it_comes() {
    let mut stage = Stage::set().await;
    stage.lab.crash_postgres().await;
    let mut server = Server::launch(&stage.settings());
    server.logged("not ready yet").await;
    stage.lab.restart_postgres().await.unwrap();
    server.ready().await;
    stage.make_group().await;
    assert_eq!(Macs::new(1).check_in(0, 0, &server).await, 200);
    assert!(server.stop().await.success());
}
