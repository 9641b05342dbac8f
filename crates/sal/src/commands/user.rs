//! `sal user`: which account of single sign-on is which user. Making and changing users is in `people`.

mod people;

use anyhow::{Context, Result};
use jiff::Timestamp;
use sal_http::access::oidc::link::{self, By, Identity, LinkFault};
use sal_store::identities::{Identity as Linked, identities_of};
use sal_store::ids::UserId;
use sal_store::users::user_by_name;
use serde_json::{Value, json};
use tokio_postgres::Client;

use super::by_hand::{BY_HAND, confirmed};
use crate::cli::{LinkedAccount, User};
use crate::exit::Exit;
use crate::{commands, output, wiring};

/// Runs it.
pub(crate) async fn run(what: User) -> Result<Exit> {
    let what = match what {
        User::Link(_) | User::Unlink(_) | User::Links { .. } => what,
        others => return people::run(others).await,
    };
    let found = commands::database_and(|environment| environment.text("SAL_OIDC_ISSUER")).await?;
    let (db, issuer) = match found {
        Ok(found) => found,
        Err(exit) => return Ok(exit),
    };
    match what {
        User::Link(account) => change(Deed::Link, account, issuer, &db).await,
        User::Unlink(account) => change(Deed::Unlink, account, issuer, &db).await,
        User::Links { name, json } => list(&name, json, &db).await,
        User::List { .. }
        | User::Add(_)
        | User::Password { .. }
        | User::Level { .. }
        | User::Staff { .. } => Ok(Exit::Done),
    }
}

#[derive(Clone, Copy)]
enum Deed {
    Link,
    Unlink,
}

async fn change(
    deed: Deed,
    account: LinkedAccount,
    configured: Option<String>,
    db: &Client,
) -> Result<Exit> {
    let Some(issuer) = account.issuer.or(configured) else {
        output::problem("no provider is named; give --issuer, or set SAL_OIDC_ISSUER");
        return Ok(Exit::Usage);
    };
    let identity = match Identity::parse(&issuer, &account.subject) {
        Ok(identity) => identity,
        Err(fault) => {
            output::problem(&fault.to_string());
            return Ok(Exit::Usage);
        }
    };
    let Some(user) = find(&account.name, db).await? else {
        return Ok(nobody(&account.name));
    };
    let (name, subject) = (&account.name, account.subject.trim());
    output::note(&match deed {
        Deed::Link => format!(
            "Whoever logs in with the account {subject} of {issuer} will be the user `{name}`."
        ),
        Deed::Unlink => format!(
            "The account {subject} of {issuer} will not be the user `{name}` any more, and all sessions of the user end."
        ),
    });
    if let Err(exit) = confirmed(account.yes) {
        return Ok(exit);
    }
    carry_out(deed, (user, name), &identity, (wiring::clock())(), db).await
}

async fn carry_out(
    deed: Deed,
    (id, name): (UserId, &str),
    identity: &Identity,
    now: Timestamp,
    db: &Client,
) -> Result<Exit> {
    let user = link::User { id, name };
    let by = By {
        id: None,
        name: BY_HAND,
    };
    db.batch_execute("BEGIN").await.context("beginning")?;
    let done = match deed {
        Deed::Link => link::link(user, identity, by, now, db).await,
        Deed::Unlink => link::unlink(user, identity, by, now, db)
            .await
            .map(|()| true),
    };
    match done {
        Ok(is_new) => {
            db.batch_execute("COMMIT").await.context("committing")?;
            output::note(if is_new { "Done." } else { "It is so already." });
            Ok(Exit::Done)
        }
        Err(LinkFault::Store(error)) => {
            Err(error).context("changing the accounts; `sal db init` makes their table")
        }
        Err(fault) => {
            output::problem(&fault.to_string());
            Ok(Exit::FoundProblems)
        }
    }
}

async fn list(name: &str, as_json: bool, db: &Client) -> Result<Exit> {
    let Some(user) = find(name, db).await? else {
        return Ok(nobody(name));
    };
    let linked = identities_of(db, &user)
        .await
        .context("reading the accounts; `sal db init` makes their table")?;
    if as_json {
        let list: Vec<_> = linked.iter().map(as_value).collect();
        output::data(&serde_json::to_string_pretty(&list).context("writing the list")?);
        return Ok(Exit::Done);
    }
    for account in &linked {
        output::data(&format!(
            "{}  {}  last used or linked {:.0}",
            account.issuer, account.subject, account.last_login
        ));
    }
    if linked.is_empty() {
        output::note(&format!("No account is linked to `{name}`."));
    }
    Ok(Exit::Done)
}

fn as_value(account: &Linked) -> Value {
    json!({
        "issuer": account.issuer, "subject": account.subject, "created": account.created.to_string(),
        "last_login": account.last_login.to_string(),
    })
}

async fn find(name: &str, db: &Client) -> Result<Option<UserId>> {
    let found = user_by_name(db, &name)
        .await
        .context("looking for the user")?;
    Ok(found.first().map(|user| user.id))
}

fn nobody(name: &str) -> Exit {
    output::problem(&format!(
        "there is no user `{name}`; names are spelled exactly, upper and lower case"
    ));
    Exit::FoundProblems
}
