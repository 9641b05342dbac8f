//! Every refusal that is known has its own code, names what it must name, and no secret.

use std::io;

use jiff::{SignedDuration, Timestamp};
use rustls::CertificateError;

use super::*;
use crate::{
    certificate::CertificateDetails,
    credentials::{CredentialError, Skew},
    failure::{Signer, Stage},
    status::LoginMode,
    tls::TlsMode,
};

fn context(mode: LoginMode) -> LoginContext {
    LoginContext {
        mode,
        user: "salawsiam".to_owned(),
        database: "sal".to_owned(),
        host: "db.example.com".to_owned(),
        port: 5432,
        tls: TlsMode::VerifyFull,
        sign_name: Some("sal.abc.eu-west-1.rds.amazonaws.com".to_owned()),
        region: Some("eu-west-1".to_owned()),
        signer: Some(Signer {
            source: "instance metadata".to_owned(),
            access_key_ending: "MPLE".to_owned(),
            expires_at: Timestamp::from_second(1_800_003_600).ok(),
        }),
        skew: None,
        at: Timestamp::from_second(1_800_000_000).unwrap(),
        attempts: 1,
    }
}

fn refused(sqlstate: &str, message: &str) -> LoginFailure {
    LoginFailure::Refused {
        sqlstate: sqlstate.to_owned(),
        message: message.to_owned(),
    }
}

const PAM: &str = r#"PAM authentication failed for user "salawsiam""#;
const CLEAR: &str = r#"pg_hba.conf rejects connection for host "10.0.0.1", user "salawsiam", database "sal", no encryption"#;
const OLD_CLEAR: &str = r#"pg_hba.conf rejects connection for host "10.0.0.1", user "salawsiam", database "sal", SSL off"#;
const FORCED: &str =
    r#"no pg_hba.conf entry for host "10.0.0.1", user "sal", database "sal", no encryption"#;
const PASSWORD: &str = r#"password authentication failed for user "salawsiam""#;
const BUSY: &str = "The IAM authentication failed because of too many competing requests.";
const METHOD: &str = "RDS Proxy supports only IAM, MD5, or SCRAM authentication.";
const NOLOGIN: &str = r#"role "sal" is not permitted to log in"#;

const REFUSALS: &[(LoginMode, &str, &str, &str, &str)] = &[
    (
        LoginMode::Iam,
        "28000",
        PAM,
        "token_refused",
        "dbuser:RESOURCE-ID/salawsiam",
    ),
    (
        LoginMode::Password,
        "28000",
        PAM,
        "password_for_iam_user",
        "rds_iam",
    ),
    (LoginMode::Iam, "28000", CLEAR, "iam_without_tls", "TLS"),
    (
        LoginMode::Password,
        "28000",
        OLD_CLEAR,
        "iam_without_tls",
        "TLS",
    ),
    (
        LoginMode::Password,
        "28000",
        FORCED,
        "tls_forced",
        "rds.force_ssl",
    ),
    (
        LoginMode::Password,
        "28000",
        NOLOGIN,
        "login_forbidden",
        "NOLOGIN",
    ),
    (
        LoginMode::Iam,
        "28P01",
        PASSWORD,
        "token_sent_to_password_check",
        "GRANT rds_iam",
    ),
    (
        LoginMode::Password,
        "28P01",
        PASSWORD,
        "password_refused",
        "password",
    ),
    (
        LoginMode::Iam,
        "3D000",
        r#"database "x" does not exist"#,
        "no_such_database",
        "name",
    ),
    (
        LoginMode::Iam,
        "42501",
        r#"permission denied for database "sal""#,
        "connect_not_granted",
        "CONNECT",
    ),
    (
        LoginMode::Iam,
        "53300",
        "sorry, too many clients already",
        "too_many_connections",
        "pool",
    ),
    (
        LoginMode::Iam,
        "57P03",
        "the database system is starting up",
        "server_restarting",
        "again",
    ),
    (LoginMode::Iam, "08000", BUSY, "iam_throttled", "200"),
    (LoginMode::Iam, "08P01", METHOD, "proxy_method", "proxy"),
    (LoginMode::Iam, "XX000", "out of luck", "refused", "log"),
];

