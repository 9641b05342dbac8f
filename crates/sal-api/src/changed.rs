//! `changed_since`: what changed since a program asked last.
//!
//! An answer names machines whose rows it has in full, machines that are gone, and the cursor for the next time. A program
//! forgets what it holds of all these machines and keeps the rows that follow: so nothing is missed that was deleted, and
//! asking twice does no harm. The cursor belongs to a list, to the units that the caller sees and to a database (sal-store,
//! `changed`).

use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;
use sal_http::{App, AppError};
use sal_store::{
    Client,
    changed::{GoneMachine, Moment, changed_machines, gone_machines, present},
    resources::Resource,
    scope::Scope,
};
use serde_json::{Value as Json, json};

use crate::{access::ApiRead, error::ApiError, query::Query};

/// What changed.
pub(crate) struct Changes {
    /// Whose rows are sent; none for all of them, as the first time.
    pub(crate) machines: Option<Vec<i64>>,
    gone: Vec<GoneMachine>,
    /// What to ask with the next time.
    pub(crate) next: String,
}

impl Changes {
    /// Adds what a page says beside its rows; of machines only the first one speaks.
    pub(crate) fn add_to(&self, page: &mut Json, is_first: bool) {
        let Json::Object(page) = page else { return };
        if is_first {
            page.insert("changes".to_owned(), self.notice());
        }
        page.insert(NAME.to_owned(), Json::String(self.next.clone()));
    }

    /// Whose rows follow, in full, and which machines are gone.
    pub(crate) fn notice(&self) -> Json {
        let gone = self.gone.iter();
        let gone = gone.map(|gone| json!({ "machine": gone.machine.0, "serial": gone.serial }));
        json!({ "machines": self.machines, "gone": gone.collect::<Vec<_>>() })
    }
}

/// What changed, where the program asks for that.
///
/// # Errors
/// [`ApiError::CursorIsOver`] for a cursor that means nothing here any more, and what cannot be asked together with it.
pub(crate) async fn find(
    resource: &Resource,
    query: &Query,
    read: &ApiRead,
    app: &App,
    db: &Client,
) -> Result<Option<Changes>, ApiError> {
    let Some(text) = query.first(NAME) else {
        return match query.has(UNTIL) {
            true => Err(ApiError::field(
                UNTIL,
                "It belongs to `changed_since`, in the address of a next page.",
            )),
            false => Ok(None),
        };
    };
    refuse_others(resource, query)?;
    let now = app.now();
    let since = Since::read(NAME, text)?;
    let moment = present(db).await?.into_iter().next();
    let moment = moment.ok_or_else(|| AppError::internal("the present moment", "no row"))?;
    let owner = owner(resource, &query.narrowed(resource), &read.scope, &moment);
    let next = match query.first(UNTIL) {
        Some(text) => {
            let Since::Moment(until) = Since::read(UNTIL, text)? else {
                return Err(ApiError::field(UNTIL, TAKE_IT));
            };
            until.check(&owner, &moment, now)?;
            text.to_owned()
        }
        None => format!("{owner}-{}-{}", moment.oldest, now.as_second()),
    };
    let Since::Moment(since) = since else {
        return Ok(Some(Changes {
            machines: None,
            gone: Vec::new(),
            next,
        }));
    };
    since.check(&owner, &moment, now)?;
    let transaction = since.transaction.to_string();
    let changed = changed_machines(db, &read.scope, resource.name, &transaction).await?;
    let gone = match is_first(query) {
        true => gone_machines(db, &read.scope, &transaction).await?,
        false => Vec::new(),
    };
    Ok(Some(Changes {
        machines: Some(changed.into_iter().map(|machine| machine.id.0).collect()),
        gone,
        next,
    }))
}

/// Whether it is the first page of a walk, which goes by keys: where a page begins must not depend on rows that come and
/// go meanwhile.
pub(crate) fn is_first(query: &Query) -> bool {
    query.first("cursor").is_none_or(str::is_empty)
}

fn refuse_others(resource: &Resource, query: &Query) -> Result<(), ApiError> {
    if !is_known_of(resource) {
        let message = format!("Of {} it is not known; leave it out.", resource.name);
        return Err(ApiError::field(NAME, message));
    }
    let refuse = |name: &str, why: &str| {
        let message = format!("{why}; leave `{name}` out, or leave out `{NAME}`.");
        Err(ApiError::field(name, message))
    };
    if let Some(name) = ["page", "ordering"]
        .into_iter()
        .find(|name| query.has(name))
    {
        return refuse(name, "Changes come in the order of ids, by `next`");
    }
    // What a machine has besides decides whether its rows are found, and may change while they do not.
    let elsewhere = ["filter", "search", "machine__hostname", "machine__serial"];
    match elsewhere.into_iter().find(|name| query.has(name)) {
        Some(name) => refuse(
            name,
            "A row may come to match or stop matching without a change of its own",
        ),
        None => Ok(()),
    }
}

