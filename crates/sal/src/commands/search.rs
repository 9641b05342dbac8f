//! `sal search`: saved searches and filters on the command line, for every unit.

mod check;

use anyhow::{Context, Result};
use jiff::{Timestamp, tz::TimeZone};
use sal_query::{Condition, Expr, FilterError, check::check_expr};
use sal_store::{
    scope::Scope,
    searches::{
        self, Asker, NamedSearches, Search as SavedSearch, Sharing,
        compare::{self, FoundMachine},
    },
};
use serde_json::{Value, json};
use tokio_postgres::Client;

use super::by_hand::pretty;
use crate::cli::Search;
use crate::config::server::time_zone;
use crate::exit::Exit;
use crate::{commands, escape, output, wiring};

/// Runs it.
pub(crate) async fn run(what: Search) -> Result<Exit> {
    let (db, zone) = match commands::database_and(time_zone).await? {
        Ok(found) => found,
        Err(exit) => return Ok(exit),
    };
    let all = searches::list(&Asker::BY_HAND, &db)
        .await
        .context("reading the saved searches; `sal db init` makes our table beside Sal's")?;
    match what {
        Search::Check { json } => check::run(json, &all, &zone, &db).await,
        Search::List { json } => list(json, &all),
        Search::Run { what, json } => find(&what, json, &all, &zone, &db).await,
    }
}

fn list(as_json: bool, all: &[SavedSearch]) -> Result<Exit> {
    if as_json {
        let list = all.iter().map(|search| {
            json!({
                "id": search.id.0, "name": search.name, "owner": search.owner_name,
                "description": search.description, "sharing": search.sharing.text(),
                "unit": search.unit_name, "is_sals": search.is_sals(),
                "filter": search.text().ok(), "faults": search.text().err().unwrap_or_default(),
            })
        });
        output::data(&pretty(&Value::Array(list.collect()))?);
        return Ok(Exit::Done);
    }
    for search in all {
        let text = search
            .text()
            .unwrap_or_else(|faults| format!("cannot be read: {}", faults.join("; ")));
        let line = format!(
            "{}  ({}, {})  {text}",
            search.title(),
            search.owner_name,
            shared(search)
        );
        output::data(&escape::line(&line));
    }
    if all.is_empty() {
        output::note("Nobody saved a search.");
    }
    Ok(Exit::Done)
}

fn shared(search: &SavedSearch) -> String {
    match (search.sharing, &search.unit_name) {
        (Sharing::Private, _) => "private".to_owned(),
        (Sharing::Everybody, _) => "shared with everybody".to_owned(),
        (Sharing::Unit(_), Some(name)) => format!("shared with {name}"),
        (Sharing::Unit(unit), None) => format!("shared with unit {unit}, which is gone"),
    }
}

async fn find(
    what: &str,
    as_json: bool,
    all: &[SavedSearch],
    zone: &TimeZone,
    db: &Client,
) -> Result<Exit> {
    let named = all
        .iter()
        .filter(|search| search.name.to_lowercase() == what.trim().to_lowercase())
        .max_by_key(|search| search.created);
    let (expr, owner) = match named {
        Some(search) => match search.expr() {
            Ok(expr) => (expr, Some(search)),
            Err(faults) => {
                output::problem(&format!(
                    "the search `{}` cannot be read: {}",
                    search.title(),
                    faults.join("; ")
                ));
                return Ok(Exit::FoundProblems);
            }
        },
        None => match sal_query::parse(what) {
            Ok(parsed) => (parsed.expr, None),
            Err(error) => return Ok(misread(what, &error)),
        },
    };
    let condition = match condition(&expr, owner, all, zone) {
        Ok(condition) => condition,
        Err(error) => return Ok(misread(&expr.to_string(), &error)),
    };
    let found = machines(&condition, db).await?;
    if as_json {
        let list: Vec<Value> = found.iter().map(of_machine).collect();
        output::data(&pretty(&Value::Array(list))?);
        return Ok(Exit::Done);
    }
    for machine in &found {
        let seen = machine.last_checkin.map(|at| at.to_string());
        let line = format!(
            "{}  {}  {}  {}",
            machine.serial,
            machine.hostname.as_deref().unwrap_or("-"),
            machine.console_user.as_deref().unwrap_or("-"),
            seen.as_deref().unwrap_or("-"),
        );
        output::data(&escape::line(&line));
    }
    output::note(&match found.len() {
        1 => "1 machine".to_owned(),
        many => format!("{many} machines"),
    });
    Ok(Exit::Done)
}

fn misread(text: &str, error: &FilterError) -> Exit {
    output::problem(&format!("the filter cannot be used: {error}"));
    output::note(&format!("It reads: {text}"));
    Exit::Usage
}

/// What a filter means; names of searches are looked up as the search's owner would.
fn condition(
    expr: &Expr,
    owner: Option<&SavedSearch>,
    all: &[SavedSearch],
    zone: &TimeZone,
) -> Result<Condition, FilterError> {
    let asker = Asker {
        user: owner.map(|search| search.owner),
        ..Asker::BY_HAND
    };
    check_expr(expr, zone, &NamedSearches::of(all, &asker))
}

async fn machines(condition: &Condition, db: &Client) -> Result<Vec<FoundMachine>> {
    let now: Timestamp = (wiring::clock())();
    compare::machines(condition, now, &Scope::All, db)
        .await
        .context("looking for machines")
}

fn of_machine(machine: &FoundMachine) -> Value {
    json!({
        "id": machine.id.0, "serial": machine.serial, "hostname": machine.hostname,
        "console_user": machine.console_user,
        "last_checkin": machine.last_checkin.map(|at| at.to_string()),
    })
}
