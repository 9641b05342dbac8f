//! IAM users with tokens, good and bad.

use jiff::SignedDuration;
use rds_lab::{Credential, LabOptions, Reason};

use crate::client::{ask, connect, psql, refusal, refusal_without_tls};
use crate::signer::Token;
use crate::site::{Site, USER};

/// Makes a right token wrong.
type Change = fn(&mut Token);

const WHO: &str = "SELECT current_user || ' ' || session_user";

fn pam_failed(user: &str) -> (String, String) {
    let text = format!("PAM authentication failed for user \"{user}\"");
    ("28000".to_owned(), text)
}

#[tokio::test]
async fn a_token_logs_in_psql_and_tokio_postgres_as_that_very_user() {
    let site = Site::start().await;
    let token = site.token().sign();
    let said = psql(&site.lab, USER, &token, "sslmode=verify-full", WHO).await;
    assert_eq!(said.out, "salawsiam salawsiam", "{}", said.err);
    let session = connect(&site.lab, USER, &token).await.unwrap();
    assert_eq!(ask(&session, WHO).await, "salawsiam salawsiam");
    // The same token a third time, and by sslmode=allow, which tries without TLS first.
    let said = psql(&site.lab, USER, &token, "sslmode=allow", WHO).await;
    assert_eq!(said.out, "salawsiam salawsiam", "{}", said.err);
    let metrics = site.lab.metrics();
    assert_eq!(
        (metrics.requests, metrics.success, metrics.failure),
        (3, 3, 0)
    );
    let event = site.lab.log().pop().unwrap();
    assert_eq!(
        event.caller.unwrap(),
        "arn:aws:iam::123456789012:user/sal-lab"
    );
    assert_eq!(event.token_bytes, token.len());
    site.lab.stop().await;
}

#[tokio::test]
async fn a_token_made_for_something_else_is_refused_without_a_word_why() {
    let site = Site::start().await;
    let wrong: [(&str, Change); 10] = [
        ("host", |token| {
            token.host = "other.abcdefghijk0.us-west-2.rds.amazonaws.com".to_owned()
        }),
        ("port", |token| token.port ^= 1),
        ("region", |token| token.region = "us-east-1".to_owned()),
        ("service", |token| token.service = "rds".to_owned()),
        ("action", |token| token.action = "Connect".to_owned()),
        ("user", |token| token.user = "Salawsiam".to_owned()),
        ("life", |token| token.expires = "901".to_owned()),
        ("no life", |token| token.expires = "0".to_owned()),
        ("secret", |token| {
            token.credential.secret_access_key.push('x')
        }),
        ("key", |token| token.credential.access_key_id.push('X')),
    ];
    for (what, change) in wrong {
        let mut token = site.token();
        change(&mut token);
        assert_eq!(
            refusal(&site.lab, USER, &token.sign()).await,
            pam_failed(USER),
            "{what}"
        );
        assert_eq!(site.last_reason(), Some(Reason::InvalidToken), "{what}");
    }
    let good = site.token().sign();
    let last = if good.ends_with('0') { "1" } else { "0" };
    let texts = [
        "any password".to_owned(),
        format!("https://{good}"),
        format!("{}{last}", &good[..good.len() - 1]),
        format!("{good}&DBUser=postgres"),
        format!("{good}&X-Amz-Security-Token=x"),
        good[..128].to_owned(),
    ];
    for text in texts {
        assert_eq!(
            refusal(&site.lab, USER, &text).await,
            pam_failed(USER),
            "{text}"
        );
        assert_eq!(site.last_reason(), Some(Reason::InvalidToken), "{text}");
    }
    assert_eq!(site.lab.metrics().failure_invalid_token, 16);
    assert!(connect(&site.lab, USER, &good).await.is_ok());
}

#[tokio::test]
async fn a_token_lives_for_less_than_15_minutes() {
    let site = Site::start().await;
    let token = site.token().sign();
    site.advance(SignedDuration::from_secs(899));
    assert!(connect(&site.lab, USER, &token).await.is_ok());
    site.advance(SignedDuration::from_secs(1));
    assert_eq!(refusal(&site.lab, USER, &token).await, pam_failed(USER));
    assert_eq!(site.last_reason(), Some(Reason::ExpiredToken));
}

#[tokio::test]
async fn an_iam_user_without_tls_is_rejected_by_rule() {
    let site = Site::start().await;
    let token = site.token().sign();
    let text = "pg_hba.conf rejects connection for host \"127.0.0.1\", user \"salawsiam\", database \"sal\", no encryption";
    let refused = refusal_without_tls(&site.lab, USER, &token).await;
    assert_eq!(refused, ("28000".to_owned(), text.to_owned()));
    assert_eq!(site.lab.metrics().requests, 0);
}

#[tokio::test]
async fn with_sslmode_prefer_a_bad_token_yields_both_messages() {
    let site = Site::start().await;
    let said = psql(&site.lab, USER, "a bad token", "sslmode=prefer", "SELECT 1").await;
    let pam = said
        .err
        .find("FATAL:  PAM authentication failed for user \"salawsiam\"");
    let hba = said.err.find("FATAL:  pg_hba.conf rejects connection for host \"127.0.0.1\", user \"salawsiam\", database \"sal\", no encryption");
    assert!(pam.unwrap() < hba.unwrap(), "{}", said.err);
}

