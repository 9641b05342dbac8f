//! Explanations of what RDS Proxy says for itself, and of what a database behind it says to it.
//!
//! The texts are those of AWS's page "Troubleshooting for RDS Proxy".

use super::{Explanation, PAM_FAILED, PROXY_REFUSED};
use crate::{endpoint::RdsEndpoint, failure::LoginContext, status::LoginMode};

/// Explains a refusal that means something else where a proxy stands between; `None` for every other.
pub(super) fn explain(
    sqlstate: &str,
    message: &str,
    context: &LoginContext,
) -> Option<Explanation> {
    let what = format!("The server said: {}.", message.trim_end_matches('.'));
    let user = &context.user;
    if message.contains(PROXY_REFUSED) && context.mode == LoginMode::Password {
        return Some(Explanation::new(
            "proxy_wants_token",
            what,
            "RDS Proxy takes only tokens from this user (IAMAuth is REQUIRED), and a password was sent.",
            "log in with IAM, or at the database's own endpoint.",
        ));
    }
    if message.contains(PROXY_REFUSED) {
        return Some(Explanation::new(
            "proxy_refused_token",
            what,
            format!(
                "the policy of this role does not allow rds-db:connect for `{user}` on the proxy's resource id (prx-…; that of the database does not count there), or the token was signed for another name."
            ),
            format!(
                "allow rds-db:connect on `dbuser:prx-…/{user}`; `sal iam policy` with the proxy as DB_HOST writes it."
            ),
        ));
    }
    if message.contains("has no credentials for the role") {
        return Some(Explanation::new(
            "proxy_without_secret",
            what,
            format!(
                "RDS Proxy in its standard mode logs in to the database with a secret, and has none of `{user}`."
            ),
            format!(
                "give the proxy a secret of `{user}` (who then must not be in rds_iam), switch the proxy to end-to-end IAM, or use the database's own endpoint."
            ),
        ));
    }
    let behind = match (sqlstate, context.mode) {
        ("28P01", LoginMode::Iam) => true,
        ("28000", LoginMode::Iam) => message.contains(PAM_FAILED),
        _ => false,
    };
    (behind && is_proxy(context)).then(|| refused_behind(sqlstate, what, user))
}

/// The token was good for the proxy; what the proxy brought was not good for the database.
fn refused_behind(sqlstate: &str, what: String, user: &str) -> Explanation {
    if sqlstate == "28P01" {
        return Explanation::new(
            "proxy_secret_refused",
            what,
            format!(
                "the database refused what the proxy brought: in its standard mode a secret that is not the password of `{user}` any more; with end-to-end IAM a token, because `{user}` is not in rds_iam or IAM authentication of the database is off."
            ),
            "bring the secret up to date; or, with end-to-end IAM, GRANT rds_iam to the user.",
        );
    }
    Explanation::new(
        "proxy_refused_behind",
        what,
        format!(
            "the database refused what the proxy brought: in its standard mode a secret, because `{user}` is in rds_iam; with end-to-end IAM a token, because the proxy's own role may not rds-db:connect on the database as `{user}`."
        ),
        "switch the proxy to end-to-end IAM and allow its role rds-db:connect on the database, or use the database's own endpoint.",
    )
}

fn is_proxy(context: &LoginContext) -> bool {
    let name = context.sign_name.as_ref().unwrap_or(&context.host);
    RdsEndpoint::parse(name).is_ok_and(|endpoint| endpoint.is_proxy())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::tls::TlsMode;

    fn code(mode: LoginMode, sqlstate: &str, message: &str, name: &str) -> Option<&'static str> {
        let context = LoginContext {
            mode,
            user: "salawsiam".to_owned(),
            database: "sal".to_owned(),
            host: "db.example".to_owned(),
            port: 5432,
            tls: TlsMode::VerifyFull,
            sign_name: Some(name.to_owned()),
            region: None,
            signer: None,
            skew: None,
            at: Timestamp::UNIX_EPOCH,
            attempts: 1,
        };
        explain(sqlstate, message, &context).map(|explanation| explanation.code)
    }

    #[test]
    fn a_proxy_s_own_words_and_those_of_the_database_behind_it_are_told_apart() {
        let proxy = "sal.proxy-abc123.us-west-2.rds.amazonaws.com";
        let further = "x.endpoint.proxy-abc123.us-west-2.rds.amazonaws.com";
        let direct = "sal.abc123.us-west-2.rds.amazonaws.com";
        let (iam, password) = (LoginMode::Iam, LoginMode::Password);
        let token = "The IAM authentication failed for the role salawsiam. Check the IAM token for this role and try again.";
        let secret = "This RDS proxy has no credentials for the role salawsiam. Check the credentials for this role and try again.";
        let pam = "PAM authentication failed for user \"salawsiam\"";
        let wrong = "password authentication failed for user \"salawsiam\"";
        for (mode, sqlstate, message, name, expected) in [
            (iam, "28000", token, proxy, Some("proxy_refused_token")),
            (password, "28000", token, proxy, Some("proxy_wants_token")),
            (iam, "28000", secret, further, Some("proxy_without_secret")),
            (iam, "28000", pam, further, Some("proxy_refused_behind")),
            (iam, "28P01", wrong, proxy, Some("proxy_secret_refused")),
            (iam, "28000", pam, direct, None),
            (iam, "28P01", wrong, direct, None),
            (password, "28P01", wrong, proxy, None),
        ] {
            assert_eq!(code(mode, sqlstate, message, name), expected, "{message}");
        }
    }
}
