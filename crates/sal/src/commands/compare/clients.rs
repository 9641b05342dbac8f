//! What clients are told: refusals that need no key, and what is theirs with one.

use anyhow::Result;
use rds_iam::Secret;
use reqwest::Method;
use serde_json::Value;

use super::finding::Part;
use super::side::{Answer, Side, escaped};

/// The part's name.
pub(super) const NAME: &str = "Answers to clients";

/// Requests that a server must refuse, and stores nothing of.
const REFUSED: &[(Method, &str, &str, &str)] = &[
    (Method::GET, "checkin/", "", ""),
    (Method::POST, "checkin/", "application/json", "{}"),
    (
        Method::POST,
        "preflight-v2/",
        "application/x-www-form-urlencoded",
        "os_family=Darwin",
    ),
    (Method::GET, "inventory/hash/SAL-COMPARE/", "", ""),
    (
        Method::POST,
        "inventory/submit/",
        "application/x-www-form-urlencoded",
        "serial=SAL-COMPARE",
    ),
    (
        Method::POST,
        "catalog/hash/",
        "application/x-www-form-urlencoded",
        "key=none",
    ),
    (
        Method::POST,
        "report_broken_client/",
        "application/x-www-form-urlencoded",
        "serial=SAL-COMPARE",
    ),
];

/// Asks without a key.
pub(super) async fn refusals(old: &Side, new: &Side) -> Result<Part> {
    let mut part = Part::new("Refusals without a key");
    for (method, path, kind, body) in REFUSED {
        let mut answers = Vec::new();
        for side in [old, new] {
            let mut request = side.request(method.clone(), path)?;
            if !kind.is_empty() {
                request = request
                    .header(reqwest::header::CONTENT_TYPE, *kind)
                    .body(*body);
            }
            answers.push(side.ask(request).await?);
        }
        let how = statuses(&answers);
        part.note(&format!("{method} /{path}"), how, None);
    }
    Ok(part)
}

fn statuses(answers: &[Answer]) -> Option<String> {
    let [old, new] = answers else { return None };
    (old.status != new.status)
        .then(|| format!("old {}, new {}", old.status.as_u16(), new.status.as_u16()))
}

/// Asks with a key what changes nothing: scripts by kind of machine, and whether inventories are known.
pub(super) async fn answers(
    old: &Side,
    new: &Side,
    key: &Secret,
    serials: &[String],
) -> Result<Part> {
    let mut part = Part::new(NAME);
    for family in ["Darwin", "Windows", "Linux", "ChromeOS"] {
        let mut lists = Vec::new();
        for side in [old, new] {
            let request = side.request(Method::POST, "preflight-v2/")?;
            let request = request
                .basic_auth("sal", Some(key.expose()))
                .form(&[("os_family", family)]);
            lists.push(side.ask(request).await?);
        }
        scripts(family, &lists, &mut part);
    }
    for serial in serials {
        let path = format!("inventory/hash/{}/", escaped(serial));
        let mut answers = Vec::new();
        for side in [old, new] {
            let request = side.request(Method::GET, &path)?;
            answers.push(
                side.ask(request.basic_auth("sal", Some(key.expose())))
                    .await?,
            );
        }
        let how = statuses(&answers).or_else(|| bodies(&answers));
        part.note(&format!("Inventory hash of {serial}"), how, None);
    }
    Ok(part)
}

fn bodies(answers: &[Answer]) -> Option<String> {
    let [old, new] = answers else { return None };
    let short = |answer: &Answer| answer.body.chars().take(64).collect::<String>();
    (old.body != new.body).then(|| format!("old `{}`, new `{}`", short(old), short(new)))
}

/// Two lists of scripts: which there are, and whether they are the same.
fn scripts(family: &str, lists: &[Answer], part: &mut Part) {
    let what = format!("Scripts for {family}");
    if let Some(how) = statuses(lists) {
        part.note(&what, Some(how), None);
        return;
    }
    let named = |answer: &Answer| -> Vec<(String, String)> {
        let list: Vec<Value> = serde_json::from_str(&answer.body).unwrap_or_default();
        let text = |value: &Value, name: &str| {
            value
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let mut all: Vec<_> = list
            .iter()
            .map(|one| {
                (
                    format!("{}/{}", text(one, "plugin"), text(one, "filename")),
                    text(one, "hash"),
                )
            })
            .collect();
        all.sort();
        all
    };
    let [old, new] = lists else { return };
    let (old, new) = (named(old), named(new));
    let names = |list: &[(String, String)]| {
        list.iter()
            .map(|(name, _)| name.clone())
            .collect::<Vec<_>>()
    };
    if names(&old) != names(&new) {
        let how = format!(
            "old {}; new {}",
            names(&old).join(", "),
            names(&new).join(", ")
        );
        part.note(&what, Some(how), None);
        return;
    }
    let other: Vec<_> = old
        .iter()
        .zip(&new)
        .filter(|(old, new)| old.1 != new.1)
        .map(|(old, _)| old.0.clone())
        .collect();
    let how = (!other.is_empty()).then(|| format!("other content: {}", other.join(", ")));
    part.note(&what, how, Some("Q-139"));
}
