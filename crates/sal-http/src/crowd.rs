//! How many check-ins are under way, how quickly they end, and whether one more would be answered in time.
//!
//! After an outage all Macs of a site come at once, more than any database takes. Those that would wait for longer than
//! a client does are told so at once, before their JSON is read, and to come back at different times. What is let in
//! ends in time, and people's pages find a server that has room.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tracing::warn;

use crate::error::AppError;
use crate::metric_names::TURNED_AWAY;
use crate::seldom::Seldom;

/// The check-ins of a process. Cheap to clone; all clones are one.
#[derive(Clone, Default)]
pub struct Crowd(Arc<Inner>);

#[derive(Default)]
struct Inner {
    now: Mutex<Now>,
    full: Seldom,
}

#[derive(Default)]
struct Now {
    inside: u32,
    /// Seconds from the end of one to the end of the next, while others wait: an average over the last ones.
    pace_seconds: f64,
    /// When the last one ended and left others behind, or the first of a crowd came.
    busy_since: Option<Instant>,
    /// When the last one ended.
    ended: Option<Instant>,
}

/// One who is inside, until it is dropped.
pub struct Inside {
    crowd: Crowd,
    is_answered: bool,
}

impl Inside {
    /// Says that its check-in was taken. What fails, gives up or is refused says nothing of how quickly others end.
    pub fn answered(mut self) {
        self.is_answered = true;
    }
}

impl Crowd {
    /// Whether one more would be answered in time.
    ///
    /// # Errors
    /// [`AppError::Crowded`] when it would not.
    pub fn look(&self) -> Result<(), AppError> {
        let wait = self.now().wait_seconds();
        if wait <= MOST_WAIT.as_secs_f64() {
            return Ok(());
        }
        metrics::counter!(TURNED_AWAY).increment(1);
        if self.0.full.is_due() {
            warn!(
                "more check-ins come than this server and its database take: those that would wait longer than {} s are \
                 answered 503 and when to come back",
                MOST_WAIT.as_secs()
            );
        }
        Err(AppError::Crowded)
    }

    /// One more. Called when its body is there, so that those who send slowly count for nothing.
    ///
    /// # Errors
    /// As [`Crowd::look`].
    pub fn enter(&self) -> Result<Inside, AppError> {
        self.look()?;
        let mut now = self.now();
        now.inside = now.inside.saturating_add(1);
        if now.inside == FEW {
            now.busy_since = Some(Instant::now());
        }
        drop(now);
        Ok(Inside {
            crowd: self.clone(),
            is_answered: false,
        })
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.0.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Now {
    /// How long one more would be inside. A few never are too many, whatever was learnt before.
    fn wait_seconds(&self) -> f64 {
        if self.inside < FEW {
            return 0.0;
        }
        // Nothing ended for a while: that is news, too.
        let running = self.busy_since.map_or(0.0, |at| at.elapsed().as_secs_f64());
        let pace = if running > self.pace_seconds {
            average(self.pace_seconds, running)
        } else {
            self.pace_seconds
        };
        f64::from(self.inside) * pace
    }

    fn left(&mut self) {
        self.inside = self.inside.saturating_sub(1);
        if self.inside < FEW {
            self.busy_since = None;
        }
    }

    fn answered(&mut self) {
        let (now, was_many) = (Instant::now(), self.inside >= FEW);
        if self.ended.is_some_and(|at| at.elapsed() > FORGOTTEN) {
            self.pace_seconds = 0.0;
        }
        // How quickly they end says what the server can do only while there is always a next one.
        if let Some(since) = self.busy_since.take().filter(|_| was_many) {
            let took = now.duration_since(since).as_secs_f64();
            self.pace_seconds = average(self.pace_seconds, took);
        }
        self.busy_since = Some(now);
        self.ended = Some(now);
        self.left();
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        let mut now = self.crowd.now();
        if self.is_answered {
            now.answered();
        } else {
            now.left();
        }
    }
}

fn average(before: f64, new: f64) -> f64 {
    before + (new - before) / 32.0
}

/// A quarter of the 8 s after which clients give up: the estimate is one, and the answer has a way to go. Less than a
/// request waits for memory, which is where a crowd stands.
const MOST_WAIT: Duration = Duration::from_secs(2);
/// As many as are worked on side by side say nothing of how long the next one waits.
const FEW: u32 = 32;
/// A pace that is older says nothing any more.
const FORGOTTEN: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    /// So many come in each step of 10 ms, and so many of those inside end; returns how many were let in.
    async fn steps(crowd: &Crowd, inside: &mut Vec<Inside>, count: u32, rates: (u32, u32)) -> u32 {
        let mut taken = 0;
        for _ in 0..count {
            tokio::time::advance(Duration::from_millis(10)).await;
            for _ in 0..rates.1.min(u32::try_from(inside.len()).unwrap()) {
                inside.remove(0).answered();
            }
            for _ in 0..rates.0 {
                if let Ok(one) = crowd.enter() {
                    inside.push(one);
                    taken += 1;
                }
            }
        }
        taken
    }

    #[tokio::test(start_paused = true)]
    async fn a_crowd_is_let_in_as_far_as_it_ends_in_time() {
        let (crowd, mut inside) = (Crowd::default(), Vec::new());
        // 500 a second come, 200 a second end.
        let taken = steps(&crowd, &mut inside, 3000, (5, 2)).await;
        assert!((6_200..6_700).contains(&taken), "{taken} of 15,000");
        let waiting = inside.len();
        assert!((350..450).contains(&waiting), "{waiting} wait, about 2 s");
        // 100 a second are fewer than end.
        steps(&crowd, &mut inside, 700, (1, 2)).await;
        let taken = steps(&crowd, &mut inside, 100, (1, 2)).await;
        assert_eq!(taken, 100);
    }

    #[tokio::test(start_paused = true)]
    async fn a_few_are_always_let_in_and_a_crowd_is_not_while_nothing_ends() {
        let (crowd, mut inside) = (Crowd::default(), Vec::new());
        let taken = steps(&crowd, &mut inside, 1000, (1, 0)).await;
        assert!((FEW..500).contains(&taken), "{taken}");
        // Those that fail leave room, and teach nothing.
        inside
            .drain(usize::try_from(FEW).unwrap() - 1..)
            .for_each(drop);
        let again = steps(&crowd, &mut inside, 1000, (1, 0)).await;
        assert!((1..=taken).contains(&again), "{again}");
        inside.drain(..).for_each(Inside::answered);
        // What was learnt then is forgotten later.
        tokio::time::advance(FORGOTTEN + Duration::from_secs(1)).await;
        let taken = steps(&crowd, &mut inside, 100, (5, 4)).await;
        assert_eq!(taken, 500);
    }
}
