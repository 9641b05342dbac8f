//! Things that die under load: connections, the database, the server itself. No check-in is stored by half, and none
//! that was answered with 200 is lost.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::checkins::{Macs, stored_run};
use crate::server::Server;
use crate::stage::{Stage, until};

/// How often to kill: some times, or for minutes in the long run (`./dev test --long`).
fn rounds(usual: usize) -> usize {
    #[expect(clippy::disallowed_methods, reason = "tests have no configuration")]
    let is_long = std::env::var_os("SAL_TESTS_LONG").is_some();
    if is_long { 30 } else { usual }
}

/// Macs that check in again and again, each on its own, until they are told to stop.
struct Load {
    macs: Arc<Macs>,
    stop: Arc<AtomicBool>,
    taken: watch::Receiver<usize>,
    workers: JoinSet<Course>,
}

/// What one Mac did.
struct Course {
    mac: usize,
    /// The number of runs sent; one that was refused is sent again, as the real client does.
    sent: u32,
    /// The last run that was answered with 200.
    acknowledged: Option<u32>,
    /// How often each status came; 0 for no answer.
    statuses: BTreeMap<u16, u32>,
}

impl Load {
    fn start(server: &Server) -> Self {
        let macs = Arc::new(Macs::new(8));
        let stop = Arc::<AtomicBool>::default();
        let (count, taken) = watch::channel(0);
        let mut workers = JoinSet::new();
        for mac in 0..macs.count() {
            let (macs, stop) = (Arc::clone(&macs), Arc::clone(&stop));
            let (count, url) = (count.clone(), server.url.clone());
            workers.spawn(check_in_again(mac, url, macs, stop, count));
        }
        Self {
            macs,
            stop,
            taken,
            workers,
        }
    }

    /// Waits until so many more check-ins were answered with 200.
    async fn takes(&self, more: usize) {
        let mut taken = self.taken.clone();
        let goal = *taken.borrow_and_update() + more;
        until("more check-ins", async || *self.taken.borrow() >= goal).await;
    }

    async fn end(self) -> (Arc<Macs>, Vec<Course>) {
        self.stop.store(true, Ordering::Relaxed);
        (self.macs, self.workers.join_all().await)
    }
}

async fn check_in_again(
    mac: usize,
    url: String,
    macs: Arc<Macs>,
    stop: Arc<AtomicBool>,
    taken: watch::Sender<usize>,
) -> Course {
    let mut course = Course {
        mac,
        sent: 0,
        acknowledged: None,
        statuses: BTreeMap::new(),
    };
    let mut run = 0;
    while !stop.load(Ordering::Relaxed) {
        course.sent = run + 1;
        let status = macs.check_in_at(&url, mac, run).await;
        *course.statuses.entry(status).or_default() += 1;
        match status {
            200 => {
                course.acknowledged = Some(run);
                taken.send_modify(|taken| *taken += 1);
                run += 1;
            }
            0 => break,
            _ => {}
        }
    }
    course
}

/// Every machine holds one run, whole, and not an older one than the last that was acknowledged.
async fn assert_nothing_lost_or_halved(courses: &[Course], macs: &Macs, stage: &Stage) {
    for course in courses {
        let stored = stored_run(course.mac, 0..course.sent, macs, stage).await;
        assert!(
            stored >= course.acknowledged,
            "run {:?} was acknowledged, {stored:?} is stored",
            course.acknowledged
        );
    }
}

fn sum(courses: &[Course], status: u16) -> u32 {
    let of_one = |course: &Course| course.statuses.get(&status).copied().unwrap_or(0);
    courses.iter().map(of_one).sum()
}

fn assert_only(allowed: &[u16], courses: &[Course]) {
    for course in courses {
        let strange = course
            .statuses
            .keys()
            .find(|status| !allowed.contains(status));
        assert_eq!(strange, None, "{:?}", course.statuses);
    }
}

#[tokio::test]
async fn connections_cut_under_load_cost_some_503_and_nothing_else() {
    let stage = Stage::set().await;
    let mut server = Server::start(&stage.settings()).await;
    stage.make_group().await;
    let load = Load::start(&server);
    for _ in 0..3 {
        load.takes(10).await;
        stage.lab.cut_connections();
    }
    load.takes(10).await;
    let (macs, courses) = load.end().await;
    assert_only(&[200, 503], &courses);
    // Each dead connection costs one check-in at most, and the pool holds 16.
    assert!(sum(&courses, 503) <= 3 * 16, "{}", sum(&courses, 503));
    assert_nothing_lost_or_halved(&courses, &macs, &stage).await;
    assert!(server.stop().await.success());
}

#[tokio::test]
async fn a_crash_of_postgres_under_load_loses_no_acknowledged_check_in() {
    let mut stage = Stage::set().await;
    let mut server = Server::start(&stage.settings()).await;
    stage.make_group().await;
    let load = Load::start(&server);
    load.takes(20).await;
    for _ in 0..rounds(1) {
        stage.lab.crash_postgres().await;
        stage.lab.restart_postgres().await.unwrap();
        load.takes(20 + usize::from(rand::random::<u8>() / 8)).await;
    }
    let (macs, courses) = load.end().await;
    assert_only(&[200, 503], &courses);
    assert_nothing_lost_or_halved(&courses, &macs, &stage).await;
    server.recovered().await;
    assert!(server.stop().await.success());
}

#[tokio::test]
async fn a_server_killed_in_the_middle_of_check_ins_leaves_none_by_half() {
    let stage = Stage::set().await;
    let settings = stage.settings();
    let mut server = Server::start(&settings).await;
    stage.make_group().await;
    for round in 0..rounds(3) {
        let load = Load::start(&server);
        load.takes(15 + usize::from(rand::random::<u8>() / 8)).await;
        server.kill().await;
        let (macs, courses) = load.end().await;
        // The sessions of the dead server end by themselves; what they had not committed is gone then.
        until("the end of the sessions", async || {
            stage.sessions().await == 0
        })
        .await;
        assert_only(&[0, 200], &courses);
        assert!(sum(&courses, 200) >= 15, "round {round}");
        assert_nothing_lost_or_halved(&courses, &macs, &stage).await;
        stage.run("TRUNCATE server_machine CASCADE").await;
        server = Server::start(&settings).await;
    }
    assert_eq!(Macs::new(1).check_in(0, 0, &server).await, 200);
    assert!(server.stop().await.success());
}
