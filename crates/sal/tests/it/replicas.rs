//! Three replicas on one database behind a load balancer. Replicas are killed, the database fails over to its standby:
//! every 200 is a row, people stay logged in, jobs run once.

mod balancer;
mod fleet;

use std::time::Duration;

use rds_lab::OldConnections;
use reqwest::StatusCode;
use reqwest::header::{COOKIE, SET_COOKIE};
use tokio::time::Instant;

use self::balancer::Balancer;
use self::fleet::{CLIENT_PATIENCE, Figures, Fleet, MARK};
use crate::server::Server;
use crate::stage::{Settings, Stage, until};

const PASSWORD: &str = "four-blue-kettles-77";
const REPLICAS: usize = 3;

/// How long to go on: as short as it can be, or for minutes in the long run (`./dev test --long`).
fn rounds() -> u32 {
    #[expect(clippy::disallowed_methods, reason = "tests have no configuration")]
    let is_long = std::env::var_os("SAL_TESTS_LONG").is_some();
    if is_long { 20 } else { 2 }
}

/// Three replicas, what is in front of them and what is behind.
struct Scene {
    stage: Stage,
    settings: Settings,
    servers: Vec<Server>,
    balancer: Balancer,
    cookie: String,
    kills: usize,
    failovers: usize,
    began: Instant,
}

impl Scene {
    async fn set() -> Self {
        let mut stage = Stage::set().await;
        stage.lab.start_standby().await.unwrap();
        let settings = stage
            .settings()
            .with("SAL_HISTORICAL_FACTS", MARK)
            .with("SAL_TRUSTED_PROXIES", "127.0.0.1")
            // One of the jobs is done every minute then.
            .with("MAINT_FREQUENCY", "60")
            .with("ADMIN_PASS", PASSWORD);
        let began = Instant::now();
        // All at once: they make the tables together.
        let mut servers: Vec<Server> = (0..REPLICAS).map(|_| Server::launch(&settings)).collect();
        for server in &mut servers {
            server.ready().await;
        }
        stage.make_group().await;
        let balancer = Balancer::start(&servers).await;
        let cookie = log_in(&balancer.url, &servers[0]).await;
        Self {
            stage,
            settings,
            servers,
            balancer,
            cookie,
            kills: 0,
            failovers: 0,
            began,
        }
    }

    /// Kills a replica in the middle of its work, and starts it again.
    async fn kill_one(&mut self, fleet: &Fleet) {
        let number = self.kills % REPLICAS;
        self.servers[number].kill().await;
        self.kills += 1;
        fleet.takes(10).await;
        self.servers[number] = Server::start(&self.settings).await;
        self.balancer.lead_to(number, &self.servers[number]).await;
        fleet.takes(10).await;
    }

    /// The database's host dies; the standby takes over and gets a standby of its own.
    async fn fail_over(&mut self, old: OldConnections, fleet: &Fleet) {
        self.stage.lab.fail_over_to_standby(old).await.unwrap();
        self.failovers += 1;
        fleet.takes(10).await;
        self.stage.lab.start_standby().await.unwrap();
    }

    /// Every replica is ready again, and whoever logged in at one is logged in at all.
    async fn is_logged_in_everywhere(&self) {
        for server in &self.servers {
            server.recovered().await;
            until("the session", async || {
                let url = format!("{}/", server.url);
                let asked = server.http.get(url).header(COOKIE, &self.cookie);
                let answer = asked.send().await;
                // 503 passes; a redirect leads to the login page and does not.
                let status = answer.map_or(StatusCode::SERVICE_UNAVAILABLE, |it| it.status());
                assert!(!status.is_redirection(), "the session is gone");
                status == StatusCode::OK
            })
            .await;
        }
    }

