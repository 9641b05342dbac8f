//! `POST machines/bulk/`: one change to many machines, in one transaction, with what became of each.
//!
//! The address is also that of a machine whose serial number is `bulk`; nobody POSTs to a machine.

use axum::http::StatusCode;
use axum::response::Response;
use sal_http::App;
use sal_query::{Condition, check::check};
use sal_store::{
    Tx,
    devices::bulk::{BulkMachine, bulk_machines, lock_bulk_machines, move_machines, set_deployed},
    ids::{GroupId, MachineId},
    machines::delete_machines,
    resources::{
        MACHINES, Resource,
        change::{known_groups, lock_machines_of, machines_of},
    },
    searches::NamedSearches,
};
use serde_json::{Map, Value as Json, json};

use super::{Note, Object, Sent, begin, body::Body, invalid_pk};
use crate::{access::ApiWrite, answer, error::ApiError};

/// Whether this address takes changes to many machines.
pub(crate) fn is_here(resource: &Resource, id: &str) -> bool {
    *resource == MACHINES && id == "bulk"
}

/// What is asked for.
#[derive(Debug, PartialEq)]
struct Order {
    change: Change,
    which: Which,
    is_dry: bool,
    /// How many machines the program thinks there are.
    expected: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Change {
    Move(GroupId),
    Deployed(bool),
    Delete,
}

#[derive(Debug, PartialEq)]
enum Which {
    Ids(Vec<i64>),
    Serials(Vec<String>),
    Filter(String),
}

/// A machine that was asked for, and what it is now, where it is there.
struct Row {
    asked: Json,
    found: Option<Found>,
}

#[derive(Clone)]
struct Found {
    id: MachineId,
    serial: String,
    group: GroupId,
    deployed: bool,
}

/// Changes them, or says what would be changed.
pub(crate) async fn run(
    sent: Sent<'_>,
    access: &ApiWrite,
    app: &App,
) -> Result<Response, ApiError> {
    let body = match Body::read(sent.parts, sent.body).await? {
        Body::Json(body) => body,
        Body::Form(_) => return Err(ApiError::UnsupportedMediaType("a form".to_owned())),
    };
    let order = Order::read(&body)?;
    let tx = begin(app).await?;
    order.check_group(access, &tx).await?;
    let rows = order.rows(access, app, &tx).await?;
    let count = rows.iter().filter(|row| row.found.is_some()).count();
    if let Some(expected) = order.expected.filter(|expected| *expected != count) {
        return Err(ApiError::field(
            "expected",
            format!("There are {count} machines, not {expected}; nothing was changed."),
        ));
    }
    let changed: Vec<&Found> = rows
        .iter()
        .filter_map(|row| row.found.as_ref())
        .filter(|found| order.change.concerns(found))
        .collect();
    let answer = order.answer(&rows, changed.len());
    if order.is_dry || changed.is_empty() {
        tx.rollback().await?;
        return Ok(answer::json(StatusCode::OK, &answer));
    }
    order.change.carry_out(&changed, &tx).await?;
    let done = Done {
        change: order.change,
        changed: &changed,
        answer: &answer,
    };
    done.commit(access, app, tx).await?;
    Ok(answer::json(StatusCode::OK, &answer))
}

impl Order {
    fn read(body: &Map<String, Json>) -> Result<Self, ApiError> {
        if let Some(name) = body.keys().find(|name| !FIELDS.contains(&name.as_str())) {
            let message = format!("Fields are: {}.", FIELDS.join(", "));
            return Err(ApiError::field(name, message));
        }
        Ok(Self {
            change: Change::read(body)?,
            which: Which::read(body)?,
            is_dry: flag(body, "dry_run")?,
            expected: match body.get("expected") {
                None => None,
                Some(number) => {
                    let number = number
                        .as_u64()
                        .and_then(|number| usize::try_from(number).ok());
                    Some(
                        number
                            .ok_or_else(|| ApiError::field("expected", "Enter a whole number."))?,
                    )
                }
            },
        })
    }

