//! What a refused client gets to see: a Postgres error, with our explanation as its hint.

use pg_frames::ErrorResponse;
use rds_iam::{LoginError, LoginFailure};

/// The upstream login failed. Postgres's own refusals keep their code and text.
pub(crate) fn upstream(error: &LoginError) -> ErrorResponse {
    let explanation = error.explain();
    let hint = format!(
        "{} Next: {}",
        explanation.likely_cause, explanation.next_step
    );
    let answer = match &error.failure {
        LoginFailure::Refused { sqlstate, message } => ErrorResponse::fatal(sqlstate, message),
        // 08001: the client's own connection could not be established (Postgres manual, appendix A).
        _ => ErrorResponse::fatal("08001", &format!("sal relay: {}", explanation.what)),
    };
    answer.with(b'H', &hint)
}

pub(crate) fn too_many(most: usize) -> ErrorResponse {
    ErrorResponse::fatal("53300", "sal relay: too many connections").with(
        b'H',
        &format!("the relay takes {most}; raise --max-connections, or close idle ones"),
    )
}

pub(crate) fn other_user(wanted: &str) -> ErrorResponse {
    ErrorResponse::fatal(
        "28000",
        &format!("sal relay: this relay logs in as \"{wanted}\" only"),
    )
    .with(b'H', &format!("connect with user={wanted}"))
}

/// The socket is for one user of the machine, and the kernel says that this is another one (`SO_PEERCRED`).
pub(crate) fn other_peer(owner: u32, peer: u32) -> ErrorResponse {
    let (owner, peer) = (user_name(owner), user_name(peer));
    ErrorResponse::fatal(
        "28000",
        &format!("sal relay: this socket is for user {owner}; you are {peer}"),
    )
    .with(
        b'H',
        &format!("connect as {owner}, start a relay as {peer}, or give the relay a password (SAL_RELAY_PASSWORD) and a port"),
    )
}

/// The name of a user of this machine; its number where it has none.
fn user_name(uid: u32) -> String {
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let named = passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    });
    named.unwrap_or_else(|| format!("number {uid}"))
}

pub(crate) fn wrong_password() -> ErrorResponse {
    ErrorResponse::fatal("28P01", "sal relay: password authentication failed").with(
        b'H',
        "the local password is the one in SAL_RELAY_PASSWORD; it is not the database's",
    )
}

pub(crate) fn too_many_guesses() -> ErrorResponse {
    ErrorResponse::fatal(
        "28P01",
        "sal relay: too many wrong passwords came from this address",
    )
    .with(
        b'H',
        "try again in a few seconds; the local password is the one in SAL_RELAY_PASSWORD",
    )
}

pub(crate) fn needs_tls() -> ErrorResponse {
    ErrorResponse::fatal("28000", "sal relay: this port takes TLS only").with(
        b'H',
        "connect with sslmode=require; the certificate is the relay's own",
    )
}

pub(crate) fn no_user() -> ErrorResponse {
    ErrorResponse::fatal(
        "28000",
        "no PostgreSQL user name specified in startup packet",
    )
}

pub(crate) fn draining() -> ErrorResponse {
    ErrorResponse::fatal("57P01", "sal relay: the relay is shutting down")
}

pub(crate) fn idle() -> ErrorResponse {
    ErrorResponse::fatal(
        "57P05",
        "sal relay: terminating connection due to idle-session timeout",
    )
    .with(b'H', "nothing moved for as long as --idle-timeout says")
}

/// The upstream session broke after the login, before it was ready.
pub(crate) fn broke(why: &str) -> ErrorResponse {
    ErrorResponse::fatal(
        "08006",
        &format!("sal relay: the server's session did not become ready: {why}"),
    )
    .with(
        b'H',
        "the server is starting a session slowly, or closed it; its own log says why",
    )
}
