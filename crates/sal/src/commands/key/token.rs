//! `sal key token`: tokens of the REST API. A secret is printed once, when it is made, and alone on standard output.

use anyhow::{Context, Result};
use sal_http::access::Level;
use sal_http::api_token::{TokenSecret, days_from, end_of, may, overlap};
use sal_store::api_tokens::{
    InsertToken, ListedToken, insert_token, list_tokens, replace_secret, revoke_token, token_owner,
};
use sal_store::ids::{TokenId, UserId};
use sal_store::scope::Scope;
use sal_store::units::units_in_scope;
use serde_json::{Value, json};
use tokio_postgres::Client;

use super::super::by_hand::{self, Note, confirmed, pretty};
use super::NAME_CHARACTERS;
use crate::cli::{ApiToken, NewToken};
use crate::exit::Exit;
use crate::{commands, output, wiring};

/// Runs it.
pub(super) async fn run(what: ApiToken) -> Result<Exit> {
    let limit = |environment: &mut crate::config::Environment| {
        environment.number::<u16>("SAL_API_TOKEN_MAX_DAYS")
    };
    let (db, most_days) = match commands::database_and(limit).await? {
        Ok(found) => found,
        Err(exit) => return Ok(exit),
    };
    match what {
        ApiToken::List { json } => list(json, &db).await,
        ApiToken::Create(new) => create(&new, most_days, &db).await,
        ApiToken::Rotate {
            name,
            overlap_days,
            json,
        } => rotate(&name, overlap_days, json, &db).await,
        ApiToken::Revoke { name, yes } => revoke(&name, yes, &db).await,
    }
}

async fn list(as_json: bool, db: &Client) -> Result<Exit> {
    let tokens = list_tokens(db).await.context(READING)?;
    if as_json {
        output::data(&pretty(&Value::Array(
            tokens.iter().map(of_token).collect(),
        ))?);
        return Ok(Exit::Done);
    }
    for token in &tokens {
        let units = match token.units {
            None => "all business units".to_owned(),
            Some(_) => token.unit_names.join(", "),
        };
        let used = match (&token.last_used, &token.last_address) {
            (Some(at), Some(address)) => format!("last used {at:.0} from {address}"),
            _ => "never used".to_owned(),
        };
        output::data(&format!(
            "{}  {}  of {}  {}  {units}  {used}",
            token.name,
            state(token),
            token.owner.as_deref().unwrap_or("(deleted)"),
            may(token.can_write, token.sees_keys),
        ));
    }
    if tokens.is_empty() {
        output::note("There is no token; `sal key token create NAME --owner USER` makes one.");
    }
    Ok(Exit::Done)
}

async fn create(new: &NewToken, most_days: u16, db: &Client) -> Result<Exit> {
    let name = new.name.trim();
    let is_fine = (1..=NAME_CHARACTERS).contains(&name.chars().count());
    if !is_fine || name.contains(char::is_control) {
        output::problem("a token's name has 1 to 255 characters");
        return Ok(Exit::Usage);
    }
    let now = (wiring::clock())();
    let days = (new.days > 0).then_some(new.days);
    let expires = match end_of(days, most_days, now) {
        Ok(expires) => expires,
        Err(sentence) => {
            output::problem(sentence.trim_end_matches('.'));
            return Ok(Exit::Usage);
        }
    };
    let (owner, units) = match (owner(&new.owner, db).await?, units(&new.unit, db).await?) {
        (Ok(owner), Ok(units)) => (owner, units),
        (Err(problem), _) | (_, Err(problem)) => {
            output::problem(&problem);
            return Ok(Exit::FoundProblems);
        }
    };
    db.batch_execute("BEGIN").await.context("beginning")?;
    let token = InsertToken {
        name,
        user: &owner,
        created: &now,
        expires: &expires,
        can_write: &new.write,
        sees_keys: &new.keys,
        units: &units,
    };
    let made = insert_token(db, token).await.context("making the token")?;
    let Some(made) = made.first() else {
        output::problem(&format!(
            "there is a token `{name}` already; choose another name, or revoke that one first"
        ));
        return Ok(Exit::FoundProblems);
    };
    let secret = TokenSecret::draw();
    replace_secret(db, &made.id, &0, &secret.hash(), &now)
        .await
        .context("storing the secret's hash")?;
    commit("made", (made.id, name), may(new.write, new.keys), db).await?;
    show(made.id, name, &secret, new.json)
}

