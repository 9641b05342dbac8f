//! The errors a refused client gets to see, word for word as Postgres 15 on RDS writes them.
//!
//! Texts as measured with PAM on a Debian build, and as users of RDS report them.

use std::net::IpAddr;

use pg_frames::ErrorResponse;

use super::greeting::Encryption;

/// Who wants to enter where.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempt<'a> {
    pub(super) peer: IpAddr,
    pub(super) user: &'a str,
    pub(super) database: &'a str,
    pub(super) is_replication: bool,
}

/// A `reject` line matched.
pub(super) fn rejected(attempt: &Attempt<'_>, encryption: Encryption) -> ErrorResponse {
    let text = format!(
        "pg_hba.conf rejects connection for {}",
        described(attempt, encryption)
    );
    in_auth("28000", &text, "456", "ClientAuthentication")
}

/// No line matched.
pub(super) fn no_entry(attempt: &Attempt<'_>, encryption: Encryption) -> ErrorResponse {
    let text = format!(
        "no pg_hba.conf entry for {}",
        described(attempt, encryption)
    );
    in_auth("28000", &text, "543", "ClientAuthentication")
}

/// No line matched a replication connection: `all` does not include those.
pub(super) fn no_replication_entry(attempt: &Attempt<'_>, encryption: Encryption) -> ErrorResponse {
    let text = format!(
        "no pg_hba.conf entry for replication connection from host \"{}\", user \"{}\", {}",
        attempt.peer,
        attempt.user,
        encryption_text(encryption)
    );
    in_auth("28000", &text, "530", "ClientAuthentication")
}

/// The token was refused; why is nobody's business here.
pub(super) fn pam_failed(user: &str) -> ErrorResponse {
    let text = format!("PAM authentication failed for user \"{user}\"");
    in_auth("28000", &text, "326", "auth_failed")
}

/// Postgres refuses an empty password before any method sees it.
pub(super) fn empty_password() -> ErrorResponse {
    in_auth(
        "28P01",
        "empty password returned by client",
        "721",
        "recv_password_packet",
    )
}

/// A start-up message without a user.
pub(super) fn no_user() -> ErrorResponse {
    ErrorResponse::fatal(
        "28000",
        "no PostgreSQL user name specified in startup packet",
    )
    .with(b'F', "postmaster.c")
    .with(b'R', "ProcessStartupPacket")
}

/// The Postgres behind the gate is down.
pub(super) fn not_up() -> ErrorResponse {
    ErrorResponse::fatal("57P03", "the database system is starting up")
        .with(b'F', "postmaster.c")
        .with(b'R', "ProcessStartupPacket")
}

/// RDS Proxy takes nobody without TLS where IAM is required (AWS, "Troubleshooting for RDS Proxy").
pub(super) fn proxy_needs_tls() -> ErrorResponse {
    ErrorResponse::fatal("28000", "IAM is allowed only with SSL connections.")
}

/// RDS Proxy knows no start-up options.
pub(super) fn proxy_takes_no_options() -> ErrorResponse {
    ErrorResponse::fatal(
        "0A000",
        "Feature not supported: RDS Proxy currently doesn\u{2019}t support command-line options.",
    )
}

/// The proxy itself does not take the token.
pub(super) fn proxy_refuses_token(user: &str) -> ErrorResponse {
    let text = format!(
        "The IAM authentication failed for the role {user}. Check the IAM token for this role and try again."
    );
    ErrorResponse::fatal("28000", &text)
}

/// The proxy has no secret of this user.
pub(super) fn proxy_has_no_secret(user: &str) -> ErrorResponse {
    let text = format!(
        "This RDS proxy has no credentials for the role {user}. Check the credentials for this role and try again."
    );
    ErrorResponse::fatal("28000", &text)
}

/// Postgres asked for a password and got none that is right.
pub(super) fn wrong_password(user: &str) -> ErrorResponse {
    let text = format!("password authentication failed for user \"{user}\"");
    in_auth("28P01", &text, "326", "auth_failed")
}

/// What the database said to the proxy, said to the client.
pub(super) fn passed_on(error: &tokio_postgres::Error, user: &str) -> ErrorResponse {
    match error.as_db_error() {
        Some(refusal) => ErrorResponse::fatal(refusal.code().code(), refusal.message()),
        None => wrong_password(user),
    }
}

fn described(attempt: &Attempt<'_>, encryption: Encryption) -> String {
    format!(
        "host \"{}\", user \"{}\", database \"{}\", {}",
        attempt.peer,
        attempt.user,
        attempt.database,
        encryption_text(encryption)
    )
}

fn encryption_text(encryption: Encryption) -> &'static str {
    match encryption {
        Encryption::Tls => "SSL encryption",
        Encryption::None => "no encryption",
    }
}

fn in_auth(code: &str, text: &str, line: &str, routine: &str) -> ErrorResponse {
    ErrorResponse::fatal(code, text)
        .with(b'F', "auth.c")
        .with(b'L', line)
        .with(b'R', routine)
}
