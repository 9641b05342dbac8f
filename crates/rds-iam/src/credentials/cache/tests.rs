//! The cache under storms, outages and dying credentials, on paused time.

use std::{
    collections::VecDeque,
    sync::atomic::{AtomicUsize, Ordering},
};

use futures_util::future::{BoxFuture, join_all};

use super::*;
use crate::credentials::Credentials;

/// Hands out a planned answer per fetch, after a delay; the last answer repeats.
struct Planned {
    answers: Mutex<VecDeque<Option<i64>>>,
    delay: Duration,
    fetches: AtomicUsize,
    clock: Clock,
}

impl CredentialProvider for Planned {
    fn fetch(&self) -> BoxFuture<'_, Result<Fetched, CredentialError>> {
        Box::pin(async move {
            let number = self.fetches.fetch_add(1, Ordering::SeqCst);
            tokio::time::timeout(self.delay, std::future::pending::<()>())
                .await
                .unwrap_err();
            let mut answers = self.answers.lock().unwrap();
            let answer = if answers.len() > 1 {
                answers.pop_front().unwrap()
            } else {
                *answers.front().unwrap()
            };
            let life = answer.ok_or_else(|| CredentialError::Failed {
                origin: "the plan".to_owned(),
                message: "down".to_owned(),
            })?;
            let end = (self.clock)() + SignedDuration::from_secs(life);
            Ok(Fetched {
                credentials: Credentials::new(format!("KEY{number}"), "s", None, Some(end)),
                source: "the plan".to_owned(),
            })
        })
    }
}

/// A clock that follows tokio's paused time.
fn paused_clock() -> Clock {
    let start = Instant::now();
    Arc::new(move || {
        let passed = SignedDuration::try_from(start.elapsed()).unwrap();
        Timestamp::from_second(1_800_000_000).unwrap() + passed
    })
}

fn plan(answers: &[Option<i64>], delay: Duration) -> (Arc<Planned>, CredentialCache) {
    let clock = paused_clock();
    let planned = Arc::new(Planned {
        answers: Mutex::new(answers.iter().copied().collect()),
        delay,
        fetches: AtomicUsize::new(0),
        clock: Arc::clone(&clock),
    });
    let cache = CredentialCache::new(planned.clone(), clock);
    (planned, cache)
}

async fn pass(seconds: u64) {
    tokio::time::advance(Duration::from_secs(seconds)).await;
    settle().await;
}

/// Lets tasks that are ready run.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

fn key(fetched: &Fetched) -> &str {
    fetched.credentials.access_key_id()
}

