//! Asks for the facts: DNS, credentials, three logins, the catalogs, AWS.

use std::sync::Arc;

use jiff::Timestamp;
use rds_iam::{
    Authorities, CredentialCache, CredentialError, LoginError, LoginStatus, RdsEndpoint, Resolver,
    Skew,
};
use tokio_postgres::{Client, Error};

use super::{CredentialFacts, Facts, Names, Server, Surroundings, ownership};
use crate::{
    aws::{self, AwsApi, AwsFacts},
    compare::{Difference, compare},
    inventory::{self, Inventory},
    logins::{Logins, Session, Who},
    wish::Wish,
};

/// What the doctor is asked about.
pub struct Question<'a> {
    /// What is wanted.
    pub wish: &'a Wish,
    /// Who may log in, and how.
    pub logins: &'a Logins,
    /// The name to sign for, when it is not the host's.
    pub sign_host: Option<&'a str>,
    /// Asks DNS.
    pub resolver: &'a Arc<dyn Resolver>,
    /// The deployment's credentials.
    pub credentials: &'a Arc<CredentialCache>,
    /// AWS; `None` where no region is known.
    pub aws: Option<&'a AwsApi>,
    /// The application's tables, without their schema: the new user has to work as their owner.
    pub tables: &'a [String],
    /// The role to look at; by default the caller's.
    pub role: Option<&'a str>,
    /// What the program knows of itself.
    pub surroundings: Surroundings,
    /// Now.
    pub now: Timestamp,
}

/// Gathers the facts. Whatever cannot be had is left out; nothing is changed.
pub async fn gather(question: Question<'_>) -> Facts {
    let (host, home) = (
        question.logins.base.host.clone(),
        question.wish.databases.first().cloned().unwrap_or_default(),
    );
    let (endpoint, names) = names(&host, &question).await;
    let credentials = credentials(&question).await;
    let logins = question.logins;
    let try_new = async {
        match (&credentials, &endpoint) {
            (Ok(_), Some(_)) => logins.attempt(Who::New, &home).await,
            _ => None,
        }
    };
    // Beside each other: where packets are dropped, each of them waits for its timeout.
    let (new_login, old_login, admin_login) = tokio::join!(
        try_new,
        logins.attempt(Who::Old, &home),
        logins.attempt(Who::Admin, &home)
    );
    let logged_in = [
        (Who::Admin, &admin_login),
        (Who::New, &new_login),
        (Who::Old, &old_login),
    ];
    let read = look_as_anybody(&question, &logged_in).await;
    let facts = ask_aws(endpoint.as_ref(), &names, &question).await;
    let policy = question
        .aws
        .and_then(|api| facts.policy(api, &question.wish.new_user));
    let skew = skew(&logged_in, &question);
    Facts {
        now: question.now,
        wish: question.wish.clone(),
        host,
        surroundings: question.surroundings,
        skew,
        endpoint,
        embedded_roots: matches!(logins.base.tls.authorities, Authorities::Embedded),
        names,
        credentials,
        new_login,
        old_login,
        admin_login,
        inventory: read.inventory,
        server: read.server,
        differences: read.differences,
        unread: read.unread,
        owned_by_others: read.owned_by_others,
        resource: policy.and_then(|policy| policy.arns().into_iter().next()),
        aws: facts,
    }
}

/// The largest difference of clocks that anybody saw.
fn skew(logins: &[(Who, &Login)], question: &Question<'_>) -> Option<Skew> {
    let seen = logins.iter().find_map(|(_, login)| match login {
        Some(Ok(status)) => status.skew.clone(),
        Some(Err(error)) => error.context.skew.clone(),
        None => None,
    });
    let all = question.credentials.skew().into_iter().chain(seen);
    all.max_by_key(|skew| skew.offset.abs())
}

async fn credentials(question: &Question<'_>) -> Result<CredentialFacts, CredentialError> {
    let fetched = question.credentials.get().await?;
    Ok(CredentialFacts {
        source: fetched.source.clone(),
        expires_at: fetched.credentials.expires_at(),
    })
}

type Login = Option<Result<LoginStatus, Box<LoginError>>>;

/// Whoever could log in looks, the administrator first.
async fn look_as_anybody(question: &Question<'_>, tried: &[(Who, &Login)]) -> Read {
    let home = question
        .wish
        .databases
        .first()
        .map(String::as_str)
        .unwrap_or_default();
    for (who, login) in tried {
        if matches!(login, Some(Ok(_)))
            && let Ok(session) = question.logins.open(*who, home).await
        {
            return look(question, *who, session).await;
        }
    }
    Read::default()
}

async fn ask_aws(
    endpoint: Option<&RdsEndpoint>,
    names: &Names,
    question: &Question<'_>,
) -> AwsFacts {
    let host = &question.logins.base.host;
    let no_name = match &names.error {
        Some(error) => error.clone(),
        None => format!("`{host}` is no name of RDS and leads to none"),
    };
    let Some(api) = question.aws else {
        return AwsFacts::not_asked(&match endpoint {
            Some(_) => "no region is known; set AWS_RDS_REGION".to_owned(),
            None => format!("no region is known, as {no_name}; set AWS_RDS_REGION"),
        });
    };
    let endpoint = endpoint.ok_or(no_name.as_str());
    let user = &question.wish.new_user;
    aws::look(api, endpoint, user, question.role, question.now).await
}