/// Whether it is known what changed of it.
pub(crate) fn is_known_of(resource: &Resource) -> bool {
    KNOWN.contains(&resource.name)
}

/// Whose cursor it is: a list's, narrowed so, of somebody who sees these units, in this database.
fn owner(resource: &Resource, narrowed: &str, scope: &Scope, moment: &Moment) -> String {
    let units = scope.units().map(|units| {
        let mut units = units.to_vec();
        units.sort_unstable();
        units
    });
    let text = format!("{}?{narrowed} {units:?} {}", resource.name, moment.history);
    let hash = digest(&SHA256, text.as_bytes());
    let bytes = hash.as_ref().iter().take(8);
    bytes.map(|byte| format!("{byte:02x}")).collect()
}

/// What the program knows already.
enum Since {
    /// Nothing.
    Start,
    Moment(Cursor),
}

struct Cursor {
    owner: String,
    transaction: i64,
    given: i64,
}

impl Since {
    fn read(name: &str, text: &str) -> Result<Self, ApiError> {
        if text == START {
            return Ok(Self::Start);
        }
        let mut parts = text.split('-');
        let mut next = || parts.next();
        let owner = next().filter(|owner| {
            owner.len() == 16 && owner.bytes().all(|byte| byte.is_ascii_hexdigit())
        });
        let mut number = || next().and_then(|text| text.parse::<i64>().ok());
        let (transaction, given) = (number().filter(|id| *id >= 3), number());
        match (owner, transaction, given, next()) {
            (Some(owner), Some(transaction), Some(given), None) => Ok(Self::Moment(Cursor {
                owner: owner.to_owned(),
                transaction,
                given,
            })),
            _ => Err(ApiError::field(name, TAKE_IT)),
        }
    }
}

impl Cursor {
    /// Whether it still means something: not after 30 days, when machines that are gone are forgotten, nor in a database
    /// that was restored from before it was given.
    fn check(&self, owner: &str, moment: &Moment, now: Timestamp) -> Result<(), ApiError> {
        let age = now.as_second().saturating_sub(self.given);
        let is_here = self.owner == owner && self.transaction <= moment.next;
        let is_near = moment.next - self.transaction < FURTHEST;
        match is_here && is_near && age < GOOD_FOR_SECONDS {
            true => Ok(()),
            false => Err(ApiError::CursorIsOver),
        }
    }
}

/// The parameter.
pub(crate) const NAME: &str = "changed_since";
/// The cursor that the first page gave, on those that follow.
pub(crate) const UNTIL: &str = "until";
/// Asks for everything.
const START: &str = "start";
const TAKE_IT: &str =
    "Take it from `changed_since` of an earlier answer, or begin with `changed_since=start`.";
/// Lists of whose rows it is known.
const KNOWN: [&str; 5] = [
    "machines",
    "facts",
    "managed_items",
    "inventory",
    "profiles",
];
/// Machines that are gone are remembered for a week longer (sal-store, `changed::forget_gone`).
const GOOD_FOR_SECONDS: i64 = 30 * 24 * 3600;
/// Ages of rows count up to 2³¹ transactions (Postgres manual, 25.1.5).
const FURTHEST: i64 = 1 << 30;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_cursors_that_were_given_are_read() {
        assert!(matches!(Since::read(NAME, "start"), Ok(Since::Start)));
        let Ok(Since::Moment(cursor)) = Since::read(NAME, "0123456789abcdef-77-1700000000") else {
            panic!("a cursor");
        };
        assert_eq!(
            (cursor.owner.as_str(), cursor.transaction, cursor.given),
            ("0123456789abcdef", 77, 1_700_000_000)
        );
        for text in [
            "",
            "0",
            "2026-01-01T00:00:00Z",
            "0123456789abcdef-2-1",
            "0123456789abcdef-77-1-",
            "0123456789abcdeg-77-1",
            "0123456789abcdef--77-1",
            "0123456789abcdef-99999999999999999999-1",
        ] {
            assert!(Since::read(NAME, text).is_err(), "{text}");
        }
    }
}
