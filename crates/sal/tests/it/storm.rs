//! Many check-ins at once on an empty pool: the logins keep to their limit, and nobody is turned away.

use std::sync::Arc;

use tokio::task::JoinSet;

use crate::checkins::Macs;
use crate::server::Server;
use crate::stage::Stage;

/// Logins per second in this test, and the most that come at once after a quiet time.
const LIMIT: usize = 5;
const POOL: usize = 16;

#[tokio::test]
async fn two_hundred_check_ins_at_once_keep_the_logins_under_their_limit() {
    let stage = Stage::set().await;
    let settings = stage
        .settings()
        // Maintenance has a connection of its own beside the pool.
        .with("SAL_JOBS", "false")
        .with("SAL_DB_POOL_SIZE", &POOL.to_string())
        .with("SAL_DB_LOGINS_PER_SECOND", &LIMIT.to_string());
    let mut server = Server::start(&settings).await;
    stage.make_group().await;
    stage.cut(&server).await;
    let before = stage.lab.metrics();

    let macs = Arc::new(Macs::new(200));
    let mut under_way = JoinSet::new();
    for mac in 0..macs.count() {
        let (macs, url) = (Arc::clone(&macs), server.url.clone());
        under_way.spawn(async move { macs.check_in_at(&url, mac, 0).await });
    }
    let answers = under_way.join_all().await;
    let not_now = answers.iter().filter(|status| **status == 503).count();
    let taken = answers.iter().filter(|status| **status == 200).count();
    assert_eq!(taken + not_now, 200, "{answers:?}");
    assert!(taken > 0);
    let stored = stage.value("SELECT count(*) FROM server_machine").await;
    assert_eq!(stored, taken.to_string());

    let after = stage.lab.metrics();
    let logins = after.success - before.success;
    assert!(
        (2..=16).contains(&logins),
        "{logins} logins for a pool of {POOL}"
    );
    assert_eq!(after.failure, before.failure);
    // The burst is never larger than the limit itself.
    let peak = stage.lab.peak_logins_per_second();
    assert!(peak <= 2 * LIMIT, "{peak} logins in one second");
    assert!(server.stop().await.success());
}