    /// Machines are only moved to groups that are there for the program.
    async fn check_group(&self, access: &ApiWrite, tx: &Tx) -> Result<(), ApiError> {
        let Change::Move(group) = self.change else {
            return Ok(());
        };
        let known = known_groups(tx, &[group]).await?;
        let is_there = known.iter().any(|group| access.has(group.business_unit_id));
        match is_there {
            true => Ok(()),
            false => Err(invalid_pk("machine_group", &json!(group.0))),
        }
    }

    /// The machines, locked unless nothing is to be changed.
    async fn rows(&self, access: &ApiWrite, app: &App, tx: &Tx) -> Result<Vec<Row>, ApiError> {
        match &self.which {
            Which::Filter(text) => {
                let matching = self.matching(text, access, app, tx).await?;
                let ids: Vec<MachineId> = matching.iter().map(|machine| machine.id).collect();
                let found = self.machines(&ids, &[], access, tx).await?;
                Ok(found
                    .into_iter()
                    .map(|found| Row {
                        asked: json!(found.serial),
                        found: Some(found),
                    })
                    .collect())
            }
            Which::Ids(ids) => {
                let wanted: Vec<MachineId> = ids.iter().copied().map(MachineId).collect();
                let found = self.machines(&wanted, &[], access, tx).await?;
                let find = |id: &i64| found.iter().find(|found| found.id.0 == *id).cloned();
                Ok(paired(ids, find))
            }
            Which::Serials(serials) => {
                let found = self.machines(&[], serials, access, tx).await?;
                let find =
                    |serial: &String| found.iter().find(|found| found.serial == *serial).cloned();
                Ok(paired(serials, find))
            }
        }
    }

    async fn matching(
        &self,
        text: &str,
        access: &ApiWrite,
        app: &App,
        tx: &Tx,
    ) -> Result<Vec<BulkMachine>, ApiError> {
        let named = NamedSearches::load(&access.read().asker(), tx).await?;
        let parsed = sal_query::parse(text);
        let condition: Result<Condition, _> =
            parsed.and_then(|parsed| check(&parsed, &app.config.time_zone, &named));
        let condition = condition.map_err(|error| ApiError::field("filter", error.to_string()))?;
        // Counted before they are locked: all of a fleet would wait.
        let mut matching = bulk_machines(&condition, app.now(), &access.scope, tx).await?;
        if matching.len() <= MOST && !self.is_dry {
            matching = lock_bulk_machines(&condition, app.now(), &access.scope, tx).await?;
        }
        match matching.len() {
            count if count > MOST => Err(ApiError::field(
                "filter",
                format!(
                    "It finds {count} machines; at most {MOST} are changed at once. Nothing was changed."
                ),
            )),
            _ => Ok(matching),
        }
    }

    async fn machines(
        &self,
        ids: &[MachineId],
        serials: &[String],
        access: &ApiWrite,
        tx: &Tx,
    ) -> Result<Vec<Found>, ApiError> {
        if self.is_dry {
            let rows = machines_of(tx, ids, serials, &access.scope)
                .await?
                .into_iter();
            return Ok(rows
                .map(|row| Found {
                    id: row.id,
                    serial: row.serial,
                    group: row.machine_group_id,
                    deployed: row.deployed,
                })
                .collect());
        }
        let rows = lock_machines_of(tx, ids, serials, &access.scope)
            .await?
            .into_iter();
        Ok(rows
            .map(|row| Found {
                id: row.id,
                serial: row.serial,
                group: row.machine_group_id,
                deployed: row.deployed,
            })
            .collect())
    }

