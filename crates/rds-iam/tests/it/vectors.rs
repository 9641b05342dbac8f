//! Tokens are byte for byte those of botocore 1.44.5.

use std::time::Duration;

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use rds_iam::{Credentials, DsqlAction, dsql_token, token};
use serde::Deserialize;

#[derive(Deserialize)]
struct Vectors {
    rds: Vec<RdsVector>,
    dsql: Vec<DsqlVector>,
}

#[derive(Deserialize)]
struct RdsVector {
    name: String,
    port: u16,
    user: String,
    #[serde(flatten)]
    signing: Signing,
}

#[derive(Deserialize)]
struct DsqlVector {
    action: String,
    #[serde(flatten)]
    signing: Signing,
}

#[derive(Deserialize)]
struct Signing {
    host: String,
    region: String,
    timestamp: String,
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
    expires: u64,
    expected: String,
}

impl Signing {
    fn credentials(&self) -> Credentials {
        let session = self.session_token.as_deref();
        Credentials::new(&self.access_key_id, &self.secret_access_key, session, None)
    }

    fn at(&self) -> Timestamp {
        DateTime::strptime("%Y%m%dT%H%M%SZ", &self.timestamp)
            .and_then(|moment| moment.to_zoned(TimeZone::UTC))
            .unwrap()
            .timestamp()
    }
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../data/token_vectors.json")).unwrap()
}

#[test]
fn every_rds_vector_is_byte_identical() {
    let vectors = vectors().rds;
    assert_eq!(vectors.len(), 45);
    for vector in vectors {
        let signing = &vector.signing;
        let made = token(
            &signing.host,
            vector.port,
            &vector.user,
            &signing.region,
            &signing.credentials(),
            signing.at(),
            Duration::from_secs(signing.expires),
        );
        assert_eq!(made.expose(), signing.expected, "{}", vector.name);
    }
}

#[test]
fn every_dsql_vector_is_byte_identical() {
    let vectors = vectors().dsql;
    assert_eq!(vectors.len(), 6);
    for vector in vectors {
        let signing = &vector.signing;
        let action = match vector.action.as_str() {
            "DbConnect" => DsqlAction::Connect,
            "DbConnectAdmin" => DsqlAction::ConnectAdmin,
            other => panic!("unknown action {other}"),
        };
        let made = dsql_token(
            &signing.host,
            action,
            &signing.region,
            &signing.credentials(),
            signing.at(),
            Duration::from_secs(signing.expires),
        );
        assert_eq!(made.expose(), signing.expected, "{}", vector.action);
    }
}

#[test]
fn a_user_name_cannot_add_parameters_to_its_token() {
    let credentials = Credentials::new("AKIDEXAMPLE", "secret", None, None);
    let at = Timestamp::from_second(1_800_000_000).unwrap();
    let life = Duration::from_secs(900);
    let made = token(
        "h",
        5432,
        "sal&DBUser=evil",
        "eu-west-1",
        &credentials,
        at,
        life,
    );
    assert!(
        made.expose()
            .contains("DBUser=sal%26DBUser%3Devil&X-Amz-Algorithm")
    );
    assert_eq!(made.expose().matches("DBUser=").count(), 1);
}
