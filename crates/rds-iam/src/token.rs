//! Login tokens: the text that stands in the place of the password.
//!
//! A token is made for one connection and thrown away; nothing here keeps one. It is local work
//! (a few HMACs), so there is nothing to gain from caching and much to lose. The functions sign
//! the host they are given as it stands, but for its case: finding the right host is
//! `connect.rs`. Byte-identical to botocore 1.44.5.

use std::{fmt, time::Duration};

use jiff::Timestamp;
use zeroize::Zeroizing;

use crate::{
    credentials::Credentials,
    endpoint::{EndpointKind, RdsEndpoint},
    sigv4::{Presign, presign},
};

/// RDS accepts a token for 15 minutes after the moment in it.
pub const RDS_TOKEN_LIFE: Duration = Duration::from_secs(900);

/// SigV4 allows no more than seven days.
const LONGEST_LIFE: Duration = Duration::from_secs(604_800);

/// A login token: wiped when dropped, never printed.
pub struct Token(Zeroizing<String>);

/// What a DSQL token lets its bearer do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DsqlAction {
    /// Log in as an ordinary role.
    Connect,
    /// Log in as `admin`.
    ConnectAdmin,
}

/// Signs a token for RDS, Aurora or RDS Proxy.
///
/// `host` is signed literally except that it is lower-cased, because the service compares lower
/// case; `expires` is cut to 900 s, the longest RDS takes. Port 443 is left out of the signed
/// header as every SDK does for the default port; RDS never listens there.
#[must_use]
pub fn token(
    host: &str,
    port: u16,
    user: &str,
    region: &str,
    credentials: &Credentials,
    at: Timestamp,
    expires: Duration,
) -> Token {
    let host = host.to_ascii_lowercase();
    let address = format!("{host}:{port}");
    let signed_host = if port == 443 { &host } else { &address };
    let query = presign(
        &Presign {
            service: "rds-db",
            region,
            host: signed_host,
            parameters: &[("Action", "connect"), ("DBUser", user)],
            at,
            expires_seconds: expires.min(RDS_TOKEN_LIFE).as_secs().max(1),
        },
        credentials,
    );
    // The slash: one kind of gateway refuses `host:port?…` although the signature is the same.
    Token(Zeroizing::new(format!("{address}/?{}", query.as_str())))
}

/// Signs a token for Aurora DSQL, which names neither port nor user.
///
/// `expires` is cut to seven days.
#[must_use]
pub fn dsql_token(
    host: &str,
    action: DsqlAction,
    region: &str,
    credentials: &Credentials,
    at: Timestamp,
    expires: Duration,
) -> Token {
    let host = host.to_ascii_lowercase();
    let action = match action {
        DsqlAction::Connect => "DbConnect",
        DsqlAction::ConnectAdmin => "DbConnectAdmin",
    };
    let query = presign(
        &Presign {
            service: "dsql",
            region,
            host: &host,
            parameters: &[("Action", action)],
            at,
            expires_seconds: expires.min(LONGEST_LIFE).as_secs().max(1),
        },
        credentials,
    );
    Token(Zeroizing::new(format!("{host}/?{}", query.as_str())))
}

/// Signs the token that the service behind a host takes: by its name, DSQL's or RDS's.
#[must_use]
pub fn login_token(
    host: &str,
    port: u16,
    user: &str,
    region: &str,
    credentials: &Credentials,
    at: Timestamp,
) -> Token {
    let kind = RdsEndpoint::parse(host).map(|endpoint| endpoint.kind);
    if kind != Ok(EndpointKind::Dsql) {
        return token(host, port, user, region, credentials, at, RDS_TOKEN_LIFE);
    }
    let action = match user {
        "admin" => DsqlAction::ConnectAdmin,
        _ => DsqlAction::Connect,
    };
    dsql_token(host, action, region, credentials, at, RDS_TOKEN_LIFE)
}

impl Token {
    /// The text to send as the password.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Token(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upper_case_host_is_signed_in_lower_case() {
        let credentials = Credentials::new("AKID", "secret", None, None);
        let sign = |host: &str| {
            let life = RDS_TOKEN_LIFE;
            token(
                host,
                5432,
                "u",
                "eu-west-1",
                &credentials,
                Timestamp::UNIX_EPOCH,
                life,
            )
        };
        assert_eq!(sign("SAL.Example").expose(), sign("sal.example").expose());
        assert_eq!(format!("{:?}", sign("sal")), "Token(***)");
    }

    #[test]
    fn a_longer_life_than_rds_takes_is_cut() {
        let credentials = Credentials::new("AKID", "secret", None, None);
        let week = Duration::from_secs(700_000);
        let rds = token(
            "h",
            5432,
            "u",
            "r",
            &credentials,
            Timestamp::UNIX_EPOCH,
            week,
        );
        assert!(rds.expose().contains("X-Amz-Expires=900&"));
        let action = DsqlAction::Connect;
        let dsql = dsql_token("h", action, "r", &credentials, Timestamp::UNIX_EPOCH, week);
        assert!(dsql.expose().contains("X-Amz-Expires=604800&"));
    }
}
