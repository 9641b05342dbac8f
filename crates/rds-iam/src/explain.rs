//! Turns every refusal into what happened, the likely cause, and what to do.
//!
//! RDS answers every problem with a token by the same line, "PAM authentication failed", and keeps
//! the reason for itself. What the client knows (which credentials, how old, which clock, which
//! region) narrows it down. The codes are stable: programs may switch on them.

mod certificate;
mod credentials;
mod proxy;
mod server;

use std::{fmt, io, path::Path};

use crate::{
    failure::{LoginContext, LoginFailure, Stage},
    region::RegionError,
    resolve::ResolveError,
};

pub use self::server::explain_text;

/// What RDS says to any token it does not like.
pub(crate) const PAM_FAILED: &str = "PAM authentication failed";
/// What RDS Proxy says when its own limit is reached.
pub(crate) const PROXY_THROTTLED: &str = "too many competing requests";

/// What RDS Proxy says to any token it does not like.
pub(crate) const PROXY_REFUSED: &str = "IAM authentication failed for the role";

/// A failure in words for the person who has to act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// A stable name of the case, such as `token_refused`.
    pub code: &'static str,
    /// What happened.
    pub what: String,
    /// Why, most likely.
    pub likely_cause: String,
    /// What to do next.
    pub next_step: String,
}

impl Explanation {
    pub(crate) fn new(
        code: &'static str,
        what: impl Into<String>,
        likely_cause: impl Into<String>,
        next_step: impl Into<String>,
    ) -> Self {
        Self {
            code,
            what: what.into(),
            likely_cause: likely_cause.into(),
            next_step: next_step.into(),
        }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} Likely cause: {} Next: {}",
            self.what, self.likely_cause, self.next_step
        )
    }
}

/// Explains a failure in its circumstances.
#[must_use]
pub fn explain(failure: &LoginFailure, context: &LoginContext) -> Explanation {
    match failure {
        LoginFailure::Credentials(error) => credentials::explain(error, context),
        LoginFailure::Refused { sqlstate, message } => {
            server::explain_refusal(sqlstate, message, context)
        }
        LoginFailure::Certificate {
            refusal,
            presented,
            top_issuer,
        } => certificate::explain(
            refusal,
            presented.as_deref(),
            top_issuer.as_deref(),
            context,
        ),
        LoginFailure::Socket { path, source } => socket(path, source),
        LoginFailure::NoPassword => Explanation::new(
            "password_missing",
            format!(
                "The server asks for the password of `{}`, and none is set.",
                context.user
            ),
            "a server that takes this user without a password would have to be set up for it.",
            "set DB_PASS; behind a relay's socket none is needed.",
        ),
        LoginFailure::NotAnRdsName { host, chain } => Explanation::new(
            "no_rds_name",
            format!(
                "None of the names behind `{host}` belongs to RDS ({}).",
                chain.join(" -> ")
            ),
            "a typing error, a tunnel, a private alias that is not a CNAME, or an IP address: AWS accepts a token only for the endpoint's own name.",
            "use the endpoint from the RDS console as host, or name it as the host to sign for.",
        ),
        LoginFailure::Region(error) => region(error),
        LoginFailure::Resolve(error) => resolve(error),
        other => connection(other, context),
    }
}

fn region(error: &RegionError) -> Explanation {
    Explanation::new(
        "region_unknown",
        format!("The signing region cannot be told: {error}."),
        "a global endpoint or a private name carries no region, and there is no safe default.",
        "set the region of the database, such as `eu-west-1`.",
    )
}

fn resolve(error: &ResolveError) -> Explanation {
    Explanation::new(
        "name_not_resolved",
        format!("The database's name was not resolved: {error}."),
        "a typing error, a deleted instance, or a resolver that cannot be reached from here.",
        "compare the host with the endpoint in the RDS console and resolve it on this machine.",
    )
}

fn socket(path: &Path, source: &io::Error) -> Explanation {
    let (cause, next) = match source.kind() {
        io::ErrorKind::NotFound => (
            "the server or the relay behind it does not run yet, the folder is not mounted here, or the port in the name is another.",
            "start what makes the socket, mount its folder into this container, and compare the number at its end with the port.",
        ),
        io::ErrorKind::PermissionDenied => (
            "the socket belongs to another user, and a relay's is for its own user only.",
            "run both as the same user of the system.",
        ),
        _ => (
            "the socket was left behind by a program that has ended.",
            "start the server or the relay again.",
        ),
    };
    Explanation::new(
        "unreachable",
        format!(
            "No connection through the socket `{}`: {source}.",
            path.display()
        ),
        cause,
        next,
    )
}

