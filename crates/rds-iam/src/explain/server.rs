//! Explanations of what the database server says, by SQLSTATE, text and circumstances.
//!
//! The texts are those of RDS, as users report them and as Postgres writes them. Other lines with
//! the same code, such as a role that may not log in, are told apart by their text.

use jiff::SignedDuration;

use super::{Explanation, PAM_FAILED, PROXY_THROTTLED, quoted};
use crate::{failure::LoginContext, status::LoginMode};

/// A clock that is off by less is never the reason.
const NOTEWORTHY_SKEW: SignedDuration = SignedDuration::from_secs(60);

pub(super) fn explain_refusal(
    sqlstate: &str,
    message: &str,
    context: &LoginContext,
) -> Explanation {
    if let Some(explanation) = super::proxy::explain(sqlstate, message, context) {
        return explanation;
    }
    let what = format!("The server said: {}.", message.trim_end_matches('.'));
    let iam = context.mode == LoginMode::Iam;
    let no_encryption = message.contains("no encryption") || message.contains("SSL off");
    match sqlstate {
        "28000" if message.contains(PAM_FAILED) && iam => token_refused(what, context),
        "28000" if message.contains(PAM_FAILED) => password_to_iam(what, &context.user),
        "28000" if message.contains("pg_hba.conf rejects") && no_encryption => {
            rds_iam_without_tls(what)
        }
        "28000" if message.contains("no pg_hba.conf entry") && no_encryption => force_ssl(what),
        "28000" if message.contains("no pg_hba.conf entry") => Explanation::new(
            "not_admitted",
            what,
            "the server's access rules have no line for this user, database and address.",
            "check user and database; on RDS this happens with replication connections.",
        ),
        "28000" if message.contains("not permitted to log in") => Explanation::new(
            "login_forbidden",
            what,
            "the role exists but has NOLOGIN: it was turned into an owner role or switched off.",
            "log in as the user that was made for it, or ALTER ROLE … LOGIN.",
        ),
        "28P01" if iam => token_to_password(what, &context.user),
        "28P01" => wrong_password(what, &context.user),
        "3D000" => Explanation::new(
            "no_such_database",
            what,
            "the login itself worked; the database's name is wrong.",
            "check the database's name, upper and lower case included.",
        ),
        "42501" => Explanation::new(
            "connect_not_granted",
            what,
            "the login itself worked; the user lacks CONNECT on the database.",
            format!(
                "GRANT CONNECT ON DATABASE {} TO {}.",
                quoted(&context.database),
                quoted(&context.user)
            ),
        ),
        "53300" => Explanation::new(
            "too_many_connections",
            what,
            "max_connections or the role's connection limit is reached.",
            "close idle sessions, use a smaller pool, or raise the limit.",
        ),
        "57P01" | "57P02" | "57P03" => Explanation::new(
            "server_restarting",
            what,
            "the database is starting, stopping or failing over.",
            "nothing: it is tried again.",
        ),
        _ => other(what, message),
    }
}

/// Explains text that somebody pasted: one line of a log or several, as libpq prints them.
///
/// Knows the pair that `sslmode=prefer` produces: the token's refusal, and then the refusal of a
/// second try in clear, which is often taken for the cause.
#[must_use]
pub fn explain_text(text: &str) -> Option<Explanation> {
    let what = || {
        format!(
            "The text says: {}.",
            text.trim().chars().take(400).collect::<String>()
        )
    };
    let pam = text.contains(PAM_FAILED);
    let no_encryption = text.contains("no encryption") || text.contains("SSL off");
    if pam && no_encryption {
        return Some(Explanation::new(
            "token_refused_then_clear",
            what(),
            "the first line counts: the token was refused over TLS. The second belongs to libpq's second try without TLS, which sslmode=prefer makes; the encryption is not the problem.",
            "look into the token (credentials, policy, region, clock) and use sslmode=verify-full, which does not try again in clear.",
        ));
    }
    if pam {
        return Some(Explanation::new(
            "token_refused",
            what(),
            "the token was refused: expired, signed for another host, port, user or region, or the policy does not allow rds-db:connect.",
            "look into the token and the policy; the log `iam-db-auth-error` holds the reason.",
        ));
    }
    if text.contains("pg_hba.conf rejects") && no_encryption {
        return Some(rds_iam_without_tls(what()));
    }
    if text.contains("no pg_hba.conf entry") && no_encryption {
        return Some(force_ssl(what()));
    }
    if text.contains("password authentication failed") {
        return Some(Explanation::new(
            "password_refused",
            what(),
            "the server checked a password: with a token this means that the role is not a member of rds_iam, that IAM is off, or that the role does not exist.",
            "GRANT rds_iam to the user and check that IAM authentication is enabled.",
        ));
    }
    text.contains(PROXY_THROTTLED).then(|| throttled(what()))
}

