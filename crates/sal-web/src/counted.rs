//! Counts over a part of the fleet: counted now where that is quick, else as they were counted a moment ago.
//!
//! A page never waits for a count that is merely a little old: it shows what there is, and the browser asks for the page
//! again, which counts. Counts that are missing or older than a week are waited for a moment; then the page says that it is
//! being counted, and the browser asks again. Counting goes on whoever leaves meanwhile. [`crate::background`] sees to it
//! that large places have some counts before anybody asks.

use std::time::Duration;

use jiff::Timestamp;
use sal_http::{App, AppError, db::page_client};
use sal_store::{
    Client, StoreError,
    applications::CountsFrom,
    places::{Place, has_at_most},
    scope::Scope,
    summaries::{Counted, Patience, Summary, allow_time, find_summary, lock, recount},
};
use tokio::time::timeout;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use crate::{
    paging::address,
    widgets::Counting,
    wording::{self, Moment},
};

/// Where the counts of a page come from.
pub(crate) struct Counts {
    pub(crate) from: CountsFrom,
    age: Age,
}

/// What the browser asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// The page as it is.
    Show,
    /// The page with new counts, if the ones there are old.
    Recount,
    /// New counts if the ones there are old, however long that takes: a file and a program have no second look.
    Wait,
}

/// When counts were made.
#[derive(Clone, Debug)]
pub(crate) enum When {
    /// For this page.
    Now,
    /// Maybe before.
    Then(Counted),
    /// They are being made, and there are none to show.
    NotYet,
}

/// When the counts of a page were made, and how to get new ones.
pub(crate) struct Freshness {
    /// None while they are being made and there are none to show.
    pub(crate) moment: Option<Moment>,
    /// The address that counts again, when they are old.
    pub(crate) again: Option<String>,
    /// Whether the browser shall ask for it by itself.
    pub(crate) by_itself: bool,
    /// The id of the part of the page that has the counts.
    pub(crate) part: &'static str,
}

/// What is known of the age of counts.
pub(crate) struct Age {
    /// When they were counted.
    pub(crate) when: When,
    /// What the browser asked for.
    pub(crate) wish: Wish,
}

impl Age {
    /// What the page says of it; `again` is the address that counts, `part` the id of what it replaces.
    pub(crate) fn freshness(
        &self,
        again: String,
        part: &'static str,
        app: &App,
    ) -> Option<Freshness> {
        let (moment, old) = match &self.when {
            When::Now => return None,
            When::NotYet => (None, true),
            When::Then(counted) => {
                let moment = Moment::new(counted.counted, app.now(), &app.config.time_zone);
                (Some(moment), is_old(counted, app.now()))
            }
        };
        Some(Freshness {
            again: old.then_some(again),
            // Not after a count that somebody else is busy with: that would ask without end.
            by_itself: moment.is_none() || old && self.wish == Wish::Show,
            moment,
            part,
        })
    }
}

/// The address of a page with new counts.
pub(crate) fn again(path: &str) -> String {
    address(path, &[("recount", "1")])
}

impl Wish {
    /// The wish that `?recount=` of an address says.
    pub(crate) fn of(recount: Option<&str>) -> Self {
        match recount {
            Some(_) => Self::Recount,
            None => Self::Show,
        }
    }
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
            age: Age {
                when: When::Now,
                wish,
            },
        };
        // Summaries are of whole places: a sum over some units is counted now.
        if !place.is_within(scope) || has_at_most(FEW_MACHINES, place, scope, &db).await? {
            return Ok((live, db));
        }
        let found = match find_summary(what, place, &db).await {
            Err(error) if error.lacks_a_table() => return Ok((live, db)),
            found => found?,
        };
        let Some(patience) = due(found.as_ref(), wish, app.now()) else {
            return Ok((Counts::kept(found, wish), db));
        };
        drop(db);
        let recount = self.clone().recount(what, *place, patience, app.clone());
        let found = match in_time(recount, wish, &self.tasks).await? {
            Some(Err(error)) if error.lacks_a_table() => {
                return Ok((live, page_client(app).await?));
            }
            Some(now) => now?.or(found),
            None => found,
        };
        Ok((Counts::kept(found, wish), page_client(app).await?))
    }

    /// Counts a place, or leaves it to whoever counts it already.
    async fn recount(
        self,
        what: Summary,
        place: Place,
        patience: Patience,
        app: App,
    ) -> Result<Option<Counted>, StoreError> {
        let lock = self.recounts.of(&format!("{what:?} {place:?}"));
        let _only = match lock.try_lock() {
            Ok(only) => only,
            Err(_) if patience == Patience::Leave => return Ok(None),
            Err(_) => lock.lock().await,
        };
        let _turn = self.turn().await;
        count(what, &place, patience, page_client(&app).await?, &app).await
    }
}

