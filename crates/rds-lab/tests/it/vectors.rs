//! The judge against tokens made by AWS's own signers, and against tokens gone wrong.

use jiff::{SignedDuration, Timestamp};
use rds_lab::verify::signature::parse_stamp;
use rds_lab::verify::token::{EndpointKind, Expected, Refusal, judge};
use rds_lab::{Credential, Identity};
use serde_json::Value;

const VECTORS: &str = include_str!("../data/token_vectors.json");

fn vectors() -> Value {
    serde_json::from_str(VECTORS).unwrap()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name]
        .as_str()
        .unwrap_or_else(|| panic!("{name} in {value}"))
}

fn credential(key: &str, secret: &str, session: Option<&str>) -> Credential {
    let arn = "arn:aws:iam::123456789012:user/vector".to_owned();
    Credential {
        access_key_id: key.to_owned(),
        secret_access_key: secret.to_owned(),
        session_token: session.map(str::to_owned),
        expires: None,
        identity: Identity {
            principal: arn.clone(),
            caller: arn,
        },
    }
}

fn judged(
    token: &str,
    connect: &Value,
    now: Timestamp,
    endpoint: EndpointKind,
    known: &[Credential],
) -> Result<Identity, Refusal> {
    let expected = Expected {
        host: text(connect, "host"),
        port: connect["port"].as_u64().unwrap().try_into().unwrap(),
        region: text(connect, "region"),
        user: text(connect, "user").as_bytes(),
        endpoint,
        now,
    };
    judge(token, &expected, |key| {
        known
            .iter()
            .find(|known| known.access_key_id == key)
            .cloned()
    })
}

#[test]
fn tokens_of_every_signer_are_judged_as_the_independent_check_judged_them() {
    let (mut accepted, mut refused) = (0, 0);
    for vector in vectors()["rds"].as_array().unwrap() {
        let known = [credential(
            text(vector, "access_key_id"),
            text(vector, "secret_access_key"),
            vector["session_token"].as_str(),
        )];
        let made = parse_stamp(text(vector, "timestamp")).unwrap();
        let now = made.checked_add(SignedDuration::from_secs(60)).unwrap();
        for (signer, verdict) in vector["verify"].as_object().unwrap() {
            let token = match signer.as_str() {
                "botocore" => &vector["expected"],
                other => &vector["alternatives"][other],
            };
            let token = token.as_str().or_else(|| vector["expected"].as_str());
            let right = ["ok", "user_ok", "session_token_ok"]
                .iter()
                .all(|name| verdict[*name].as_bool() == Some(true));
            let with_port = verdict["mode"]
                .as_array()
                .is_some_and(|modes| modes.iter().any(|mode| mode == "with_port"));
            if verdict.is_null() || token.is_none() || verdict.get("ok").is_none() {
                continue;
            }
            let answer = judged(token.unwrap(), vector, now, EndpointKind::Instance, &known);
            let name = text(vector, "name");
            // Port 443, which RDS does not listen on, is left out by some signers.
            let port = format!(":{}", vector["port"]);
            let names_port = token.is_some_and(|token| token.contains(&port));
            assert_eq!(
                answer.is_ok(),
                right && with_port && names_port,
                "{signer} {name}: {answer:?}"
            );
            if answer.is_ok() {
                accepted += 1
            } else {
                refused += 1
            }
        }
    }
    assert!(accepted >= 150, "accepted {accepted}");
    assert!(refused >= 5, "refused {refused}");
}

#[test]
fn every_negative_vector_gets_its_reason() {
    let vectors = vectors();
    let session = vectors["rds"]
        .as_array()
        .unwrap()
        .iter()
        .find_map(|vector| {
            let is_session = vector["access_key_id"] == "ASIAEXAMPLE";
            vector["session_token"].as_str().filter(|_| is_session)
        })
        .unwrap();
    let mut seen = 0;
    for vector in vectors["negative"].as_array().unwrap() {
        let secret = text(vector, "secret_access_key");
        let known = [
            credential("AKIDEXAMPLE", secret, None),
            credential("ASIAEXAMPLE", secret, Some(session)),
        ];
        let now = parse_stamp(text(vector, "verify_at")).unwrap();
        let connect = &vector["connect"];
        let at = |kind| judged(text(vector, "token"), connect, now, kind, &known);
        let reason = |kind| {
            at(kind)
                .map(|_| ())
                .map_err(|refusal| refusal.reason.to_string())
        };
        let instance = reason(EndpointKind::Instance);
        let name = text(vector, "name");
        match text(vector, "expect") {
            "accept" => assert_eq!(instance, Ok(()), "{name}"),
            "edge" => assert_eq!(instance, Err("ExpiredToken/400".to_owned()), "{name}"),
            "accept-classic/reject-express" => {
                assert_eq!(instance, Ok(()), "{name}");
                let gateway = reason(EndpointKind::ExpressGateway);
                assert_eq!(gateway, Err("InvalidToken/400".to_owned()), "{name}");
            }
            code if code.contains('/') => assert_eq!(instance, Err(code.to_owned()), "{name}"),
            // A good token that the gate never gets to see; `login` and `membership` cover them.
            sqlstate => {
                assert!(sqlstate.starts_with("28"), "{name}");
                assert_eq!(instance, Ok(()), "{name}");
            }
        }
        seen += 1;
    }
    assert_eq!(seen, 20);
}

#[test]
fn a_token_for_dsql_is_no_token_for_rds() {
    for vector in vectors()["dsql"].as_array().unwrap() {
        let known = [credential(
            text(vector, "access_key_id"),
            text(vector, "secret_access_key"),
            vector["session_token"].as_str(),
        )];
        let mut connect = vector.clone();
        connect["port"] = 5432.into();
        connect["user"] = "admin".into();
        let now = parse_stamp(text(vector, "timestamp")).unwrap();
        let answer = judged(
            text(vector, "expected"),
            &connect,
            now,
            EndpointKind::Instance,
            &known,
        );
        assert!(answer.is_err());
    }
}

#[test]
fn five_minutes_from_the_future_is_the_most() {
    let vectors = vectors();
    let vector = &vectors["rds"][0];
    let known = [credential(
        text(vector, "access_key_id"),
        text(vector, "secret_access_key"),
        None,
    )];
    let made = parse_stamp(text(vector, "timestamp")).unwrap();
    for (seconds_early, accepted) in [(300, true), (301, false)] {
        let now = made
            .checked_sub(SignedDuration::from_secs(seconds_early))
            .unwrap();
        let token = text(vector, "expected");
        let answer = judged(token, vector, now, EndpointKind::Instance, &known);
        assert_eq!(answer.is_ok(), accepted, "{seconds_early}");
    }
}