#[test]
fn every_text_of_the_server_has_its_own_explanation() {
    for (mode, sqlstate, message, code, needle) in REFUSALS {
        let explanation = explain(&refused(sqlstate, message), &context(*mode));
        assert_eq!(explanation.code, *code, "{message}");
        assert!(explanation.what.contains(message));
        assert!(explanation.to_string().contains(needle), "{explanation}");
    }
}

#[test]
fn a_refused_token_names_region_host_and_credentials() {
    let pam = refused("28000", "PAM authentication failed for user \"salawsiam\"");
    let text = explain(&pam, &context(LoginMode::Iam)).to_string();
    for needle in [
        "eu-west-1",
        "sal.abc.eu-west-1.rds",
        "instance metadata",
        "…MPLE",
        "resource id",
    ] {
        assert!(text.contains(needle), "{needle} is missing: {text}");
    }
}

#[test]
fn a_measured_skew_is_named_with_its_size_and_side() {
    let pam = refused("28000", "PAM authentication failed for user \"salawsiam\"");
    for (offset, side) in [(960, "behind"), (-960, "ahead of")] {
        let mut context = context(LoginMode::Iam);
        context.skew = Some(Skew {
            offset: SignedDuration::from_secs(offset),
            against: "sts.eu-west-1.amazonaws.com".to_owned(),
            measured_at: context.at,
        });
        let explanation = explain(&pam, &context);
        assert_eq!(explanation.code, "clock_skew");
        let sentence = format!("16 min {side} that of sts.eu-west-1.amazonaws.com");
        assert!(
            explanation.likely_cause.contains(&sentence),
            "{explanation}"
        );
    }
    let mut context = context(LoginMode::Iam);
    context.skew = Some(Skew {
        offset: SignedDuration::from_secs(2),
        against: "sts".to_owned(),
        measured_at: context.at,
    });
    assert_eq!(
        explain(&pam, &context).code,
        "token_refused",
        "two seconds prove nothing"
    );
}

#[test]
fn credentials_that_ended_are_the_first_suspect() {
    let mut context = context(LoginMode::Iam);
    context.at = Timestamp::from_second(1_800_003_601).unwrap();
    let pam = refused("28000", "PAM authentication failed for user \"salawsiam\"");
    assert_eq!(explain(&pam, &context).code, "credentials_expired");
}

#[test]
fn the_pair_that_libpq_prints_is_read_as_one_refusal() {
    let pair = "psql: error: connection to server at \"x\" (10.0.0.1), port 5432 failed: FATAL:  PAM authentication failed for user \"u\"\nconnection to server at \"x\" (10.0.0.1), port 5432 failed: FATAL:  pg_hba.conf rejects connection for host \"10.0.0.1\", user \"u\", database \"sal\", no encryption";
    let explanation = explain_text(pair).unwrap();
    assert_eq!(explanation.code, "token_refused_then_clear");
    assert!(explanation.likely_cause.contains("first line"));
    let first = pair.lines().next().unwrap();
    assert_eq!(explain_text(first).unwrap().code, "token_refused");
    let second = pair.lines().nth(1).unwrap();
    assert_eq!(explain_text(second).unwrap().code, "iam_without_tls");
    assert_eq!(explain_text("all is well"), None);
}

#[test]
fn certificates_are_explained_with_their_issuer_and_names() {
    let presented = CertificateDetails {
        subject: "CN=sal.abc.eu-west-1.rds.amazonaws.com".to_owned(),
        issuer: "CN=Amazon RDS eu-west-1 Subordinate CA".to_owned(),
        not_before: Timestamp::UNIX_EPOCH,
        not_after: Timestamp::from_second(1_700_000_000).unwrap(),
        names: vec!["sal.abc.eu-west-1.rds.amazonaws.com".to_owned()],
        sha256: String::new(),
    };
    let cases = [
        (
            CertificateError::UnknownIssuer,
            "unknown_authority",
            "CN=New Root",
        ),
        (
            CertificateError::NotValidForName,
            "wrong_name",
            "sal.abc.eu-west-1",
        ),
        (
            CertificateError::Expired,
            "certificate_expired",
            "2023-11-14",
        ),
        (
            CertificateError::NotValidYet,
            "certificate_not_yet_valid",
            "1970-01-01",
        ),
        (
            CertificateError::BadEncoding,
            "certificate_refused",
            "damaged",
        ),
    ];
    for (refusal, code, needle) in cases {
        let failure = LoginFailure::Certificate {
            refusal,
            presented: Some(Box::new(presented.clone())),
            top_issuer: Some("CN=New Root".to_owned()),
        };
        let explanation = explain(&failure, &context(LoginMode::Iam));
        assert_eq!(explanation.code, code);
        assert!(explanation.to_string().contains(needle), "{explanation}");
    }
}

