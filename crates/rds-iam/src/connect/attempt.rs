//! One attempt to log in, step by step, within one timeout.
//!
//! Order: name, credentials, TCP, token, TLS and authentication, checks. The token is signed when
//! the connection stands, so that it is seconds old at most when the server looks at it. Our
//! copies of it are wiped; the driver's copy is freed with its configuration, unwiped.

use std::{error::Error, future::Future, io, pin::Pin, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;
use tokio_postgres::{
    Client, Config, NoTls, SimpleQueryMessage, SimpleQueryRow,
    config::{ChannelBinding, SslMode, SslNegotiation},
    tls::MakeTlsConnect,
};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{Canceller, Connection, Connector};
use crate::{
    config::{IamConfig, LoginSecret},
    credentials::Fetched,
    dial::{Peer, Socket, dial, dial_socket, socket_of},
    endpoint::{RdsEndpoint, canonical},
    failure::{LoginFailure, Signer, Stage},
    guard::{CATALOG_ONLY, CATALOG_PATH, SearchPath},
    region,
    resolve::{ResolveError, find_endpoint},
    secret::Secret,
    tls::{Negotiation, Seen, TlsClient},
    token::{Token, login_token},
};

/// A slower answer says too little about the server's clock.
const QUICK_ANSWER: SignedDuration = SignedDuration::from_secs(2);

const CHECK: &str = "SELECT current_user, pg_catalog.pg_is_in_recovery(), \
     pg_catalog.current_setting('transaction_read_only'), \
     pg_catalog.date_part('epoch', pg_catalog.clock_timestamp()), \
     pg_catalog.current_setting('search_path')";

/// How far a login has come; what an explanation needs.
#[derive(Default)]
pub(super) struct Progress {
    pub(super) attempts: u32,
    pub(super) sign_name: Option<String>,
    pub(super) region: Option<String>,
    pub(super) credentials: Option<Arc<Fetched>>,
}

/// Whom to talk to and under which name.
struct Route {
    /// The name to verify the certificate against, and to sign for.
    name: String,
    endpoint: Option<RdsEndpoint>,
}

/// Drives the bytes of a connection until it ends.
type Driver = Pin<Box<dyn Future<Output = Result<(), tokio_postgres::Error>> + Send>>;

impl Progress {
    pub(super) fn signer(&self) -> Option<Signer> {
        self.credentials.as_ref().map(|fetched| Signer {
            source: fetched.source.clone(),
            access_key_ending: fetched.credentials.access_key_ending(),
            expires_at: fetched.credentials.expires_at(),
        })
    }
}

/// A connection that stands, and what to say on it.
pub(super) struct Reached {
    pub(super) stream: Socket,
    pub(super) peer: Peer,
    /// The name to verify the certificate against.
    pub(super) name: String,
    pub(super) password: Secret,
    /// When the whole attempt is given up.
    pub(super) deadline: Instant,
}

impl Connector {
    pub(super) async fn attempt(
        &self,
        progress: &mut Progress,
    ) -> Result<Connection, LoginFailure> {
        let timeout = self.config.connect_timeout;
        let Reached {
            stream,
            peer,
            name,
            password,
            deadline,
        } = self.reach(progress).await?;
        let login = self.authenticate(stream, &name, &password);
        let (client, driver) =
            within(deadline, timeout, Stage::Authenticating, Box::pin(login)).await?;
        let task = self.tracker.spawn(async move {
            if let Err(error) = driver.await {
                tracing::warn!(%error, "a database connection was lost");
            }
        });
        let checking = self.check_session(&client);
        within(deadline, timeout, Stage::Checking, checking).await?;
        let canceller = Canceller {
            token: client.cancel_token(),
            peer,
            name,
            tls: self.tls(),
            timeout,
        };
        Ok(Connection {
            client,
            task,
            canceller,
        })
    }

    /// Name, credentials, TCP, token.
    pub(super) async fn reach(&self, progress: &mut Progress) -> Result<Reached, LoginFailure> {
        let timeout = self.config.connect_timeout;
        let deadline = Instant::now() + timeout;
        let route = within(deadline, timeout, Stage::Resolving, self.route()).await?;
        progress.sign_name = Some(route.name.clone());
        if let LoginSecret::Iam(iam) = &self.config.secret {
            progress.region = Some(self.region(iam, &route)?);
            let fetching = async {
                iam.credentials
                    .get()
                    .await
                    .map_err(LoginFailure::Credentials)
            };
            let fetched = within(deadline, timeout, Stage::Credentials, fetching).await?;
            progress.credentials = Some(fetched);
        }
        self.note_route(progress);
        let (stream, peer) = self.dial(deadline).await?;
        let password = self.password(&route, progress);
        Ok(Reached {
            stream,
            peer,
            name: route.name,
            password,
            deadline,
        })
    }

    /// Opens the connection: through the folder's socket, to the given address, or to one that DNS gives.
    async fn dial(&self, deadline: Instant) -> Result<(Socket, Peer), LoginFailure> {
        let (host, port) = (&self.config.host, self.config.port);
        if let Some(path) = socket_of(host, port) {
            let stream = dial_socket(&path, deadline).await?;
            return Ok((Socket::Right(stream), Peer::Unix(path)));
        }
        let addresses = async {
            match self.config.host_address {
                Some(address) => Ok(vec![address]),
                None => {
                    let asked = self.resolver.addresses(host).await;
                    asked.map_err(LoginFailure::Resolve)
                }
            }
        };
        let timeout = self.config.connect_timeout;
        let addresses = within(deadline, timeout, Stage::Resolving, addresses).await?;
        let stream = dial(&addresses, port, deadline).await?;
        let peer = stream.peer_addr();
        let peer = peer.map_err(|error| super::raw::broken(&error))?;
        Ok((Socket::Left(stream), Peer::Tcp(peer)))
    }

    /// Finds the name of the RDS grammar, or says that there is none.
    async fn route(&self) -> Result<Route, LoginFailure> {
        let host = &self.config.host;
        let iam = match &self.config.secret {
            LoginSecret::Iam(iam) => Some(iam),
            LoginSecret::Password(_) => None,
        };
        if let Some(name) = iam.and_then(|iam| iam.sign_host.as_deref()) {
            let name = canonical(name);
            let endpoint = RdsEndpoint::parse(&name).ok();
            return Ok(Route { name, endpoint });
        }
        let found = match find_endpoint(host, self.resolver.as_ref()).await {
            Err(_unknown) if iam.is_none() => (None, Vec::new()),
            Err(ResolveError::NoSuchName { .. }) => (None, vec![canonical(host)]),
            other => other.map_err(LoginFailure::Resolve)?,
        };
        match found {
            (Some(endpoint), _) => Ok(Route {
                name: endpoint.name.clone(),
                endpoint: Some(endpoint),
            }),
            (None, chain) if iam.is_some() => Err(LoginFailure::NotAnRdsName {
                host: host.clone(),
                chain,
            }),
            (None, _) => Ok(Route {
                name: canonical(host),
                endpoint: None,
            }),
        }
    }

    fn region(&self, iam: &IamConfig, route: &Route) -> Result<String, LoginFailure> {
        let choice = region::choose(iam.region.as_deref(), route.endpoint.as_ref(), &route.name)
            .map_err(LoginFailure::Region)?;
        let mut status = self.notes();
        if let Some(warning) = choice.warning
            && !status.warnings.contains(&warning)
        {
            tracing::warn!(%warning, "{warning}");
            status.warnings.push(warning);
        }
        Ok(choice.region)
    }

    fn note_route(&self, progress: &Progress) {
        let mut status = self.notes();
        status.sign_name.clone_from(&progress.sign_name);
        status.region.clone_from(&progress.region);
    }

    /// A token for this connection, or the configured password.
    fn password(&self, route: &Route, progress: &Progress) -> Secret {
        match (&self.config.secret, &progress.region, &progress.credentials) {
            (LoginSecret::Password(password), _, _) => password.clone(),
            (LoginSecret::Iam(iam), Some(region), Some(fetched)) => {
                let token = self.sign(iam, route, region, fetched);
                Secret::new(token.expose())
            }
            // The steps before have filled in both, so that nothing is ever sent from here.
            (LoginSecret::Iam(_), ..) => Secret::new(""),
        }
    }

    fn sign(&self, iam: &IamConfig, route: &Route, region: &str, fetched: &Fetched) -> Token {
        let (user, at) = (&self.config.user, (self.clock)());
        let credentials = &fetched.credentials;
        let port = iam.sign_port.unwrap_or(self.config.port);
        login_token(&route.name, port, user, region, credentials, at)
    }

    async fn authenticate(
        &self,
        stream: Socket,
        name: &str,
        password: &Secret,
    ) -> Result<(Client, Driver), LoginFailure> {
        let mut config = Config::new();
        config
            .user(&self.config.user)
            .dbname(&self.config.database)
            .channel_binding(ChannelBinding::Prefer);
        // Without one the driver says so when the server asks, instead of trying an empty one.
        if !password.expose().is_empty() {
            config.password(password.expose());
        }
        if let Some(application) = &self.config.application_name {
            config.application_name(application);
        }
        if self.config.tls.negotiation == Negotiation::Direct {
            config.ssl_negotiation(SslNegotiation::Direct);
        }
        match self.tls() {
            Some(tls) => self.over_tls(config, &tls, stream, name).await,
            None => {
                config.ssl_mode(SslMode::Disable);
                let connected = config.connect_raw(stream, NoTls).await;
                let (client, connection) =
                    connected.map_err(|error| classify(error, &Seen::default()))?;
                Ok((client, Box::pin(connection)))
            }
        }
    }

    async fn over_tls(
        &self,
        mut config: Config,
        tls: &TlsClient,
        stream: Socket,
        name: &str,
    ) -> Result<(Client, Driver), LoginFailure> {
        config.ssl_mode(SslMode::Require);
        let (client_config, slot) = tls.for_one_login();
        let mut maker = MakeRustlsConnect::new(client_config);
        let connect = MakeTlsConnect::<Socket>::make_tls_connect(&mut maker, name);
        let connect = match connect {
            Ok(connect) => connect,
            Err(never) => match never {},
        };
        let connected = config.connect_raw(stream, connect).await;
        let seen = slot
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .clone();
        self.remember(&seen);
        let (client, connection) = connected.map_err(|error| classify(error, &seen))?;
        Ok((client, Box::pin(connection)))
    }

    /// One round trip: where names are looked for, the role, whether it can write, and the server's clock.
    async fn check_session(&self, client: &Client) -> Result<(), LoginFailure> {
        let catalog_only = self.config.search_path == SearchPath::Catalog;
        let first = if catalog_only { CATALOG_ONLY } else { "" };
        let before = (self.clock)();
        let answer = client.simple_query(&format!("{first}{CHECK}")).await;
        let after = (self.clock)();
        let messages = answer.map_err(|error| classify(error, &Seen::default()))?;
        let row = messages.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        let Some(row) = row else {
            return Err(LoginFailure::Ended {
                message: "the server did not answer the first question".to_owned(),
            });
        };
        self.measure_clock(row, before, after);
        let path = row.get(4).unwrap_or_default();
        if catalog_only && path != CATALOG_PATH {
            return Err(LoginFailure::SearchPath {
                found: path.to_owned(),
            });
        }
        let found = row.get(0).unwrap_or_default();
        if let Some(expected) = &self.config.expected_current_user
            && expected != found
        {
            return Err(LoginFailure::WrongRole {
                expected: expected.clone(),
                found: found.to_owned(),
            });
        }
        let in_recovery = row.get(1) == Some("t");
        let read_only = row.get(2) == Some("on");
        if self.config.require_writable && (in_recovery || read_only) {
            return Err(LoginFailure::NotWritable { in_recovery });
        }
        Ok(())
    }

    fn measure_clock(&self, row: &SimpleQueryRow, before: Timestamp, after: Timestamp) {
        let passed = after.duration_since(before);
        let theirs = row.get(3).and_then(|text| text.parse::<f64>().ok());
        let theirs = theirs
            .and_then(|seconds| SignedDuration::try_from_secs_f64(seconds).ok())
            .and_then(|since| Timestamp::from_duration(since).ok());
        if let Some(theirs) = theirs
            && passed <= QUICK_ANSWER
        {
            let middle = before.checked_add(passed / 2).unwrap_or(after);
            self.skew.note(theirs, middle, "the database");
        }
    }
}

pub(super) async fn within<T>(
    deadline: Instant,
    after: Duration,
    stage: Stage,
    step: impl Future<Output = Result<T, LoginFailure>>,
) -> Result<T, LoginFailure> {
    match tokio::time::timeout_at(deadline, step).await {
        Ok(result) => result,
        Err(_elapsed) => Err(LoginFailure::TimedOut { stage, after }),
    }
}

/// Sorts the driver's errors by what has to be done about them.
fn classify(error: tokio_postgres::Error, seen: &Seen) -> LoginFailure {
    if let Some(refusal) = error.as_db_error() {
        return LoginFailure::Refused {
            sqlstate: refusal.code().code().to_owned(),
            message: refusal.message().to_owned(),
        };
    }
    if let Some(refusal) = &seen.refusal {
        return LoginFailure::Certificate {
            refusal: refusal.clone(),
            presented: seen.certificate.clone().map(Box::new),
            top_issuer: seen.top_issuer.clone(),
        };
    }
    let source = error.source();
    // The driver has no other mark for a server that answers the TLS request with "no".
    if source.is_some_and(|source| source.to_string() == "server does not support TLS") {
        return LoginFailure::TlsRefused;
    }
    // Nor for a server that asks for a password where there is none.
    if source.is_some_and(|source| source.to_string() == "password missing") {
        return LoginFailure::NoPassword;
    }
    let handshake = source
        .and_then(|source| source.downcast_ref::<io::Error>())
        .and_then(io::Error::get_ref)
        .and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match handshake {
        Some(inner) => LoginFailure::Tls {
            message: inner.to_string(),
        },
        None => LoginFailure::Broken(error),
    }
}
