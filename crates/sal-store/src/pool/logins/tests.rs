//! Logins are made when the test says so, to a real Postgres or to none.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use local_postgres::{LocalPostgres, Options};
use tokio::sync::Semaphore;
use tokio_postgres::{Config, NoTls};

use super::*;
use crate::error::StoreError;
use crate::pool::{Lane, PoolConfig, Store};

/// Every login waits for a permit; without a Postgres it then fails.
struct Gated {
    gate: Semaphore,
    begun: AtomicUsize,
    postgres: Option<Config>,
}

impl Gated {
    fn new(postgres: Option<Config>) -> Arc<Self> {
        Arc::new(Self {
            gate: Semaphore::new(0),
            begun: AtomicUsize::new(0),
            postgres,
        })
    }

    fn begun(&self) -> usize {
        self.begun.load(Ordering::Relaxed)
    }
}

impl Connector for Gated {
    fn connect(&self) -> BoxFuture<'_, Outcome> {
        Box::pin(async {
            self.begun.fetch_add(1, Ordering::Relaxed);
            self.gate.acquire().await?.forget();
            let Some(config) = &self.postgres else {
                return Err("refused".into());
            };
            let (client, connection) = config.connect(NoTls).await?;
            let mut driver = JoinSet::new();
            driver.spawn(connection.map(drop));
            #[expect(
                clippy::disallowed_methods,
                reason = "the handle goes to the pool, which keeps it"
            )]
            let task = tokio::spawn(async move { while driver.join_next().await.is_some() {} });
            Ok(Connected {
                client,
                task,
                cancel: Arc::new(|| Box::pin(async { false })),
            })
        })
    }
}

fn store(connector: &Arc<Gated>, wait: Duration) -> Store {
    let config = PoolConfig {
        max_size: 2,
        pages_wait: wait,
        ..PoolConfig::default()
    };
    Store::new(connector.clone(), &config)
}

#[tokio::test]
async fn a_login_that_outlives_its_requests_serves_the_next_one() {
    let postgres = LocalPostgres::start(Options::default()).await.unwrap();
    let connector = Gated::new(Some(postgres.admin_config("postgres")));
    let impatient = store(&connector, Duration::from_millis(20));
    for _ in 0..5 {
        let refused = impatient.get(Lane::Pages).await.err();
        assert!(
            matches!(refused, Some(StoreError::PoolBusy { .. })),
            "{refused:?}"
        );
    }
    assert_eq!(connector.begun(), 1);
    connector.gate.add_permits(1);
    let found = async {
        loop {
            if let Ok(client) = impatient.get(Lane::Pages).await {
                break client;
            }
        }
    };
    let client = tokio::time::timeout(Duration::from_secs(10), found)
        .await
        .unwrap();
    assert_eq!(connector.begun(), 1);
    drop(client);
    postgres.stop().await;
}

#[tokio::test]
async fn as_many_logins_are_under_way_as_requests_wait() {
    let connector = Gated::new(None);
    let logins = Logins::new(connector.clone());
    {
        let mut two = std::pin::pin!(futures_util::future::join(logins.next(), logins.next()));
        assert!(two.as_mut().now_or_never().is_none());
        tokio::task::yield_now().await;
        assert_eq!(connector.begun(), 2);
    }
    // Both gave up; two others wait for the same two logins, and a third begins its own.
    let (first, second) = (logins.next(), logins.next());
    let mut three = std::pin::pin!(futures_util::future::join3(first, second, logins.next()));
    assert!(three.as_mut().now_or_never().is_none());
    tokio::task::yield_now().await;
    assert_eq!(connector.begun(), 3);
    connector.gate.add_permits(3);
    let (first, second, third) = three.await;
    assert!([first, second, third].iter().all(Result::is_err));
    assert_eq!(connector.begun(), 3);
}

#[tokio::test]
async fn a_failure_that_nobody_waited_for_is_forgotten() {
    let connector = Gated::new(None);
    let logins = Logins::new(connector.clone());
    assert!(logins.next().now_or_never().is_none());
    connector.gate.add_permits(1);
    while logins.shared.state().under_way > 0 {
        tokio::task::yield_now().await;
    }
    assert!(logins.next().now_or_never().is_none());
    tokio::task::yield_now().await;
    assert_eq!(connector.begun(), 2);
}