/// Failures on the way to the server or behind the login.
fn connection(failure: &LoginFailure, context: &LoginContext) -> Explanation {
    let target = format!("`{}`, port {}", context.host, context.port);
    match failure {
        LoginFailure::Dial { source, .. } => Explanation::new(
            "unreachable",
            format!("No connection to {target}: {source}."),
            "a security group, a route or a wrong port; during a failover or a reboot it passes within a minute.",
            "check that the instance is available and that its security group admits this machine.",
        ),
        LoginFailure::TimedOut {
            stage: Stage::Authenticating,
            after,
        } => Explanation::new(
            "no_answer",
            format!(
                "The server at {target} accepts the connection and does not answer: given up after {} s.",
                after.as_secs_f32()
            ),
            "the server is overloaded, out of memory or still starting; the network is fine.",
            "look at the instance's CPU, memory and events in the RDS console; a reboot or a failover passes within minutes.",
        ),
        LoginFailure::TimedOut { stage, after } => Explanation::new(
            "timed_out",
            format!(
                "The login to {target} was given up after {} s while {stage}.",
                after.as_secs_f32()
            ),
            "packets are dropped on the way (security group, network ACL), or the server is overloaded.",
            "check the security group first, then the instance's CPU and memory.",
        ),
        LoginFailure::TlsRefused => Explanation::new(
            "tls_not_offered",
            format!("The server at {target} does not speak TLS."),
            "a Postgres without TLS, as in the stock `postgres` image, or something in front of RDS.",
            "turn on TLS in Postgres; where it runs on a private network, DB_SSLMODE=disable goes without, and the password is sent unencrypted. For RDS, use the endpoint's own name as DB_HOST.",
        ),
        LoginFailure::Tls { message } => Explanation::new(
            "tls_failed",
            format!("TLS with {target} failed: {message}."),
            "something other than Postgres answers there, or it allows only outdated TLS.",
            "check host and port; RDS needs TLS 1.2 or newer.",
        ),
        other => session(other, context),
    }
}

/// Failures behind the login, and what is left.
fn session(failure: &LoginFailure, context: &LoginContext) -> Explanation {
    match failure {
        LoginFailure::WrongRole { expected, found } => Explanation::new(
            "wrong_role",
            format!("The session runs as `{found}`, not as `{expected}`."),
            format!(
                "`{}` is no longer a member of `{expected}`, or `SET role` was removed from its settings; Postgres only warns about it.",
                context.user
            ),
            format!(
                "as an administrator: GRANT {} TO {} and ALTER ROLE … IN DATABASE … SET role.",
                quoted(expected),
                quoted(&context.user)
            ),
        ),
        LoginFailure::SearchPath { found } => Explanation::new(
            "search_path_not_kept",
            format!(
                "The session was told to look for names in pg_catalog only, and looks in `{found}`."
            ),
            "something between here and the server keeps settings to itself, such as a pooler.",
            "connect to the server itself: the owner of the database could otherwise have code of its own run with the rights of this session.",
        ),
        LoginFailure::NotWritable { in_recovery } => Explanation::new(
            "not_writable",
            if *in_recovery {
                "This is a reader: the server accepts the login and no writes."
            } else {
                "The server accepts the login and no writes."
            },
            if *in_recovery {
                "a reader endpoint, or the old writer after a failover whose name is still cached."
            } else {
                "a reader; or the user or the database is set to read-only transactions."
            },
            "use the writer's endpoint; after a failover it passes when DNS has changed.",
        ),
        LoginFailure::Queue { after } => Explanation::new(
            "login_queue_full",
            format!("No turn to log in came within {} s.", after.as_secs()),
            "many connections are being opened at once, and new logins are limited to spare the database.",
            "wait; if it lasts, use fewer connections or raise the limit (RDS takes less than 200 per second).",
        ),
        other => Explanation::new(
            "connection_broken",
            format!(
                "The connection to `{}` broke during the login: {other}.",
                context.host
            ),
            "a restart or failover of the database, or a proxy in between that closed it.",
            "it is tried again; if it lasts, look at the database's events.",
        ),
    }
}

/// A name as SQL takes it, for statements that a person will paste.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests;
