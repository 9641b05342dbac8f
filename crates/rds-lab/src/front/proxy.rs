//! RDS Proxy as a door: it judges the client's token for itself, and logs in behind by its own means.
//!
//! Standard: with a secret of the client's user, which Postgres is asked to accept as it would be by the proxy; a user
//! in `rds_iam` is refused there as everywhere. End to end: as the proxy's role, whose policy is judged like any other
//! login's. No second token is signed: the lab has no signer, which is the point of it. Once that is decided the
//! session goes through the socket that trusts. Differences to RDS Proxy: nothing is pooled or pinned, and the
//! certificate is of the lab's own root.

use std::net::{IpAddr, Ipv4Addr};

use pg_frames::ErrorResponse;
use tokio_postgres::{Config, NoTls};

use super::Front;
use super::greeting::{Client, Encryption};
use super::login::ask_for_token;
use super::refusal;
use super::rules::Membership;
use crate::auth_service::Door;
use crate::credentials::Identity;
use crate::record::Outcome;
use crate::shape::Shape;

impl Front {
    /// Decides whether this client may go on to the backend.
    pub(super) async fn admit_by_proxy(
        &self,
        client: &mut Client,
        peer: IpAddr,
    ) -> std::io::Result<Result<Membership, ErrorResponse>> {
        let (Some(user), Some(database)) = (client.startup.user(), client.startup.database())
        else {
            return Ok(Err(refusal::no_user()));
        };
        if client.encryption == Encryption::None {
            return Ok(Err(refusal::proxy_needs_tls()));
        }
        if client.startup.parameter(b"options").is_some() {
            return Ok(Err(refusal::proxy_takes_no_options()));
        }
        let name = String::from_utf8_lossy(user).into_owned();
        let database = String::from_utf8_lossy(database).into_owned();
        let user = user.to_vec();
        let token = ask_for_token(&mut *client.stream).await?;
        let port = self.signed_port;
        let decided = self
            .auth
            .decide(&user, token.as_bytes(), Door { peer, port });
        if decided != Outcome::Accepted {
            return Ok(Err(refusal::proxy_refuses_token(&name)));
        }
        let Ok(membership) = self.roles.membership(&name).await else {
            return Ok(Err(refusal::not_up()));
        };
        // What the line of `pg_hba.conf` for this user asks the proxy for.
        let asks_for_token = membership == Membership::Iam && self.iam_flag.is_live();
        let behind = match self.site.shape {
            Shape::ProxyEndToEnd => self.with_token(&name, asks_for_token),
            _ => self.with_secret(&name, &database, asks_for_token).await,
        };
        Ok(behind.map(|()| Membership::Iam))
    }

    async fn with_secret(
        &self,
        user: &str,
        database: &str,
        asks_for_token: bool,
    ) -> Result<(), ErrorResponse> {
        let secret = self.site.secret(user);
        let secret = secret.ok_or_else(|| refusal::proxy_has_no_secret(user))?;
        if asks_for_token {
            return Err(refusal::pam_failed(user));
        }
        let port = self.backend.password_port().unwrap_or_default();
        let login = Config::new()
            .host(Ipv4Addr::LOCALHOST.to_string())
            .port(port)
            .user(user)
            .password(secret)
            .dbname(database)
            .connect(NoTls)
            .await;
        let (client, connection) = login.map_err(|error| refusal::passed_on(&error, user))?;
        drop(client);
        // Ends at once, as nobody asks anything any more.
        let _ended = connection.await;
        Ok(())
    }

    fn with_token(&self, user: &str, asks_for_token: bool) -> Result<(), ErrorResponse> {
        if !asks_for_token {
            return Err(refusal::wrong_password(user));
        }
        let role = Identity {
            principal: self.proxy_role.clone(),
            caller: self.proxy_role.clone(),
        };
        match self.auth.may_connect_behind(&role, user) {
            true => Ok(()),
            false => Err(refusal::pam_failed(user)),
        }
    }
}
