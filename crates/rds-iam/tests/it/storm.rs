//! A thousand logins at once.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use rds_iam::BURST;

use crate::support::{connector, iam_config, lab};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_reconnects_stay_below_the_limit_and_all_arrive() {
    const PER_SECOND: u32 = 120;
    let lab = lab().await;
    let mut config = iam_config(&lab);
    config.logins_per_second = PER_SECOND;
    config.connect_timeout = Duration::from_secs(30);
    let connector = Arc::new(connector(config));
    let start = tokio::time::Instant::now();
    let logins = join_all((0..1000).map(|_| async {
        let connection = connector.connect().await?;
        drop(connection);
        Ok::<_, rds_iam::LoginError>(())
    }))
    .await;
    for login in logins {
        login.unwrap();
    }
    let attempts = lab.metrics().requests;
    assert!(
        (1000..1050).contains(&attempts),
        "{attempts} attempts for 1000 logins"
    );
    // The bucket lets through a burst and then the rate; on the way the logins bunch up a little.
    let took = start.elapsed();
    assert!(took >= Duration::from_secs(8), "{took:?} for 1000 logins");
    let peak = lab.peak_logins_per_second();
    let most = usize::try_from(PER_SECOND + BURST).unwrap();
    // A machine that stands still for a moment lets what was admitted before arrive together with what is admitted after.
    // Without the limit all thousand would.
    assert!(peak <= 2 * most, "{peak} logins in one second");
    assert_eq!(lab.metrics().failure_throttling, 0);
    connector.drained().await;
    lab.stop().await;
}