#[tokio::test]
async fn tokens_of_every_length_up_to_postgres_limit_log_in() {
    let site = Site::start().await;
    let shortest = site.token().sign().len();
    for length in [700, 1_125, 1_967, 3_041, 8_923, 32_325, 65_530] {
        let name = "&X-Amz-Security-Token=".len();
        let mut credential = site.lab.temporary_credentials("long");
        credential.access_key_id = credential.access_key_id.replace("ASIA", "ASIL");
        credential.session_token = Some("x".repeat(length - shortest - name));
        site.lab.add_credential(credential.clone());
        let token = site.token_of(credential).sign();
        assert_eq!(token.len(), length);
        let said = psql(&site.lab, USER, &token, "sslmode=verify-full", WHO).await;
        assert_eq!(said.out, "salawsiam salawsiam", "{length}: {}", said.err);
        assert_eq!(site.lab.log().last().unwrap().token_bytes, length);
    }
    // One byte more and Postgres drops the connection without an answer.
    let too_long = "x".repeat(65_531);
    let error = connect(&site.lab, USER, &too_long)
        .await
        .map(|_| ())
        .unwrap_err();
    assert!(error.as_db_error().is_none(), "{error:?}");
}

#[tokio::test]
async fn any_user_name_that_postgres_takes_can_log_in() {
    let site = Site::start().await;
    for user in [
        "sal,weird=1",
        "sal user",
        "sal@host",
        "sal*(x)",
        "Ünï",
        "a\"b",
        "x&DBUser=salawsiam",
        "%41",
        "+",
    ] {
        site.lab.create_iam_user(user, &[]).await.unwrap();
        site.sql(&format!(
            "GRANT CONNECT ON DATABASE sal TO \"{}\"",
            user.replace('"', "\"\"")
        ))
        .await;
        let mut token = site.token();
        token.user = user.to_owned();
        let said = psql(
            &site.lab,
            user,
            &token.sign(),
            "sslmode=verify-full",
            "SELECT session_user",
        )
        .await;
        assert_eq!(said.out, user, "{}", said.err);
        assert_eq!(
            refusal(&site.lab, user, &site.token().sign()).await,
            pam_failed(user)
        );
    }
}

#[tokio::test]
async fn postgres_itself_still_judges_role_and_database_after_a_good_token() {
    let site = Site::start().await;
    let token = site.token().sign();
    let mut nowhere = crate::client::config(&site.lab, USER, &token);
    let error = crate::client::open(nowhere.dbname("nosuch"), &site.lab.ca_pem()).await;
    let (code, text) = crate::client::shown(&error.map(|_| ()).unwrap_err());
    assert_eq!(
        (code.as_str(), text.as_str()),
        ("3D000", "database \"nosuch\" does not exist")
    );

    site.sql("ALTER ROLE salawsiam VALID UNTIL '2001-01-01'")
        .await;
    assert!(connect(&site.lab, USER, &token).await.is_ok());
    site.sql("ALTER ROLE salawsiam CONNECTION LIMIT 0").await;
    let (code, text) = refusal(&site.lab, USER, &token).await;
    assert_eq!(code, "53300");
    assert_eq!(text, "too many connections for role \"salawsiam\"");
    site.sql("ALTER ROLE salawsiam CONNECTION LIMIT -1 NOLOGIN")
        .await;
    let (code, text) = refusal(&site.lab, USER, &token).await;
    assert_eq!(code, "28000");
    assert_eq!(text, "role \"salawsiam\" is not permitted to log in");
}

#[tokio::test]
async fn an_empty_password_is_refused_before_the_token_check() {
    let site = Site::start().await;
    let (code, text) = refusal(&site.lab, USER, "").await;
    assert_eq!(
        (code.as_str(), text.as_str()),
        ("28P01", "empty password returned by client")
    );
    assert_eq!(site.lab.metrics().requests, 0);
}

#[tokio::test]
async fn channel_binding_cannot_be_had_with_iam() {
    let site = Site::start().await;
    let token = site.token().sign();
    let how = "sslmode=verify-full channel_binding=require";
    let said = psql(&site.lab, USER, &token, how, "SELECT 1").await;
    let text = "channel binding required but not supported by server's authentication request";
    assert!(said.err.contains(text), "{}", said.err);
}

#[tokio::test]
async fn policies_count_per_user_and_principal() {
    let site = Site::start().await;
    let reader: Credential = site.lab.temporary_credentials("reader");
    site.lab.revoke_connect("*");
    let token = site.token_of(reader).sign();
    assert_eq!(refusal(&site.lab, USER, &token).await, pam_failed(USER));
    assert_eq!(site.last_reason(), Some(Reason::NotAuthorized));
    let line = site.lab.log().last().unwrap().error_line().unwrap();
    let caller = "assumed by caller \"arn:aws:sts::123456789012:assumed-role/reader/lab\" is not authorized to perform `rds-db:connect`";
    assert!(line.contains(caller), "{line}");
    site.lab
        .allow_connect(&site.lab.role_arn("reader"), "sal?wsiam");
    assert!(connect(&site.lab, USER, &token).await.is_ok());
    assert_eq!(
        refusal(&site.lab, USER, &site.token().sign()).await,
        pam_failed(USER)
    );
    // Another instance's resource id, the most frequent mistake.
    site.lab.allow_connect(
        "*",
        "arn:aws:rds-db:us-west-2:123456789012:dbuser:db-OTHER/*",
    );
    assert_eq!(
        refusal(&site.lab, USER, &site.token().sign()).await,
        pam_failed(USER)
    );
    assert_eq!(site.lab.metrics().failure_insufficient_permissions, 3);
}

#[tokio::test]
async fn a_tunnel_s_port_is_not_the_port_that_is_signed() {
    let site = Site::start_with(|options: &mut LabOptions| options.signed_port = Some(5432)).await;
    let mut token = site.token();
    assert_eq!(
        refusal(&site.lab, USER, &token.sign()).await,
        pam_failed(USER)
    );
    token.port = 5432;
    assert!(connect(&site.lab, USER, &token.sign()).await.is_ok());
}
