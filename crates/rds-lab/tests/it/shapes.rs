//! Doors of clusters and proxies: each judges tokens for its own name and port, by a signer that is not ours.

use rds_lab::{Door, LabError, Shape};
use tokio_postgres::error::SqlState;

use crate::client::{Session, config_at, open, shown};
use crate::site::{OLD_PASSWORD, OLD_USER, Site, USER};

async fn site(shape: Shape) -> Site {
    let site = Site::start_with(|options| options.shape = shape).await;
    site.lab.allow_connect("*", &site.lab.proxy_resource("*"));
    site
}

/// A session at a door, with a token for that door or for another one.
async fn enter(
    user: &str,
    door: &Door,
    made_for: &Door,
    site: &Site,
) -> Result<Session, tokio_postgres::Error> {
    let mut token = site.token();
    token.host.clone_from(&made_for.endpoint);
    token.port = made_for.address.port();
    token.user = user.to_owned();
    let config = config_at(&site.lab, door.address.port(), user, &token.sign());
    open(&config, &site.lab.ca_pem()).await
}

async fn may_write(session: &Session) -> bool {
    let wrote = session.client.batch_execute("CREATE TEMPORARY TABLE x ()");
    match wrote.await {
        Ok(()) => true,
        Err(error) => {
            assert_eq!(error.code(), Some(&SqlState::READ_ONLY_SQL_TRANSACTION));
            false
        }
    }
}

#[tokio::test]
async fn every_door_of_a_cluster_takes_its_own_tokens_and_a_failover_swaps_who_writes() {
    for (shape, doors) in [(Shape::Aurora, 6), (Shape::MultiAz, 5)] {
        let site = site(shape).await;
        let all = site.lab.doors();
        assert_eq!(all.len(), doors);
        let writes = async || {
            let mut found = Vec::new();
            for door in all {
                let session = enter(USER, door, door, &site).await.unwrap();
                if may_write(&session).await {
                    found.push(door.name.as_str());
                }
            }
            found.retain(|name| *name != "global");
            found
        };
        assert_eq!(writes().await, ["writer", "instance-1"]);
        let refused = enter(USER, &all[1], &all[0], &site).await;
        let (code, _) = shown(&refused.map(drop).unwrap_err());
        assert_eq!(code, "28000", "another door's token");
        site.lab.fail_over().unwrap();
        let expected = match shape {
            Shape::Aurora => vec!["writer", "custom", "instance-2"],
            _ => vec!["writer", "instance-2"],
        };
        assert_eq!(writes().await, expected);
        site.lab.stop().await;
    }
}

#[tokio::test]
async fn a_failover_cuts_every_session_and_an_instance_has_none() {
    let site = site(Shape::MultiAz).await;
    let door = &site.lab.doors()[0];
    let mut session = enter(USER, door, door, &site).await.unwrap();
    site.lab.fail_over().unwrap();
    let ended = session.connection.join_next().await.unwrap().unwrap();
    assert!(ended.is_err() || session.client.is_closed());
    let instance = Site::start().await;
    let error = instance.lab.fail_over().unwrap_err();
    assert!(matches!(error, LabError::NoFailover), "{error}");
    let error = instance.lab.door("reader").unwrap_err().to_string();
    assert!(error.contains("database"), "{error}");
}

#[tokio::test]
async fn a_proxy_logs_in_behind_with_its_secret_and_says_what_rds_proxy_says() {
    let site = site(Shape::Proxy).await;
    let proxy = site.lab.door("proxy").unwrap();
    let says = async |user: &str| {
        let entered = enter(user, proxy, proxy, &site).await;
        shown(&entered.map(drop).unwrap_err()).1
    };
    assert!(says(OLD_USER).await.contains("no credentials for the role"));
    site.lab.set_proxy_secret(OLD_USER, "wrong");
    assert!(says(OLD_USER).await.contains("password authentication"));
    site.lab.set_proxy_secret(OLD_USER, OLD_PASSWORD);
    assert!(enter(OLD_USER, proxy, proxy, &site).await.is_ok());
    site.lab.set_proxy_secret(USER, "any");
    assert!(says(USER).await.contains("PAM authentication failed"));
    let database = site.lab.door("database").unwrap();
    let other = enter(OLD_USER, proxy, database, &site).await;
    let (_, text) = shown(&other.map(drop).unwrap_err());
    assert!(
        text.contains("IAM authentication failed for the role"),
        "{text}"
    );
    let mut options = config_at(&site.lab, proxy.address.port(), USER, "x");
    options.options("-c search_path=x");
    let refused = open(&options, &site.lab.ca_pem()).await;
    let (code, text) = shown(&refused.map(drop).unwrap_err());
    assert_eq!(code, "0A000", "{text}");
}