async fn names(host: &str, question: &Question<'_>) -> (Option<RdsEndpoint>, Names) {
    let resolver = question.resolver;
    let given = question.logins.base.host_address;
    let mut names = Names::default();
    let found = match question.sign_host {
        Some(name) => Ok((RdsEndpoint::parse(name).ok(), vec![host.to_owned()])),
        None => rds_iam::find_endpoint(host, resolver.as_ref()).await,
    };
    let endpoint = match found {
        Ok((endpoint, chain)) => {
            names.chain = chain;
            endpoint
        }
        Err(error) => {
            // With a given address a name need not resolve.
            names.chain = vec![host.to_owned()];
            if given.is_none() {
                names.error = Some(error.to_string());
            }
            RdsEndpoint::parse(host).ok()
        }
    };
    if host.starts_with('/') {
        return (endpoint, names);
    }
    match given {
        Some(address) => names.addresses = vec![address.to_string()],
        None => match resolver.addresses(host).await {
            Ok(addresses) => names.addresses = addresses.iter().map(ToString::to_string).collect(),
            Err(error) => names.error = Some(error.to_string()),
        },
    }
    (endpoint, names)
}

#[derive(Default)]
struct Read {
    inventory: Option<Inventory>,
    server: Option<Server>,
    differences: Option<Vec<Difference>>,
    unread: Vec<String>,
    owned_by_others: Vec<ownership::OwnedByOthers>,
}

async fn look(question: &Question<'_>, who: Who, session: Session) -> Read {
    let (wish, logins) = (question.wish, question.logins);
    let mut read = Read::default();
    let mut sessions = vec![session];
    for database in wish.databases.iter().skip(1) {
        match logins.open(who, database).await {
            Ok(session) if read.unread.is_empty() => sessions.push(session),
            Ok(session) => {
                session.end().await;
                read.unread.push(format!(
                    "{database}: left out, since one before it could not be opened"
                ));
            }
            Err(error) => read.unread.push(format!("{database}: {error}")),
        }
    }
    let clients: Vec<&Client> = sessions.iter().map(|session| &session.client).collect();
    let inventory = match inventory::read(wish, &clients).await {
        Ok(inventory) => Some(inventory),
        Err(error) => {
            read.unread.push(format!("roles and owners: {error}"));
            None
        }
    };
    if let Some(first) = clients.first() {
        match server(first).await {
            Ok(server) => read.server = Some(server),
            Err(error) => read.unread.push(format!("the server: {error}")),
        }
    }
    if let Some(inventory) = &inventory {
        compare_users(question, inventory, &clients, &mut read).await;
    }
    read.inventory = inventory;
    read
}

/// What differs between old and new user, and what neither owns of the application's tables.
async fn compare_users(
    question: &Question<'_>,
    inventory: &Inventory,
    clients: &[&Client],
    read: &mut Read,
) {
    let wish = question.wish;
    let (Some(old), Some(new)) = (
        inventory.role(&wish.old_user),
        inventory.role(&wish.new_user),
    ) else {
        return;
    };
    let mut differences = Vec::new();
    for (client, database) in clients.iter().zip(&wish.databases) {
        let set = new.setting(database, "role");
        let works_as = set.filter(|role| **role == wish.owner_role);
        match compare(works_as.unwrap_or(&old.name), &old.name, &new.name, client).await {
            Ok(found) => differences.extend(found),
            Err(error) => read.unread.push(format!("{database}: {error}")),
        }
        let works_as = set.unwrap_or(&old.name);
        match ownership::owned_by_others(works_as, database, question.tables, client).await {
            Ok(found) => read.owned_by_others.extend(found),
            Err(error) => read.unread.push(format!("{database}: {error}")),
        }
    }
    // Where one could not be compared, nothing is said to be equal.
    read.differences =
        Some(differences).filter(|found| read.unread.is_empty() || !found.is_empty());
}

async fn server(db: &Client) -> Result<Server, Error> {
    let row = db.query_one(SERVER, &[]).await?;
    Ok(Server {
        version: row.try_get(0)?,
        version_number: row.try_get(1)?,
        connections: row.try_get(2)?,
        most_connections: row.try_get(3)?,
        force_ssl: row.try_get(4)?,
        long_transactions: row.try_get(5)?,
    })
}

const SERVER: &str = "
SELECT pg_catalog.current_setting('server_version'), pg_catalog.current_setting('server_version_num')::int,
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity WHERE datname IS NOT NULL), pg_catalog.current_setting('max_connections')::bigint,
       pg_catalog.current_setting('rds.force_ssl', true),
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity WHERE xact_start < pg_catalog.now() - interval '5 minutes' AND pid <> pg_catalog.pg_backend_pid() AND datname IS NOT NULL)";
