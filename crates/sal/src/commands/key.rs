//! `sal key`: what programs show to the REST API, and Macs when they check in. The private part of an API key is shown
//! once, when the key is made.

mod group;
mod token;

use anyhow::{Context, Result};
use sal_http::random_key::{API_KEY_PRIVATE, API_KEY_PUBLIC, random_key};
use sal_store::api_keys::{
    ListedApiKey, delete_api_key, insert_api_key, list_api_keys, take_api_key,
};
use sal_store::ids::ApiKeyId;
use serde_json::{Value, json};
use tokio_postgres::Client;

use super::by_hand::{self, Note, confirmed, pretty};
use crate::cli::Key;
use crate::exit::Exit;
use crate::{commands, output, wiring};

/// Runs it.
pub(crate) async fn run(what: Key) -> Result<Exit> {
    let what = match what {
        Key::Token(what) => return token::run(what).await,
        Key::Group(what) => return group::run(what).await,
        what => what,
    };
    let db = match commands::database().await? {
        Ok(db) => db,
        Err(exit) => return Ok(exit),
    };
    match what {
        Key::List { json } => list(json, &db).await,
        Key::Add {
            name,
            read_write,
            json,
        } => add(name.trim(), read_write, json, &db).await,
        Key::Revoke { key, yes, json } => revoke(&key, yes, json, &db).await,
        Key::Token(_) | Key::Group(_) => Ok(Exit::Done),
    }
}

async fn list(as_json: bool, db: &Client) -> Result<Exit> {
    let keys = list_api_keys(db).await.context("reading the keys")?;
    if as_json {
        let list: Vec<_> = keys.iter().map(of_key).collect();
        output::data(&pretty(&Value::Array(list))?);
        return Ok(Exit::Done);
    }
    for key in &keys {
        output::data(&format!(
            "{}  {}  {}",
            key.public_key,
            may(key.read_write),
            key.name
        ));
    }
    if keys.is_empty() {
        output::note("There is no key; `sal key add NAME` makes one.");
    }
    Ok(Exit::Done)
}

async fn add(name: &str, read_write: bool, as_json: bool, db: &Client) -> Result<Exit> {
    let is_fine = (1..=NAME_CHARACTERS).contains(&name.chars().count());
    if !is_fine || name.contains(char::is_control) {
        output::problem("a key's name has 1 to 255 characters");
        return Ok(Exit::Usage);
    }
    let keys = list_api_keys(db).await.context("reading the keys")?;
    if let Some(same) = keys.iter().find(|key| key.name == name) {
        output::problem(&format!(
            "there is a key `{name}` already ({}); choose another name, or revoke that one first",
            same.public_key
        ));
        return Ok(Exit::FoundProblems);
    }
    db.batch_execute("BEGIN").await.context("beginning")?;
    let (public, private) = (random_key(API_KEY_PUBLIC), random_key(API_KEY_PRIVATE));
    let made = insert_api_key(db, name, public.as_str(), private.as_str(), &read_write)
        .await
        .context("making the key")?;
    let id = made.first().context("the key was not made")?.id;
    // It is shown here, and by no page again.
    take_api_key(db, &id)
        .await
        .context("marking the key as seen")?;
    commit("made", (id, name), may(read_write), db).await?;
    if as_json {
        output::data(&pretty(&json!({
            "id": id.0, "name": name, "read_write": read_write, "public_key": public, "private_key": private,
        }))?);
    } else {
        output::data(&format!("PUBLICKEY: {public}\nPRIVATEKEY: {private}"));
        output::note(
            "The private part is shown this once. Both are headers of requests to the REST API.",
        );
    }
    Ok(Exit::Done)
}

async fn revoke(wanted: &str, yes: bool, as_json: bool, db: &Client) -> Result<Exit> {
    let keys = list_api_keys(db).await.context("reading the keys")?;
    let by_public = keys.iter().find(|key| key.public_key == wanted);
    let by_name: Vec<_> = keys.iter().filter(|key| key.name == wanted).collect();
    let key = match (by_public, by_name.as_slice()) {
        (Some(key), _) => key,
        (None, [key]) => *key,
        (None, []) => {
            output::problem(&format!(
                "there is no key `{wanted}`; `sal key list` has names and public parts"
            ));
            return Ok(Exit::FoundProblems);
        }
        (None, several) => {
            let public: Vec<_> = several.iter().map(|key| key.public_key.as_str()).collect();
            output::problem(&format!(
                "several keys are called `{wanted}`; name one by its public part: {}",
                public.join(", ")
            ));
            return Ok(Exit::FoundProblems);
        }
    };
    output::note(&format!(
        "Programs that show the key `{}` ({}) will be refused. It cannot be brought back.",
        key.name, key.public_key
    ));
    if let Err(exit) = confirmed(yes) {
        return Ok(exit);
    }
    db.batch_execute("BEGIN").await.context("beginning")?;
    delete_api_key(db, &key.id)
        .await
        .context("removing the key")?;
    commit("deleted", (key.id, &key.name), may(key.read_write), db).await?;
    match as_json {
        true => output::data(&pretty(&of_key(key))?),
        false => output::note("Done."),
    }
    Ok(Exit::Done)
}

async fn commit(
    action: &str,
    (id, name): (ApiKeyId, &str),
    detail: &str,
    db: &Client,
) -> Result<()> {
    let note = Note {
        action,
        kind: "API key",
        id: id.to_string(),
        name,
        detail,
    };
    by_hand::commit(note, (wiring::clock())(), db).await
}

fn of_key(key: &ListedApiKey) -> Value {
    json!({
        "id": key.id.0, "name": key.name, "public_key": key.public_key, "read_write": key.read_write,
        "has_been_seen": key.has_been_seen,
    })
}

/// The words for what a key may do, as the pages write them.
fn may(read_write: bool) -> &'static str {
    if read_write { "read and write" } else { "read" }
}

const NAME_CHARACTERS: usize = 255;