#[tokio::test(start_paused = true)]
async fn a_hundred_callers_cause_one_fetch() {
    let (planned, cache) = plan(&[Some(3600)], Duration::from_millis(200));
    let answers = join_all((0..100).map(|_| cache.get())).await;
    assert!(
        answers
            .iter()
            .all(|answer| key(answer.as_ref().unwrap()) == "KEY0")
    );
    assert_eq!(planned.fetches.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn a_refresh_goes_on_beside_the_cached_credentials() {
    let (planned, cache) = plan(&[Some(3600)], Duration::from_millis(10));
    cache.get().await.unwrap();
    pass(3600 - 900 - 10).await;
    assert_eq!(key(&cache.get().await.unwrap()), "KEY0");
    assert_eq!(planned.fetches.load(Ordering::SeqCst), 1, "not due yet");
    pass(20).await;
    assert_eq!(
        key(&cache.get().await.unwrap()),
        "KEY0",
        "nobody waits for the refresh"
    );
    settle().await;
    pass(1).await;
    assert_eq!(key(&cache.get().await.unwrap()), "KEY1");
    assert_eq!(planned.fetches.load(Ordering::SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn short_credentials_are_refreshed_at_half_their_life() {
    let (planned, cache) = plan(&[Some(300)], Duration::from_millis(1));
    cache.get().await.unwrap();
    pass(140).await;
    cache.get().await.unwrap();
    pass(1).await;
    assert_eq!(planned.fetches.load(Ordering::SeqCst), 1);
    pass(11).await;
    cache.get().await.unwrap();
    pass(1).await;
    assert_eq!(planned.fetches.load(Ordering::SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_survived_as_long_as_the_credentials_live() {
    let (planned, cache) = plan(&[Some(3600), None], Duration::from_millis(1));
    cache.get().await.unwrap();
    for _ in 0..3530 {
        pass(1).await;
        assert_eq!(key(&cache.get().await.unwrap()), "KEY0");
    }
    let fetches = planned.fetches.load(Ordering::SeqCst);
    assert!(
        (20..120).contains(&fetches),
        "{fetches} fetches in 15 minutes of outage"
    );
    pass(15).await;
    let error = cache.get().await.unwrap_err();
    assert!(
        matches!(
            error,
            CredentialError::Expiring {
                refresh: Some(_),
                ..
            }
        ),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_end_of_an_outage_is_noticed_without_a_restart() {
    let (_, cache) = plan(&[None, None, Some(3600)], Duration::from_millis(1));
    assert!(cache.get().await.is_err());
    let mut waited = 0;
    while cache.get().await.is_err() {
        pass(1).await;
        waited += 1;
        assert!(waited < 10, "never recovered");
    }
    assert_eq!(cache.status().failures, 2);
    assert_eq!(cache.status().source.as_deref(), Some("the plan"));
}

#[tokio::test(start_paused = true)]
async fn a_failing_source_is_not_asked_by_every_login() {
    let (planned, cache) = plan(&[None], Duration::from_millis(1));
    for _ in 0..1000 {
        assert!(cache.get().await.is_err());
    }
    assert_eq!(planned.fetches.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn dying_credentials_are_never_handed_out() {
    let (_, cache) = plan(&[Some(59)], Duration::from_millis(1));
    let error = cache.get().await.unwrap_err();
    assert!(matches!(error, CredentialError::Expiring { .. }), "{error}");

    let (_, cache) = plan(&[Some(70)], Duration::from_millis(1));
    cache.get().await.unwrap();
    let (_, cache) = plan(&[Some(100), Some(30)], Duration::from_millis(1));
    cache.get().await.unwrap();
    pass(41).await;
    assert!(
        cache.get().await.is_err(),
        "59 s are left and the source has only 30 s"
    );
}

#[tokio::test(start_paused = true)]
async fn a_source_that_hangs_costs_a_bounded_wait() {
    let (_, cache) = plan(&[Some(3600)], Duration::from_secs(3600));
    let start = Instant::now();
    let error = cache.get().await.unwrap_err();
    assert!(matches!(error, CredentialError::TimedOut { .. }));
    assert_eq!(start.elapsed().as_secs(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_gives_up_does_not_stop_the_fetch() {
    let (planned, cache) = plan(&[Some(3600)], Duration::from_secs(2));
    let given_up = tokio::time::timeout(Duration::from_millis(5), cache.get()).await;
    assert!(given_up.is_err());
    assert_eq!(key(&cache.get().await.unwrap()), "KEY0");
    assert_eq!(planned.fetches.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn refused_credentials_are_fetched_anew_once() {
    let (planned, cache) = plan(&[Some(3600)], Duration::from_millis(1));
    let first = cache.get().await.unwrap();
    pass(5).await;
    let answers = join_all((0..50).map(|_| cache.renew(&first))).await;
    assert!(
        answers
            .iter()
            .all(|answer| key(answer.as_ref().unwrap()) == "KEY1")
    );
    assert_eq!(planned.fetches.load(Ordering::SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn a_panicking_source_does_not_leave_anyone_waiting() {
    struct Panics;
    impl CredentialProvider for Panics {
        fn fetch(&self) -> BoxFuture<'_, Result<Fetched, CredentialError>> {
            Box::pin(async { panic!("the source broke") })
        }
    }
    let cache = CredentialCache::new(Arc::new(Panics), paused_clock());
    let start = Instant::now();
    assert!(cache.get().await.is_err());
    assert!(start.elapsed() <= Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn nothing_printable_holds_a_secret() {
    let (_, cache) = plan(&[Some(3600)], Duration::from_millis(1));
    let fetched = cache.get().await.unwrap();
    let long = Credentials::new("AKIDEXAMPLE1234", "wJalrSECRET", Some("SESSION"), None);
    let text = format!("{cache:?} {fetched:?} {long:?}");
    assert!(text.contains("…1234"));
    for secret in ["wJalrSECRET", "SESSION", "AKIDEXAMPLE"] {
        assert!(!text.contains(secret), "{text}");
    }
}