/// The answer that hides every reason: say what is known and order the suspects.
fn token_refused(what: String, context: &LoginContext) -> Explanation {
    let region = context.region.as_deref().unwrap_or("?");
    let name = context.sign_name.as_deref().unwrap_or("?");
    let signer = context.signer.as_ref();
    let ends = signer.and_then(|signer| signer.expires_at);
    if let Some(sentence) = skew_sentence(context) {
        return Explanation::new(
            "clock_skew",
            what,
            format!("the token's time is wrong.{sentence}"),
            "synchronize the clock (chrony, NTP); a token is good for 15 minutes.",
        );
    }
    if ends.is_some_and(|end| end <= context.at) {
        return Explanation::new(
            "credentials_expired",
            what,
            "the AWS credentials behind the token have expired in the meantime, and the token with them.",
            "nothing if the source can refresh them; else repair the source.",
        );
    }
    let from = signer.map_or_else(String::new, |signer| {
        format!(
            " The credentials came from {} (key …{}).",
            signer.source, signer.access_key_ending
        )
    });
    Explanation::new(
        "token_refused",
        what,
        format!(
            "the policy of this role does not allow rds-db:connect for user `{}` on this database's resource id (db-…, cluster-… or prx-…, not the instance's name); or the token's region `{region}` or host `{name}` is not the database's. During a reboot or a failover it passes.{from}",
            context.user
        ),
        format!(
            "check that the policy's resource ends in `dbuser:RESOURCE-ID/{}` with the resource id from the console's Configuration tab; the reason is in the log `iam-db-auth-error` if it is exported.",
            context.user
        ),
    )
}

fn password_to_iam(what: String, user: &str) -> Explanation {
    Explanation::new(
        "password_for_iam_user",
        what,
        format!(
            "`{user}` is a member of rds_iam, directly or through another role, so the server takes only tokens from it."
        ),
        format!("log in with IAM, or REVOKE rds_iam from `{user}` or from the role between."),
    )
}

fn rds_iam_without_tls(what: String) -> Explanation {
    Explanation::new(
        "iam_without_tls",
        what,
        "the user is a member of rds_iam and tried without TLS; RDS refuses that before it looks at the token.",
        "switch TLS on (verify-full).",
    )
}

fn force_ssl(what: String) -> Explanation {
    Explanation::new(
        "tls_forced",
        what,
        "the server demands TLS (rds.force_ssl, on by default since Postgres 15).",
        "switch TLS on (verify-full).",
    )
}

fn token_to_password(what: String, user: &str) -> Explanation {
    Explanation::new(
        "token_sent_to_password_check",
        what,
        format!(
            "the server took the token for a password: `{user}` is not a member of rds_iam, IAM authentication is off or still pending on the instance, or the role does not exist."
        ),
        format!(
            "as an administrator: GRANT rds_iam TO {}; and check IAM DB authentication and pending modifications of the instance.",
            quoted(user)
        ),
    )
}

fn wrong_password(what: String, user: &str) -> Explanation {
    Explanation::new(
        "password_refused",
        what,
        format!("the password is wrong or has expired, or there is no role `{user}`."),
        "compare the password with the one in the secret store; rotation may have changed it.",
    )
}

fn throttled(what: String) -> Explanation {
    Explanation::new(
        "iam_throttled",
        what,
        "more IAM logins at once than the database or the proxy takes (less than 200 per second).",
        "open fewer connections at once; it is tried again with growing pauses.",
    )
}

fn other(what: String, message: &str) -> Explanation {
    if message.contains(PROXY_THROTTLED) {
        return throttled(what);
    }
    if message.contains("RDS Proxy supports only") {
        return Explanation::new(
            "proxy_method",
            what,
            "the proxy is set to another kind of login for this user.",
            "set the proxy's client authentication for this user to IAM, or use the password.",
        );
    }
    Explanation::new(
        "refused",
        what,
        "the server refused the session for a reason of its own.",
        "look the message up in the database's log.",
    )
}

/// As a person says it.
fn rounded(seconds: i64) -> String {
    match seconds {
        ..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", (seconds + 30) / 60),
        _ => format!("{} h", (seconds + 1_800) / 3_600),
    }
}

/// What the measured clock difference is, when it is large enough to matter.
pub(super) fn skew_sentence(context: &LoginContext) -> Option<String> {
    let skew = context.skew.as_ref()?;
    let size = skew.offset.abs();
    if size < NOTEWORTHY_SKEW {
        return None;
    }
    let side = if skew.offset.is_positive() {
        "behind"
    } else {
        "ahead of"
    };
    Some(format!(
        " This machine's clock is {} {side} that of {}.",
        rounded(size.as_secs()),
        skew.against
    ))
}