    /// No job ran more often than its period says, however many servers could have.
    async fn jobs_ran_once(&self) {
        let jobs = self
            .stage
            .rows("SELECT name, runs, every_seconds FROM salrs_job")
            .await;
        assert!(jobs.len() > 5, "{jobs:?}");
        for job in jobs {
            let (runs, every) = (job[1].parse::<u64>(), job[2].parse::<u64>());
            let most = 1 + self.began.elapsed().as_secs() / every.unwrap();
            let runs = runs.unwrap();
            assert!(runs >= 1 && runs <= most, "{job:?}, at most {most}");
        }
    }

    async fn first_round_of_jobs(&self) {
        let undone =
            "SELECT count(*)::text FROM salrs_job WHERE last_result IS DISTINCT FROM 'done'";
        let done = "SELECT count(*)::text FROM salrs_job WHERE last_result = 'done'";
        until("the first round of all jobs", async || {
            self.stage.value(done).await != "0" && self.stage.value(undone).await == "0"
        })
        .await;
        let works = |server: &&Server| server.log().contains("does the maintenance now");
        assert_eq!(self.servers.iter().filter(works).count(), 1);
    }

    #[expect(clippy::print_stderr, reason = "the figures of a long run")]
    fn report(&self, figures: &Figures) {
        eprintln!(
            "killed {} times, failed over {} times in {:.0} s: {figures:?}",
            self.kills,
            self.failovers,
            self.began.elapsed().as_secs_f64()
        );
    }
}

/// Logs in through the balancer; the session's cookie.
async fn log_in(url: &str, server: &Server) -> String {
    let form = [("username", "admin"), ("password", PASSWORD)];
    let url = format!("{url}/login/");
    let answer = server.http.post(url).form(&form).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::FOUND);
    let cookie = answer.headers()[SET_COOKIE].to_str().unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn replicas_die_and_the_database_fails_over_and_every_200_is_a_row() {
    let mut scene = Scene::set().await;
    scene.first_round_of_jobs().await;
    let fleet = Fleet::start(&scene.balancer.url, 12, Duration::from_millis(500));
    fleet.takes(20).await;
    for _ in 0..rounds() {
        scene.kill_one(&fleet).await;
        scene.fail_over(OldConnections::Closed, &fleet).await;
        scene.is_logged_in_everywhere().await;
        scene.kill_one(&fleet).await;
    }
    let outcome = fleet.end().await;
    let figures = outcome.figures(&scene.stage).await;
    scene.report(&figures);
    assert_eq!(figures.stored, figures.acknowledged, "{figures:?}");
    assert!(figures.acknowledged * 10 > figures.sent * 8, "{figures:?}");
    assert!(figures.p99 < CLIENT_PATIENCE, "{figures:?}");
    let strange = figures
        .statuses
        .keys()
        .find(|status| ![0, 200, 502, 503, 504].contains(*status));
    assert_eq!(strange, None, "{figures:?}");
    scene.is_logged_in_everywhere().await;
    scene.jobs_ran_once().await;
    for server in &mut scene.servers {
        assert!(!server.log().contains("answered 500"), "{}", server.log());
        assert!(server.stop().await.success());
    }
}

/// The harder way: what went to the dead host hangs. Kernels notice that within seconds; here nothing tells, so only
/// the server's own patience helps.
#[tokio::test]
async fn a_database_host_that_dies_without_a_word_is_given_up_and_nothing_is_lost() {
    let mut scene = Scene::set().await;
    let fleet = Fleet::start(&scene.balancer.url, 6, Duration::from_millis(500));
    fleet.takes(20).await;
    scene.fail_over(OldConnections::Silent, &fleet).await;
    scene.is_logged_in_everywhere().await;
    fleet.takes(60).await;
    let outcome = fleet.end().await;
    let figures = outcome.figures(&scene.stage).await;
    scene.report(&figures);
    assert_eq!(figures.stored, figures.acknowledged, "{figures:?}");
    for server in &mut scene.servers {
        assert!(!server.log().contains("answered 500"), "{}", server.log());
    }
}