    fn answer(&self, rows: &[Row], changed: usize) -> Json {
        let results = rows.iter().map(|row| match &row.found {
            None => json!({"machine": row.asked, "outcome": "not found"}),
            Some(found) => json!({
                "machine": row.asked,
                "id": found.id.0,
                "serial": found.serial,
                "outcome": if self.change.concerns(found) { self.change.done() } else { "unchanged" },
            }),
        });
        json!({
            "dry_run": self.is_dry,
            "changed": changed,
            "results": results.collect::<Vec<_>>(),
        })
    }
}

impl Change {
    fn read(body: &Map<String, Json>) -> Result<Self, ApiError> {
        let action = body
            .get("action")
            .and_then(Json::as_str)
            .unwrap_or_default();
        let group = body.get("machine_group");
        if action != "move" && group.is_some() {
            return Err(ApiError::field("machine_group", "Only `move` has one."));
        }
        match action {
            "move" => {
                let id = group.and_then(Json::as_i64);
                let id = id.and_then(|id| i32::try_from(id).ok());
                let id = id.ok_or_else(|| {
                    ApiError::field("machine_group", "Enter the id of the group to move to.")
                })?;
                Ok(Self::Move(GroupId(id)))
            }
            "deploy" => Ok(Self::Deployed(true)),
            "undeploy" => Ok(Self::Deployed(false)),
            "delete" => Ok(Self::Delete),
            _ => Err(ApiError::field(
                "action",
                "Enter `move`, `deploy`, `undeploy` or `delete`.",
            )),
        }
    }

    /// Whether it makes another machine of this one.
    fn concerns(self, found: &Found) -> bool {
        match self {
            Self::Move(group) => found.group != group,
            Self::Deployed(deployed) => found.deployed != deployed,
            Self::Delete => true,
        }
    }

    async fn carry_out(self, changed: &[&Found], tx: &Tx) -> Result<(), ApiError> {
        let ids: Vec<MachineId> = changed.iter().map(|found| found.id).collect();
        match self {
            Self::Move(group) => move_machines(tx, &ids, &group).await?,
            Self::Deployed(deployed) => set_deployed(tx, &ids, &deployed).await?,
            Self::Delete => delete_machines(&ids, tx).await?,
        };
        Ok(())
    }

    fn done(self) -> &'static str {
        match self {
            Self::Move(_) => "moved",
            Self::Deployed(true) => "deployed",
            Self::Deployed(false) => "undeployed",
            Self::Delete => "deleted",
        }
    }
}

impl Which {
    fn read(body: &Map<String, Json>) -> Result<Self, ApiError> {
        let given = ["ids", "serials", "filter"].map(|name| body.get(name));
        match given {
            [Some(ids), None, None] => {
                let ids = list(ids, "ids", Json::as_i64, "Enter a list of whole numbers.")?;
                Ok(Self::Ids(ids))
            }
            [None, Some(serials), None] => {
                let serial = |value: &Json| value.as_str().map(str::to_owned);
                let serials = list(
                    serials,
                    "serials",
                    serial,
                    "Enter a list of serial numbers.",
                )?;
                match serials.iter().any(|serial| serial.contains('\0')) {
                    true => Err(ApiError::field(
                        "serials",
                        "Null characters are not allowed.",
                    )),
                    false => Ok(Self::Serials(serials)),
                }
            }
            [None, None, Some(Json::String(text))] if !text.trim().is_empty() => {
                Ok(Self::Filter(text.clone()))
            }
            [None, None, Some(_)] => Err(ApiError::field(
                "filter",
                "Enter a filter; `serial is set` finds all machines.",
            )),
            _ => Err(ApiError::field(
                "non_field_errors",
                "Name the machines by one of `ids`, `serials` and `filter`.",
            )),
        }
    }
}

/// A list of at most so many, each once.
fn list<T: PartialEq>(
    value: &Json,
    name: &str,
    read: impl Fn(&Json) -> Option<T>,
    wrong: &'static str,
) -> Result<Vec<T>, ApiError> {
    let all = value
        .as_array()
        .ok_or_else(|| ApiError::field(name, wrong))?;
    if all.len() > MOST {
        let message = format!("At most {MOST} machines are changed at once.");
        return Err(ApiError::field(name, message));
    }
    let mut read_ones = Vec::new();
    for one in all {
        let one = read(one).ok_or_else(|| ApiError::field(name, wrong))?;
        if !read_ones.contains(&one) {
            read_ones.push(one);
        }
    }
    Ok(read_ones)
}

fn paired<T: Clone + Into<Json>>(asked: &[T], find: impl Fn(&T) -> Option<Found>) -> Vec<Row> {
    let rows = asked.iter().map(|one| Row {
        asked: one.clone().into(),
        found: find(one),
    });
    rows.collect()
}

