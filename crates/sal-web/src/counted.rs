//! Counts over a part of the fleet: counted now where that is quick, else as they were counted a moment ago.
//!
//! A page never waits for a count that is merely a little old: it shows what there is, and the browser asks for the page
//! again, which counts. Only counts that are missing or older than an hour are waited for.

use jiff::Timestamp;
use sal_http::{App, AppError, db::page_client};
use sal_store::{
    Client, StoreError,
    applications::CountsFrom,
    places::{Place, has_at_most},
    scope::Scope,
    summaries::{Counted, Patience, Summary, find_summary, lock, recount},
};
use tracing::info;

use crate::{widgets::Counting, wording::Moment};

/// Where the counts of a page come from.
pub(crate) struct Counts {
    pub(crate) from: CountsFrom,
    /// When they were counted, if that was not now.
    counted: Option<Counted>,
    wish: Wish,
}

/// What the browser asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// The page as it is.
    Show,
    /// The page with new counts, if the ones there are old.
    Recount,
}

/// When the counts of a page were made, and how to get new ones.
pub(crate) struct Freshness {
    pub(crate) moment: Moment,
    /// The address that counts again, when they are old.
    pub(crate) again: Option<String>,
    /// Whether the browser shall ask for it by itself.
    pub(crate) by_itself: bool,
}

impl Counting {
    /// Finds the counts of a place, and counts where that is due. Takes the connection and gives one back, because it
    /// lets it go while it waits for somebody else's count.
    pub(crate) async fn counts(
        &self,
        what: Summary,
        place: &Place,
        scope: &Scope,
        wish: Wish,
        db: Client,
        app: &App,
    ) -> Result<(Counts, Client), AppError> {
        let live = Counts {
            from: CountsFrom::Items,
            counted: None,
            wish,
        };
        // Summaries are of whole places: a sum over some units is counted now.
        if !place.is_within(scope) || has_at_most(FEW_MACHINES, place, scope, &db).await? {
            return Ok((live, db));
        }
        let found = match find_summary(what, place, &db).await {
            Err(error) if error.lacks_a_table() => return Ok((live, db)),
            found => found?,
        };
        let (counted, db) = match due(found.as_ref(), wish, app.now()) {
            None => (found, db),
            Some(patience) => {
                let lock = self.recounts.of(&format!("{what:?} {place:?}"));
                let (_turn, db) = match lock.try_lock() {
                    Ok(turn) => (turn, db),
                    // Somebody of this server counts already, and it is not worth waiting for.
                    Err(_) if patience == Patience::Leave => {
                        return Ok((Counts::kept(found, wish), db));
                    }
                    Err(_) => {
                        drop(db);
                        (lock.lock().await, page_client(app).await?)
                    }
                };
                match count(what, place, patience, db, app).await {
                    Ok(counted) => (counted, page_client(app).await?),
                    // Our table may be read and not written.
                    Err(error) if error.lacks_a_table() => {
                        return Ok((live, page_client(app).await?));
                    }
                    Err(error) => return Err(error.into()),
                }
            }
        };
        Ok((Counts::kept(counted, wish), db))
    }
}

impl Counts {
    fn kept(counted: Option<Counted>, wish: Wish) -> Self {
        Self {
            from: CountsFrom::Summary,
            counted,
            wish,
        }
    }

    /// What the page says of their age; `again` is the address that counts.
    pub(crate) fn freshness(&self, again: String, app: &App) -> Option<Freshness> {
        let counted = self.counted.as_ref()?;
        let old = is_old(counted, app.now());
        Some(Freshness {
            moment: Moment::new(counted.counted, app.now(), &app.config.time_zone),
            again: old.then_some(again),
            // Not after a count that somebody else is busy with: that would ask without end.
            by_itself: old && self.wish == Wish::Show,
        })
    }
}

/// Counts, unless another process did so in the meantime, and returns what there is then.
async fn count(
    what: Summary,
    place: &Place,
    patience: Patience,
    db: Client,
    app: &App,
) -> Result<Option<Counted>, StoreError> {
    let tx = db.begin().await?;
    if !lock(what, place, patience, &tx).await? {
        let found = find_summary(what, place, &tx.rollback().await?).await?;
        return Ok(found);
    }
    let now = app.now();
    let found = find_summary(what, place, &tx).await?;
    if found.as_ref().is_none_or(|found| is_old(found, now)) {
        recount(what, place, now, &tx).await?;
    }
    let found = find_summary(what, place, &tx).await?;
    tx.commit().await?;
    if let Some(found) = &found {
        info!(
            milliseconds = found.milliseconds,
            "{what:?} of {place:?} were counted"
        );
    }
    Ok(found)
}

/// Whether to count now, and whether to wait for it.
fn due(found: Option<&Counted>, wish: Wish, now: Timestamp) -> Option<Patience> {
    let Some(found) = found else {
        return Some(Patience::Wait);
    };
    let age = age_seconds(found, now);
    if !(0..TOO_OLD_SECONDS).contains(&age) {
        return Some(Patience::Wait);
    }
    (wish == Wish::Recount && is_old(found, now)).then_some(Patience::Leave)
}

/// Whether it may be counted again. What is slow to count stays longer: counting takes a twentieth of the time at most.
fn is_old(found: &Counted, now: Timestamp) -> bool {
    let rest = i64::from(found.milliseconds) * 20 / 1000;
    let age = age_seconds(found, now);
    // Ahead of us: the clocks differ.
    age < 0 || age >= rest.clamp(OLD_SECONDS, TOO_OLD_SECONDS)
}

fn age_seconds(found: &Counted, now: Timestamp) -> i64 {
    now.duration_since(found.counted).as_secs()
}

/// Up to so many machines are counted at each visit: some 40,000 applications, which takes tens of milliseconds.
const FEW_MACHINES: i64 = 250;
/// Counts are left alone for so long.
const OLD_SECONDS: i64 = 60;
/// Older counts are not shown.
const TOO_OLD_SECONDS: i64 = 3_600;

#[cfg(test)]
mod tests {
    use super::*;

    fn found(age_seconds: i64, milliseconds: i32) -> Counted {
        let counted = Timestamp::from_second(1_000_000 - age_seconds).unwrap();
        Counted {
            counted,
            milliseconds,
        }
    }

    fn due_at(age_seconds: i64, milliseconds: i32, wish: Wish) -> Option<Patience> {
        let now = Timestamp::from_second(1_000_000).unwrap();
        due(Some(&found(age_seconds, milliseconds)), wish, now)
    }

    #[test]
    fn only_missing_and_very_old_counts_are_waited_for() {
        let now = Timestamp::from_second(1_000_000).unwrap();
        assert_eq!(due(None, Wish::Show, now), Some(Patience::Wait));
        assert_eq!(due_at(3_600, 5, Wish::Show), Some(Patience::Wait));
        // A clock that was put back must not keep a count for years.
        assert_eq!(due_at(-5, 5, Wish::Show), Some(Patience::Wait));
        assert_eq!(due_at(3_599, 5, Wish::Show), None);
    }

    #[test]
    fn a_wish_counts_again_what_is_old_and_what_is_slow_stays_longer() {
        assert_eq!(due_at(59, 5, Wish::Recount), None);
        assert_eq!(due_at(60, 5, Wish::Recount), Some(Patience::Leave));
        assert_eq!(due_at(60, 8_000, Wish::Recount), None);
        assert_eq!(due_at(160, 8_000, Wish::Recount), Some(Patience::Leave));
        assert_eq!(due_at(3_599, i32::MAX, Wish::Recount), None);
    }
}
