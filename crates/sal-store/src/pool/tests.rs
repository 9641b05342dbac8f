//! The pool on a real Postgres: what is hung up, what is full, what is wrong.

use std::collections::HashSet;

use futures_util::FutureExt;
use local_postgres::{LocalPostgres, Options};
use tokio_postgres::{Config, NoTls};

use super::*;

/// Connects without TLS, and cancels.
struct Plain(Config);

impl Connector for Plain {
    fn connect(&self) -> BoxFuture<'_, Result<Connected, Box<dyn Error + Send + Sync>>> {
        async {
            let (client, connection) = self.0.connect(NoTls).await?;
            #[expect(
                clippy::disallowed_methods,
                reason = "the handle goes to the pool, which keeps it"
            )]
            let task = tokio::spawn(connection.map(drop));
            let token = client.cancel_token();
            let cancel: Cancel = Arc::new(move || {
                let token = token.clone();
                async move { token.cancel_query(NoTls).await.is_ok() }.boxed()
            });
            Ok(Connected {
                client,
                task,
                cancel,
            })
        }
        .boxed()
    }
}

async fn postgres() -> LocalPostgres {
    let options = Options {
        fast: true,
        ..Options::default()
    };
    LocalPostgres::start(options).await.unwrap()
}

fn store(postgres: &LocalPostgres, config: &PoolConfig) -> Store {
    Store::new(Arc::new(Plain(postgres.admin_config("postgres"))), config)
}

fn of_size(max_size: usize) -> PoolConfig {
    PoolConfig {
        max_size,
        ..PoolConfig::default()
    }
}

async fn number(sql: &str, client: &Client) -> i64 {
    let rows = query_typed(sql, &[], client).await.unwrap();
    rows.first().unwrap().get(0)
}

/// Backends of our pool, those that run something first.
async fn backends(postgres: &LocalPostgres) -> Vec<String> {
    let (client, connection) = postgres
        .admin_config("postgres")
        .connect(NoTls)
        .await
        .unwrap();
    let asking = async {
        let sql = "SELECT query FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
        let rows = client.query(sql, &[]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    };
    tokio::select! {
        found = asking => found,
        _ended = connection => panic!("the connection ended"),
    }
}

#[tokio::test]
async fn a_statement_whose_request_is_gone_is_cancelled_before_its_place_is_free() {
    let postgres = postgres().await;
    let store = store(&postgres, &of_size(1));
    for sql in [
        "SELECT pg_sleep(3600)",
        "SELECT count(*) FROM generate_series(1, 1e12::bigint)",
    ] {
        let client = store.get(Lane::Pages).await.unwrap();
        let hung_up = tokio::time::timeout(Duration::from_millis(50), batch(sql, &client)).await;
        assert!(hung_up.is_err(), "the statement ended by itself");
        drop(client);
        // Only when the old statement has ended is there a place for this one.
        let next = store.get(Lane::Machines).await.unwrap();
        let running = backends(&postgres).await;
        assert!(!running.iter().any(|query| query == sql), "{running:?}");
        assert_eq!(running.len(), 1, "{running:?}");
        assert_eq!(number("SELECT 1::bigint", &next).await, 1);
    }
    postgres.stop().await;
}

#[tokio::test]
async fn a_transaction_whose_request_is_gone_is_rolled_back_and_its_connection_serves_on() {
    let postgres = postgres().await;
    let store = store(&postgres, &of_size(1));
    let client = store.get(Lane::Machines).await.unwrap();
    let backend = number("SELECT pg_backend_pid()::bigint", &client).await;
    batch("CREATE TABLE kept (n int)", &client).await.unwrap();
    let tx = client.begin().await.unwrap();
    batch("INSERT INTO kept VALUES (1)", &tx).await.unwrap();
    drop(tx);
    let client = store.get(Lane::Machines).await.unwrap();
    assert_eq!(number("SELECT count(*) FROM kept", &client).await, 0);
    assert_eq!(
        number("SELECT pg_backend_pid()::bigint", &client).await,
        backend
    );
    // One that failed in the middle serves on too.
    let tx = client.begin().await.unwrap();
    assert!(batch("SELECT 1/0", &tx).await.is_err());
    drop(tx);
    let client = store.get(Lane::Machines).await.unwrap();
    assert_eq!(
        number("SELECT pg_backend_pid()::bigint", &client).await,
        backend
    );
    postgres.stop().await;
}

#[tokio::test]
async fn forty_hung_up_requests_leave_no_more_backends_than_the_pool_has() {
    let postgres = postgres().await;
    let store = store(&postgres, &of_size(4));
    let mut most = 0;
    for _ in 0..40 {
        let client = store.get(Lane::Machines).await.unwrap();
        let _hung_up = tokio::time::timeout(
            Duration::from_millis(1),
            batch("SELECT pg_sleep(60)", &client),
        )
        .await;
        drop(client);
        most = most.max(backends(&postgres).await.len());
    }
    assert!(most <= 4, "{most} backends");
    postgres.stop().await;
}

#[tokio::test]
async fn neither_machines_nor_pages_nor_bulky_ones_take_all_connections() {
    let postgres = postgres().await;
    let impatient = PoolConfig {
        machines_wait: Duration::from_millis(50),
        pages_wait: Duration::from_millis(50),
        ..of_size(8)
    };
    for (greedy, most, others) in [
        (Lane::Pages, 6, vec![Lane::Machines, Lane::BulkyMachines]),
        (Lane::Exports, 1, vec![Lane::Machines, Lane::Pages]),
        (Lane::Machines, 6, vec![Lane::Pages, Lane::Exports]),
        (Lane::BulkyMachines, 2, vec![Lane::Pages, Lane::Machines]),
    ] {
        let store = store(&postgres, &impatient);
        // A login may take longer than the wait; it goes on, and serves who asks again.
        let mut held = Vec::new();
        while held.len() < most {
            held.push(patiently(greedy, &store).await);
        }
        let refused = store.get(greedy).await.err().unwrap();
        assert!(matches!(refused, StoreError::PoolBusy { .. }), "{refused}");
        assert!(refused.is_busy() && refused.is_outage());
        for other in others {
            drop(patiently(other, &store).await);
        }
        drop(held);
        // Readiness needs none of the pool. This database has no tables of Sal, which it says.
        let said = store.probe().await.unwrap_err();
        assert!(said.contains("server_machine"), "{said}");
    }
    postgres.stop().await;
}

/// A connection of a lane that has one, however slow this machine is.
async fn patiently(lane: Lane, store: &Store) -> Client {
    let found = async {
        loop {
            if let Ok(client) = store.get(lane).await {
                break client;
            }
        }
    };
    let found = tokio::time::timeout(Duration::from_secs(20), found).await;
    found.unwrap_or_else(|_elapsed| panic!("{lane:?} has no connection"))
}

#[tokio::test]
async fn a_pool_of_one_serves_both_in_turn() {
    let postgres = postgres().await;
    let store = store(&postgres, &of_size(1));
    for lane in [
        Lane::Pages,
        Lane::Machines,
        Lane::Exports,
        Lane::BulkyMachines,
    ] {
        let client = store.get(lane).await.unwrap();
        assert_eq!(number("SELECT 1::bigint", &client).await, 1);
    }
    assert_eq!(store.status().open, 1);
    postgres.stop().await;
}

#[tokio::test]
async fn every_session_has_its_limits() {
    let postgres = postgres().await;
    let store = store(&postgres, &of_size(2));
    let client = store.get(Lane::Pages).await.unwrap();
    let sql = "SELECT name || '=' || setting FROM pg_settings WHERE name IN ('statement_timeout', 'lock_timeout',
        'idle_in_transaction_session_timeout', 'client_connection_check_interval', 'jit')";
    let found: HashSet<String> = query_typed(sql, &[], &client)
        .await
        .unwrap()
        .iter()
        .map(|row| row.get(0))
        .collect();
    let expected = [
        "statement_timeout=60000",
        "lock_timeout=3000",
        "idle_in_transaction_session_timeout=30000",
        "client_connection_check_interval=5000",
        "jit=off",
    ];
    assert_eq!(found, expected.map(str::to_owned).into());
    postgres.stop().await;
}