fn flag(body: &Map<String, Json>, name: &str) -> Result<bool, ApiError> {
    match body.get(name) {
        None => Ok(false),
        Some(value) => value
            .as_bool()
            .ok_or_else(|| ApiError::field(name, "Must be a valid boolean.")),
    }
}

/// What was done.
struct Done<'a> {
    change: Change,
    changed: &'a [&'a Found],
    answer: &'a Json,
}

impl Done<'_> {
    /// One line for all of them, as the pages write it.
    async fn commit(&self, access: &ApiWrite, app: &App, tx: Tx) -> Result<(), ApiError> {
        let changed = self.changed;
        let serials: Vec<&str> = changed.iter().map(|found| found.serial.as_str()).collect();
        let mut detail = serials.join(", ");
        if let Change::Move(group) = self.change {
            detail = format!("to machine group {group}: {detail}");
        }
        let name = format!("{} machines", changed.len());
        let (kind, id, name) = match changed {
            [only] => ("machine", only.id.to_string(), only.serial.as_str()),
            _ => ("machines", changed.len().to_string(), name.as_str()),
        };
        let note = Note {
            action: match self.change {
                Change::Move(_) => "moved",
                Change::Deployed(true) => "marked as deployed",
                Change::Deployed(false) => "marked as not deployed",
                Change::Delete => "removed",
            },
            object: Object { kind, id, name },
            detail: &detail,
        };
        let answer = (StatusCode::OK, Some(self.answer));
        access.commit(note, answer, app, tx).await
    }
}

const FIELDS: [&str; 7] = [
    "action",
    "machine_group",
    "ids",
    "serials",
    "filter",
    "dry_run",
    "expected",
];
/// More would hold locks for long; a program asks again.
pub(crate) const MOST: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: Json) -> Result<Order, String> {
        let Json::Object(body) = body else {
            panic!("an object")
        };
        Order::read(&body).map_err(|error| match error {
            ApiError::Invalid(fields) => fields.keys().next().unwrap().clone(),
            other => format!("{other:?}"),
        })
    }

    #[test]
    fn an_order_says_what_and_which_and_nothing_else() {
        let order = |change, which| Order {
            change,
            which,
            is_dry: false,
            expected: None,
        };
        for (body, read_as) in [
            (
                json!({"action": "move", "machine_group": 7, "ids": [1, 2, 1]}),
                Ok(order(Change::Move(GroupId(7)), Which::Ids(vec![1, 2]))),
            ),
            (
                json!({"action": "delete", "serials": ["A"]}),
                Ok(order(Change::Delete, Which::Serials(vec!["A".to_owned()]))),
            ),
            (
                json!({"action": "undeploy", "filter": "a"}),
                Ok(order(
                    Change::Deployed(false),
                    Which::Filter("a".to_owned()),
                )),
            ),
            (json!({"action": "drop", "ids": []}), Err("action")),
            (json!({"ids": []}), Err("action")),
            (json!({"action": "move", "ids": []}), Err("machine_group")),
            (
                json!({"action": "delete", "machine_group": 7, "ids": []}),
                Err("machine_group"),
            ),
            (json!({"action": "delete"}), Err("non_field_errors")),
            (
                json!({"action": "delete", "ids": [1], "filter": "a"}),
                Err("non_field_errors"),
            ),
            (json!({"action": "delete", "filter": " "}), Err("filter")),
            (json!({"action": "delete", "ids": ["1"]}), Err("ids")),
            (
                json!({"action": "delete", "serials": ["a\0"]}),
                Err("serials"),
            ),
            (
                json!({"action": "delete", "ids": vec![1; 1001]}),
                Err("ids"),
            ),
            (
                json!({"action": "delete", "ids": [], "dryrun": true}),
                Err("dryrun"),
            ),
            (
                json!({"action": "delete", "ids": [], "dry_run": "yes"}),
                Err("dry_run"),
            ),
            (
                json!({"action": "delete", "ids": [], "expected": -1}),
                Err("expected"),
            ),
        ] {
            let text = body.to_string();
            assert_eq!(read(body), read_as.map_err(str::to_owned), "{text}");
        }
    }
}