async fn rotate(name: &str, overlap_days: u16, as_json: bool, db: &Client) -> Result<Exit> {
    let Some(token) = living(name, db).await? else {
        return Ok(Exit::FoundProblems);
    };
    let secret = TokenSecret::draw();
    let former_ends = days_from((wiring::clock())(), overlap_days);
    db.batch_execute("BEGIN").await.context("beginning")?;
    let renewed = replace_secret(db, &token.id, &token.secrets, &secret.hash(), &former_ends)
        .await
        .context("storing the secret's hash")?;
    if renewed.is_empty() {
        output::problem(&format!(
            "somebody else changed the token `{name}` at the same time; nothing was done, try again"
        ));
        return Ok(Exit::Failed);
    }
    let detail = overlap(overlap_days);
    commit("renewed", (token.id, name), &detail, db).await?;
    output::note(&match overlap_days {
        0 => "The previous secret does not work any more.".to_owned(),
        _ => format!("The previous secret works until {former_ends:.0}."),
    });
    show(token.id, name, &secret, as_json)
}

async fn revoke(name: &str, yes: bool, db: &Client) -> Result<Exit> {
    let Some(token) = living(name, db).await? else {
        return Ok(Exit::FoundProblems);
    };
    output::note(&format!(
        "Programs that show the token `{name}` will be refused. It cannot be brought back."
    ));
    if let Err(exit) = confirmed(yes) {
        return Ok(exit);
    }
    db.batch_execute("BEGIN").await.context("beginning")?;
    revoke_token(db, &token.id, &(wiring::clock())())
        .await
        .context("revoking the token")?;
    commit("revoked", (token.id, name), "", db).await?;
    output::note("Done.");
    Ok(Exit::Done)
}

fn show(id: TokenId, name: &str, secret: &TokenSecret, as_json: bool) -> Result<Exit> {
    if as_json {
        output::data(&pretty(
            &json!({"id": id.0, "name": name, "token": secret.reveal()}),
        )?);
    } else {
        output::data(secret.reveal());
        output::note(
            "It is shown this once. Programs send it as `Authorization: Bearer sal_…` to the REST API.",
        );
    }
    Ok(Exit::Done)
}

/// The token of this name that was not revoked; without one, it says so.
async fn living(name: &str, db: &Client) -> Result<Option<ListedToken>> {
    let tokens = list_tokens(db).await.context(READING)?;
    let mut tokens = tokens.into_iter();
    let found = tokens.find(|token| token.name == name && token.revoked.is_none());
    if found.is_none() {
        output::problem(&format!(
            "there is no token `{name}`; `sal key token list` has their names"
        ));
    }
    Ok(found)
}

/// The id of a user who may own a token, or what is wrong.
async fn owner(username: &str, db: &Client) -> Result<Result<UserId, String>> {
    let found = token_owner(db, username)
        .await
        .context("reading the owner")?;
    let Some(user) = found.first() else {
        return Ok(Err(format!(
            "there is no user `{username}`; `sal user list` has their names"
        )));
    };
    let level = Level::of_user(user.level.as_deref(), user.is_superuser, user.only_user);
    let may_own = user.is_active && level == Level::GlobalAdmin;
    Ok(may_own.then_some(user.id).ok_or_else(|| {
        format!(
            "`{username}` is no active global admin, so that a token of this user would be refused"
        )
    }))
}

/// The ids of these business units; none for all.
async fn units(names: &[String], db: &Client) -> Result<Result<Option<Vec<i32>>, String>> {
    if names.is_empty() {
        return Ok(Ok(None));
    }
    let known = units_in_scope(db, &Scope::All)
        .await
        .context("reading the business units")?;
    let mut ids = Vec::new();
    for name in names {
        let same: Vec<i32> = known
            .iter()
            .filter(|unit| unit.name == *name)
            .map(|unit| unit.id.0)
            .collect();
        match same.as_slice() {
            [id] => ids.push(*id),
            [] => return Ok(Err(format!("there is no business unit `{name}`"))),
            _ => {
                return Ok(Err(format!(
                    "several business units are called `{name}`; make the token under Settings, API tokens"
                )));
            }
        }
    }
    Ok(Ok(Some(ids)))
}

async fn commit(
    action: &str,
    (id, name): (TokenId, &str),
    detail: &str,
    db: &Client,
) -> Result<()> {
    let note = Note {
        action,
        kind: "API token",
        id: id.to_string(),
        name,
        detail,
    };
    by_hand::commit(note, (wiring::clock())(), db).await
}

fn state(token: &ListedToken) -> &'static str {
    if token.works((wiring::clock())()) {
        "works"
    } else if token.revoked.is_some() {
        "revoked"
    } else {
        "does not work"
    }
}

fn of_token(token: &ListedToken) -> Value {
    let time = |at: Option<jiff::Timestamp>| at.map(|at| at.to_string());
    json!({
        "id": token.id.0, "name": token.name, "owner": token.owner, "state": state(token),
        "write": token.can_write, "keys": token.sees_keys, "units": token.units, "unit_names": token.unit_names,
        "created": token.created.to_string(), "expires": time(token.expires), "revoked": time(token.revoked),
        "last_used": time(token.last_used), "last_address": token.last_address,
        "former_ends": time(token.former_ends), "former_used": time(token.former_used),
    })
}

const READING: &str = "reading the tokens; `sal db init` makes their table";