impl Counts {
    fn kept(counted: Option<Counted>, wish: Wish) -> Self {
        Self {
            from: CountsFrom::Summary,
            age: Age {
                when: counted.map_or(When::NotYet, When::Then),
                wish,
            },
        }
    }

    /// What the page says of their age; `again` is the address that counts.
    pub(crate) fn freshness(&self, again: String, app: &App) -> Option<Freshness> {
        self.age.freshness(again, "listing", app)
    }

    /// How many lines there are, in words; nothing while they are counted.
    pub(crate) fn total(&self, lines: i64, one: &str, more: &str) -> String {
        match self.are_missing() {
            true => String::new(),
            false => wording::count_of(lines, one, more),
        }
    }

    /// Whether there are none yet.
    pub(crate) fn are_missing(&self) -> bool {
        matches!(self.age.when, When::NotYet)
    }
}

/// Waits for a count as long as the one who asks may be kept waiting; none when it goes on after that.
pub(crate) async fn in_time<T, E>(
    counting: impl Future<Output = Result<T, E>> + Send + 'static,
    wish: Wish,
    tasks: &TaskTracker,
) -> Result<Option<Result<T, E>>, AppError>
where
    T: Send + 'static,
    E: std::fmt::Display + Send + 'static,
{
    let patience = match wish {
        Wish::Show => A_MOMENT,
        Wish::Recount => A_WHILE,
        Wish::Wait => HOWEVER_LONG,
    };
    let mut counting = tasks.spawn(counting);
    match timeout(patience, &mut counting).await {
        Ok(Ok(ended)) => Ok(Some(ended)),
        Ok(Err(panic)) => Err(AppError::internal("a count", panic)),
        Err(_elapsed) if wish == Wish::Wait => Err(AppError::internal(
            "a count",
            "it took longer than 20 minutes",
        )),
        Err(_elapsed) => {
            tasks.spawn(async move {
                if let Ok(Err(error)) = counting.await {
                    warn!("a count failed, and is tried again at the next visit: {error}");
                }
            });
            Ok(None)
        }
    }
}

/// Counts, unless another process did so in the meantime, and returns what there is then.
pub(crate) async fn count(
    what: Summary,
    place: &Place,
    patience: Patience,
    db: Client,
    app: &App,
) -> Result<Option<Counted>, StoreError> {
    let tx = db.begin().await?;
    allow_time(&tx).await?;
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
pub(crate) fn due(found: Option<&Counted>, wish: Wish, now: Timestamp) -> Option<Patience> {
    let Some(found) = found else {
        return Some(Patience::Wait);
    };
    let age = age_seconds(found, now);
    if !(0..TOO_OLD_SECONDS).contains(&age) {
        return Some(Patience::Wait);
    }
    (wish != Wish::Show && is_old(found, now)).then_some(Patience::Leave)
}

/// Whether it may be counted again. What is slow to count stays longer: counting takes a twentieth of the time at most.
fn is_old(found: &Counted, now: Timestamp) -> bool {
    let rest = i64::from(found.milliseconds) * 20 / 1000;
    let age = age_seconds(found, now);
    // Ahead of us: the clocks differ.
    age < 0 || age >= rest.clamp(OLD_SECONDS, STALE_SECONDS)
}

/// Whether it is counted again in the background, though nobody looks.
pub(crate) fn is_stale(found: &Counted, now: Timestamp) -> bool {
    !(0..STALE_SECONDS).contains(&age_seconds(found, now))
}

fn age_seconds(found: &Counted, now: Timestamp) -> i64 {
    now.duration_since(found.counted).as_secs()
}

/// How long a page may wait for a first count.
const A_MOMENT: Duration = Duration::from_secs(1);
/// How long the browser's second question may.
const A_WHILE: Duration = Duration::from_secs(20);
/// As long as counting may take, and waiting for somebody else's count before it.
const HOWEVER_LONG: Duration = Duration::from_secs(20 * 60);
/// Up to so many machines are counted at each visit: some 40,000 applications, which takes tens of milliseconds.
const FEW_MACHINES: i64 = 250;
/// Counts are left alone for so long.
const OLD_SECONDS: i64 = 60;
/// Nothing is left alone for longer.
const STALE_SECONDS: i64 = 3_600;
/// Older counts are not shown.
const TOO_OLD_SECONDS: i64 = 7 * 86_400;

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
        assert_eq!(due_at(7 * 86_400, 5, Wish::Show), Some(Patience::Wait));
        // A clock that was put back must not keep a count for years.
        assert_eq!(due_at(-5, 5, Wish::Show), Some(Patience::Wait));
        assert_eq!(due_at(7 * 86_400 - 1, 5, Wish::Show), None);
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
