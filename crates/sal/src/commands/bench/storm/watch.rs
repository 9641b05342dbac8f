//! Who looks at the server meanwhile: a balancer that asks whether it lives and is ready, and a person who reads.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use reqwest::header::{COOKIE, SET_COOKIE};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::super::stage::{PASSWORD, Stage};

/// The lookers.
pub(super) struct Watch {
    seen: Arc<[Mutex<Looks>; 3]>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// What one of them saw.
#[derive(Default, Clone)]
pub(super) struct Looks {
    /// From when the look was due to the last byte.
    pub(super) times: Vec<Duration>,
    /// Answers other than 200, and none.
    pub(super) failed: u32,
}

/// Names of the lookers, in the order of [`Watch::take`].
pub(super) const NAMES: [&str; 3] = ["livez", "readyz", "page"];

impl Watch {
    pub(super) async fn begin(stage: &Stage) -> Result<Self> {
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(30))
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .context("an HTTP client")?;
        let cookie = login(&http, stage).await?;
        let watch = Self {
            seen: Arc::default(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        };
        let looks = [("/livez", 100), ("/readyz", 200), ("/", 250)];
        for (place, (path, every)) in looks.into_iter().enumerate() {
            let request = http.get(format!("{}{path}", stage.url));
            let request = request.header(COOKIE, &cookie);
            let looker = look(
                request,
                Duration::from_millis(every),
                (Arc::clone(&watch.seen), place),
                watch.tasks.clone(),
            );
            let stop = watch.stop.clone();
            watch.tasks.spawn(stop.run_until_cancelled_owned(looker));
        }
        Ok(watch)
    }

    /// What was seen since the last time, sorted.
    pub(super) fn take(&self) -> [Looks; 3] {
        self.seen.each_ref().map(|looks| {
            let mut looks = std::mem::take(&mut *held(looks));
            looks.times.sort_unstable();
            looks
        })
    }

    pub(super) async fn end(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

async fn login(http: &reqwest::Client, stage: &Stage) -> Result<String> {
    let form = [("username", "admin"), ("password", PASSWORD)];
    let login = http.post(format!("{}/login/", stage.url)).form(&form);
    let answer = login.send().await.context("logging in")?;
    let cookie = answer
        .headers()
        .get(SET_COOKIE)
        .and_then(|value| value.to_str().ok());
    let cookie = cookie.and_then(|value| value.split(';').next());
    Ok(cookie.context("a session")?.to_owned())
}

/// An open loop, too: a look that hangs does not keep the next one from its time.
async fn look(
    request: reqwest::RequestBuilder,
    every: Duration,
    (seen, place): (Arc<[Mutex<Looks>; 3]>, usize),
    tasks: TaskTracker,
) {
    let began = Instant::now();
    for number in 0_u32.. {
        let due = began + every.saturating_mul(number);
        sleep_until(due).await;
        let Some(request) = request.try_clone() else {
            return;
        };
        let seen = Arc::clone(&seen);
        tasks.spawn(async move {
            let is_well = match request.send().await {
                Ok(answer) => answer.status().as_u16() == 200 && answer.bytes().await.is_ok(),
                Err(_no_answer) => false,
            };
            if let Some(looks) = seen.get(place) {
                let mut looks = held(looks);
                looks.times.push(due.elapsed());
                looks.failed += u32::from(!is_well);
            }
        });
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