#[tokio::test]
async fn a_connection_that_became_read_only_is_not_used_again() {
    let postgres = postgres().await;
    let store = store(&postgres, &of_size(1));
    let client = store.get(Lane::Machines).await.unwrap();
    let backend = number("SELECT pg_backend_pid()::bigint", &client).await;
    batch("SET default_transaction_read_only = on", &client)
        .await
        .unwrap();
    let refused = batch("CREATE TABLE nope (n int)", &client)
        .await
        .unwrap_err();
    assert!(refused.is_outage() && !refused.is_busy(), "{refused}");
    drop(client);
    let client = store.get(Lane::Machines).await.unwrap();
    assert_ne!(
        number("SELECT pg_backend_pid()::bigint", &client).await,
        backend
    );
    batch("CREATE TABLE works (n int)", &client).await.unwrap();
    postgres.stop().await;
}

#[tokio::test]
async fn a_locked_table_is_waited_for_shortly_and_readiness_names_who_locks() {
    let postgres = postgres().await;
    let config = PoolConfig {
        session: SessionLimits {
            lock: Duration::from_millis(300),
            ..SessionLimits::default()
        },
        ..of_size(4)
    };
    let store = store(&postgres, &config);
    let client = store.get(Lane::Pages).await.unwrap();
    batch("CREATE TABLE server_machine (n int)", &client)
        .await
        .unwrap();
    drop(client);
    assert!(store.probe().await.is_ok());
    let locker = store.get(Lane::Pages).await.unwrap();
    batch("SET application_name = 'a careless person'", &locker)
        .await
        .unwrap();
    let lock = locker.begin().await.unwrap();
    batch("LOCK TABLE server_machine", &lock).await.unwrap();
    for _ in 0..3 {
        let client = store.get(Lane::Machines).await.unwrap();
        let refused = batch("SELECT FROM server_machine", &client).await;
        assert!(refused.unwrap_err().is_busy());
    }
    let client = store.get(Lane::Machines).await.unwrap();
    let now = query_typed("SHOW lock_timeout", &[], &client)
        .await
        .unwrap();
    assert_eq!(now.first().unwrap().get::<_, String>(0), "200ms");
    drop(client);
    let why = loop {
        if let Err(why) = store.probe().await {
            break why;
        }
        tokio::task::yield_now().await;
    };
    assert!(why.contains("server_machine is locked by session"), "{why}");
    assert!(why.contains("a careless person"), "{why}");
    drop(lock);
    while store.probe().await.is_err() {
        tokio::task::yield_now().await;
    }
    postgres.stop().await;
}