#[test]
fn credentials_are_explained_by_their_code() {
    let failed = |message: &str| CredentialError::Failed {
        origin: "web identity".to_owned(),
        message: message.to_owned(),
    };
    let expiring = CredentialError::Expiring {
        origin: "container".to_owned(),
        expires_at: Timestamp::UNIX_EPOCH,
        refresh: Some("connection refused".to_owned()),
    };
    let tried = vec!["environment (not set)".to_owned()];
    let after = std::time::Duration::from_secs(5);
    let table = [
        (
            failed("service error: unhandled error (AccessDenied)"),
            "role_not_assumable",
            "trust policy",
        ),
        (
            failed("ExpiredTokenException: Token expired"),
            "credentials_refused",
            "OIDC",
        ),
        (failed("(SignatureDoesNotMatch)"), "clock_skew", "clock"),
        (failed("StatusCode(429)"), "credentials_throttled", "again"),
        (
            failed("connection refused"),
            "credentials_failed",
            "get-caller-identity",
        ),
        (expiring, "credentials_expired", "connection refused"),
        (
            CredentialError::NotFound { tried },
            "credentials_missing",
            "environment (not set)",
        ),
        (
            CredentialError::TimedOut { after },
            "credentials_timed_out",
            "HopLimit",
        ),
    ];
    for (error, code, needle) in table {
        let explanation = explain(&LoginFailure::Credentials(error), &context(LoginMode::Iam));
        assert_eq!(explanation.code, code);
        assert!(explanation.to_string().contains(needle), "{explanation}");
    }
}

#[test]
fn the_way_to_the_server_is_explained_too() {
    let host = "db.example.com".to_owned();
    let after = std::time::Duration::from_secs(10);
    let table = [
        (LoginFailure::TlsRefused, "tls_not_offered"),
        (
            LoginFailure::Tls {
                message: "eof".to_owned(),
            },
            "tls_failed",
        ),
        (
            LoginFailure::TimedOut {
                stage: Stage::Dialling,
                after,
            },
            "timed_out",
        ),
        (LoginFailure::Queue { after }, "login_queue_full"),
        (
            LoginFailure::NotWritable { in_recovery: true },
            "not_writable",
        ),
        (
            LoginFailure::Resolve(ResolveError::NoSuchName { host: host.clone() }),
            "name_not_resolved",
        ),
        (
            LoginFailure::Region(RegionError::Unknown { host: host.clone() }),
            "region_unknown",
        ),
        (
            LoginFailure::NotAnRdsName {
                host,
                chain: Vec::new(),
            },
            "no_rds_name",
        ),
        (
            LoginFailure::WrongRole {
                expected: "sal".to_owned(),
                found: "salawsiam".to_owned(),
            },
            "wrong_role",
        ),
        (
            LoginFailure::Dial {
                addresses: Vec::new(),
                source: io::ErrorKind::ConnectionRefused.into(),
            },
            "unreachable",
        ),
    ];
    for (failure, code) in table {
        let explanation = explain(&failure, &context(LoginMode::Iam));
        assert_eq!(explanation.code, code);
        assert!(!explanation.next_step.is_empty() && !explanation.likely_cause.is_empty());
    }
}

#[test]
fn a_server_that_accepts_and_is_silent_is_no_matter_of_the_network() {
    let failure = LoginFailure::TimedOut {
        stage: Stage::Authenticating,
        after: std::time::Duration::from_secs(10),
    };
    let explanation = explain(&failure, &context(LoginMode::Iam));
    assert_eq!(explanation.code, "no_answer");
    assert!(
        explanation
            .what
            .contains("accepts the connection and does not answer"),
        "{explanation}"
    );
}
