//! `sal checkin`: the journal of the machines' door, and the bodies that it refused.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use sal_store::journal::{
    Event, LastCheckin, any_group_key, events, forget_body, last_checkin, rejected_bodies,
    rejected_body,
};
use serde_json::{Value, json};
use tokio_postgres::Client;

use crate::cli::Checkin;
use crate::exit::Exit;
use crate::{commands, escape, output};

/// Runs it.
pub(crate) async fn run(what: Checkin) -> Result<Exit> {
    let db = match commands::database().await? {
        Ok(db) => db,
        Err(exit) => return Ok(exit),
    };
    match what {
        Checkin::Journal {
            serial,
            lines,
            json,
        } => journal(serial, lines, json, &db).await,
        Checkin::Rejected { json } => rejected(json, &db).await,
        Checkin::Replay { ids, url } => replay(&ids, &url, &db).await,
    }
}

async fn journal(serial: Option<String>, lines: u32, as_json: bool, db: &Client) -> Result<Exit> {
    let found = events(db, &serial, &i64::from(lines))
        .await
        .context("reading the journal; `sal db init` makes its table")?;
    let last = match &serial {
        Some(serial) => last_checkin(db, serial).await?.into_iter().next(),
        None => None,
    };
    if as_json {
        let list: Vec<_> = found.iter().map(event_as_json).collect();
        let report = json!({"last_checkin": last.as_ref().map(last_as_json), "events": list});
        output::data(&serde_json::to_string_pretty(&report).context("writing the journal")?);
        return Ok(Exit::Done);
    }
    if let Some(serial) = &serial {
        output::data(&last.as_ref().map_or_else(
            || format!("No machine {serial} ever checked in."),
            |last| format!("Machine {serial}: {}", last_as_text(last)),
        ));
    }
    for event in &found {
        output::data(&escape::line(&event_as_text(event)));
    }
    if found.is_empty() {
        output::note(
            "The journal holds nothing about it. A refusal for a wrong key has no serial number: `sal checkin journal` without --serial shows all.",
        );
    }
    Ok(Exit::Done)
}

fn event_as_text(event: &Event) -> String {
    let serial = if event.serial.is_empty() {
        "(no serial)"
    } else {
        &event.serial
    };
    let times = match event.times {
        1 => String::new(),
        times => format!(", {times} times since {:.0}", event.first_at),
    };
    format!(
        "{:.0}  {:<8} {:<10} {serial} from {} ({} bytes, {} ms): {}{times}",
        event.last_at,
        event.outcome,
        event.route,
        event.address,
        event.body_bytes,
        event.milliseconds,
        event.reason
    )
}

fn event_as_json(event: &Event) -> Value {
    json!({
        "serial": event.serial, "route": event.route, "outcome": event.outcome, "reason": event.reason,
        "address": event.address, "client": event.client, "times": event.times, "first_at": event.first_at.to_string(),
        "last_at": event.last_at.to_string(), "body_bytes": event.body_bytes, "milliseconds": event.milliseconds,
    })
}

fn last_as_text(last: &LastCheckin) -> String {
    let Some(at) = last.last_checkin else {
        return "it is there and never checked in.".to_owned();
    };
    match (&last.address, last.body_bytes) {
        (Some(address), Some(bytes)) if last.taken_here == Some(at) => {
            let client = last
                .client
                .as_deref()
                .filter(|client| !client.is_empty())
                .unwrap_or("unnamed client");
            format!("last check-in {at:.0} from {address} ({client}, {bytes} bytes).")
        }
        _ => format!("last check-in {at:.0}, taken by another server."),
    }
}

fn last_as_json(last: &LastCheckin) -> Value {
    json!({
        "at": last.last_checkin.map(|at| at.to_string()), "taken_here": last.taken_here.map(|at| at.to_string()),
        "body_bytes": last.body_bytes, "milliseconds": last.milliseconds, "address": last.address, "client": last.client,
    })
}

async fn rejected(as_json: bool, db: &Client) -> Result<Exit> {
    let kept = rejected_bodies(db)
        .await
        .context("reading the bodies; `sal db init` makes their table")?;
    if as_json {
        let list: Vec<_> = kept
            .iter()
            .map(|body| {
                json!({
                    "id": body.id, "at": body.at.to_string(), "path": body.path, "serial": body.serial,
                    "reason": body.reason, "address": body.address, "bytes": body.bytes,
                })
            })
            .collect();
        output::data(&serde_json::to_string_pretty(&list).context("writing the list")?);
        return Ok(Exit::Done);
    }
    for body in &kept {
        let bytes = body.bytes.unwrap_or(0);
        output::data(&escape::line(&format!(
            "{:>6}  {:.0}  {} {} from {} ({bytes} bytes): {}",
            body.id, body.at, body.path, body.serial, body.address, body.reason
        )));
    }
    if kept.is_empty() {
        output::note("No refused body is kept.");
    }
    Ok(Exit::Done)
}

async fn replay(ids: &[i64], url: &str, db: &Client) -> Result<Exit> {
    let key = any_group_key(db)
        .await?
        .into_iter()
        .next()
        .and_then(|row| row.key);
    let Some(key) = key else {
        bail!("there is no machine group, so no key to send anything with");
    };
    let ids = if ids.is_empty() {
        rejected_bodies(db)
            .await?
            .iter()
            .map(|body| body.id)
            .collect()
    } else {
        ids.to_vec()
    };
    let client = reqwest::Client::builder()
        .timeout(Duration::from_secs(60))
        .build()
        .context("an HTTP client")?;
    let mut exit = Exit::Done;
    for id in ids {
        let Some(kept) = rejected_body(db, &id).await?.into_iter().next() else {
            output::problem(&format!(
                "no body has the number {id}; `sal checkin rejected` lists them"
            ));
            exit = Exit::FoundProblems;
            continue;
        };
        let request = client
            .post(format!("{}{}", url.trim_end_matches('/'), kept.path))
            .basic_auth("sal", Some(&key))
            .header("content-type", &kept.content_type)
            .body(kept.body);
        let answer = request
            .send()
            .await
            .with_context(|| format!("sending body {id} to {url}"))?;
        let status = answer.status();
        let text: String = answer
            .text()
            .await
            .unwrap_or_default()
            .chars()
            .take(200)
            .collect();
        output::data(&format!("{id}: {} {}", status.as_u16(), text.trim()));
        if status.is_success() {
            forget_body(db, &id).await?;
        } else {
            exit = Exit::FoundProblems;
        }
    }
    Ok(exit)
}
