//! STS, IMDS and the container endpoint, fetched over HTTP; their credentials log in.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rds_lab::{Credential, EndpointHealth, Identity, Reason, Service};
use reqwest::{Client, StatusCode};
use serde_json::Value;

use crate::client::{connect, refusal};
use crate::signer::{escaped, signed_headers};
use crate::site::{Site, USER};

fn http() -> Client {
    let client = Client::builder().no_proxy().timeout(Duration::from_secs(5));
    client.build().unwrap()
}

fn from_json(text: &str) -> Credential {
    let answer: Value = serde_json::from_str(text).unwrap();
    let field = |name: &str| answer[name].as_str().unwrap().to_owned();
    Credential {
        access_key_id: field("AccessKeyId"),
        secret_access_key: field("SecretAccessKey"),
        session_token: Some(field("Token")),
        expires: Some(field("Expiration").parse().unwrap()),
        identity: unknown(),
    }
}

/// Clients do not learn whose credentials they got; the lab knows.
fn unknown() -> Identity {
    Identity {
        principal: String::new(),
        caller: String::new(),
    }
}

fn element<'a>(xml: &'a str, name: &str) -> &'a str {
    let (_, after) = xml
        .split_once(&format!("<{name}>"))
        .unwrap_or_else(|| panic!("{name}: {xml}"));
    after.split_once(&format!("</{name}>")).unwrap().0
}

async fn sts(site: &Site, credential: &Credential, form: &str) -> (StatusCode, String) {
    sts_at(site, credential, form, site.now()).await
}

async fn sts_at(
    site: &Site,
    credential: &Credential,
    form: &str,
    at: Timestamp,
) -> (StatusCode, String) {
    let url = site.lab.sts_url();
    let host = url.trim_start_matches("http://");
    let mut request = http().post(format!("{url}/")).body(form.to_owned());
    for (name, value) in signed_headers(credential, host, "sts", at, form) {
        request = request.header(name, value);
    }
    let answer = request.send().await.unwrap();
    (answer.status(), answer.text().await.unwrap())
}

fn assume(role_arn: &str, more: &str) -> String {
    let arn = escaped(role_arn);
    format!("Action=AssumeRole&Version=2011-06-15&RoleArn={arn}&RoleSessionName=test+one{more}")
}

fn assumed(xml: &str) -> Credential {
    Credential {
        access_key_id: element(xml, "AccessKeyId").to_owned(),
        secret_access_key: element(xml, "SecretAccessKey").to_owned(),
        session_token: Some(element(xml, "SessionToken").to_owned()),
        expires: Some(element(xml, "Expiration").parse().unwrap()),
        identity: unknown(),
    }
}

#[tokio::test]
async fn imds_wants_its_session_token_and_hands_out_credentials_that_log_in() {
    let site = Site::start().await;
    let base = site.lab.imds_url();
    let roles = format!("{base}/latest/meta-data/iam/security-credentials/");
    let http = http();
    assert_eq!(http.get(&roles).send().await.unwrap().status(), 401);
    let without_life = http
        .put(format!("{base}/latest/api/token"))
        .send()
        .await
        .unwrap();
    assert_eq!(without_life.status(), 400);
    let ttl = "x-aws-ec2-metadata-token-ttl-seconds";
    let open = http
        .put(format!("{base}/latest/api/token"))
        .header(ttl, "60");
    let forwarded = open
        .try_clone()
        .unwrap()
        .header("x-forwarded-for", "10.0.0.1");
    assert_eq!(forwarded.send().await.unwrap().status(), 403);
    let opened = open.send().await.unwrap();
    assert_eq!(opened.headers()[ttl], "60");
    let session = opened.text().await.unwrap();
    let get = |url: String| {
        http.get(url)
            .header("x-aws-ec2-metadata-token", &session)
            .send()
    };
    let role = get(roles.clone()).await.unwrap().text().await.unwrap();
    let answer = get(format!("{roles}{role}"))
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    let credential = from_json(&answer);
    assert_eq!(
        credential.expires.unwrap().duration_since(site.now()),
        SignedDuration::from_hours(1)
    );
    let region = get(format!("{base}/latest/meta-data/placement/region"))
        .await
        .unwrap();
    assert_eq!(region.text().await.unwrap(), "us-west-2");
    assert_eq!(get(format!("{roles}other")).await.unwrap().status(), 404);
    assert!(
        connect(&site.lab, USER, &site.token_of(credential).sign())
            .await
            .is_ok()
    );
    let caller = site.lab.log().last().unwrap().caller.clone().unwrap();
    assert_eq!(
        caller,
        "arn:aws:sts::123456789012:assumed-role/sal-instance/i-0123456789abcdef0"
    );
    site.advance(SignedDuration::from_secs(61));
    assert_eq!(get(roles).await.unwrap().status(), 401);
}

#[tokio::test]
async fn the_container_endpoint_wants_its_authorization() {
    let site = Site::start().await;
    let http = http();
    let url = site.lab.container_url();
    assert_eq!(http.get(&url).send().await.unwrap().status(), 401);
    let wrong = http.get(&url).header("authorization", "Bearer nonsense");
    assert_eq!(wrong.send().await.unwrap().status(), 401);
    let right = http
        .get(&url)
        .header("authorization", site.lab.container_authorization());
    let by_token = right.send().await.unwrap().text().await.unwrap();
    let by_path = http
        .get(site.lab.container_path_url())
        .send()
        .await
        .unwrap();
    for answer in [by_token, by_path.text().await.unwrap()] {
        let token = site.token_of(from_json(&answer)).sign();
        assert!(connect(&site.lab, USER, &token).await.is_ok());
    }
    assert_eq!(site.lab.requests().container, 4);
}

#[tokio::test]
async fn sts_tells_callers_who_they_are() {
    let site = Site::start().await;
    let form = "Action=GetCallerIdentity&Version=2011-06-15";
    let user = site.lab.static_credentials().clone();
    let (status, answer) = sts(&site, &user, form).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(
        element(&answer, "Arn"),
        "arn:aws:iam::123456789012:user/sal-lab"
    );
    assert_eq!(element(&answer, "Account"), "123456789012");
    let role = site.lab.temporary_credentials("sal");
    let (_, answer) = sts(&site, &role, form).await;
    assert_eq!(
        element(&answer, "Arn"),
        "arn:aws:sts::123456789012:assumed-role/sal/lab"
    );
}

#[tokio::test]
async fn sts_refuses_what_is_signed_badly() {
    let site = Site::start().await;
    let form = "Action=GetCallerIdentity&Version=2011-06-15";
    let good = site.lab.temporary_credentials("sal");
    let mut wrong_secret = good.clone();
    wrong_secret.secret_access_key.push('x');
    let mut wrong_key = good.clone();
    wrong_key.access_key_id.push('X');
    let mut no_session = good.clone();
    no_session.session_token = None;
    for (credential, code) in [
        (&wrong_secret, "SignatureDoesNotMatch"),
        (&wrong_key, "InvalidClientTokenId"),
        (&no_session, "InvalidClientTokenId"),
    ] {
        let (status, answer) = sts(&site, credential, form).await;
        assert_eq!((status.as_u16(), element(&answer, "Code")), (403, code));
    }
    let late = site
        .now()
        .checked_sub(SignedDuration::from_secs(301))
        .unwrap();
    let (_, answer) = sts_at(&site, &good, form, late).await;
    assert_eq!(element(&answer, "Code"), "SignatureDoesNotMatch");
    site.lab.faults().expire_credentials();
    let (_, answer) = sts(&site, &good, form).await;
    assert_eq!(element(&answer, "Code"), "ExpiredToken");
    let unsigned = http()
        .post(site.lab.sts_url())
        .body(form)
        .send()
        .await
        .unwrap();
    let answer = unsigned.text().await.unwrap();
    assert_eq!(element(&answer, "Code"), "MissingAuthenticationToken");
    let (_, answer) = sts(&site, site.lab.static_credentials(), "Action=Nonsense").await;
    assert_eq!(element(&answer, "Code"), "InvalidAction");
}

#[tokio::test]
async fn a_role_is_assumed_by_whom_it_trusts_for_as_long_as_allowed() {
    let site = Site::start().await;
    let role = site.lab.role_arn("sal");
    let user = site.lab.static_credentials().clone();
    let (status, answer) = sts(&site, &user, &assume(&role, "")).await;
    assert_eq!(
        (status.as_u16(), element(&answer, "Code")),
        (403, "AccessDenied")
    );
    site.lab
        .trust_role(&role, "arn:aws:iam::123456789012:user/sal-*");
    let (status, answer) = sts(&site, &user, &assume(&role, "&DurationSeconds=900")).await;
    assert_eq!(status, 200, "{answer}");
    let credential = assumed(&answer);
    let life = credential.expires.unwrap().duration_since(site.now());
    assert_eq!(life, SignedDuration::from_secs(900));
    let arn = "arn:aws:sts::123456789012:assumed-role/sal/test one";
    assert_eq!(element(&answer, "Arn"), arn);
    let token = site.token_of(credential.clone()).sign();
    assert!(connect(&site.lab, USER, &token).await.is_ok());
    for seconds in ["899", "43201", "x"] {
        let (status, answer) = sts(
            &site,
            &user,
            &assume(&role, &format!("&DurationSeconds={seconds}")),
        )
        .await;
        assert_eq!(
            (status.as_u16(), element(&answer, "Code")),
            (400, "ValidationError")
        );
    }
    // A chain: the role's session assumes a second role, for an hour at most.
    let second = site.lab.role_arn("second");
    site.lab.trust_role(&second, &role);
    let (status, answer) = sts(
        &site,
        &credential,
        &assume(&second, "&DurationSeconds=7200"),
    )
    .await;
    assert_eq!(status, 400, "{answer}");
    let (status, _) = sts(&site, &credential, &assume(&second, "")).await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn a_web_identity_assumes_its_role_unsigned() {
    let site = Site::start().await;
    let role = site.lab.role_arn("pod");
    let identity = site.lab.web_identity_token(&role);
    let call = |token: String| {
        let form = format!(
            "Action=AssumeRoleWithWebIdentity&RoleArn={}&RoleSessionName=pod&WebIdentityToken={token}",
            escaped(&role)
        );
        http().post(site.lab.sts_url()).body(form).send()
    };
    let refused = call("nonsense".to_owned()).await.unwrap();
    assert_eq!(refused.status(), 400);
    assert_eq!(
        element(&refused.text().await.unwrap(), "Code"),
        "InvalidIdentityToken"
    );
    let answer = call(identity).await.unwrap().text().await.unwrap();
    let token = site.token_of(assumed(&answer)).sign();
    assert!(connect(&site.lab, USER, &token).await.is_ok());
    site.lab.faults().expire_credentials();
    assert_eq!(refusal(&site.lab, USER, &token).await.0, "28000");
    assert_eq!(site.last_reason(), Some(Reason::ExpiredToken));
}

#[tokio::test]
async fn a_service_can_be_down_sick_or_silent_alone() {
    let site = Site::start().await;
    let url = format!("{}/latest/api/token", site.lab.imds_url());
    let ttl = "x-aws-ec2-metadata-token-ttl-seconds";
    let put = || {
        let client = Client::builder()
            .no_proxy()
            .timeout(Duration::from_millis(300));
        client.build().unwrap().put(&url).header(ttl, "60").send()
    };
    let faults = site.lab.faults();
    faults.set_endpoint(Service::Imds, EndpointHealth::Down);
    let down = put().await.unwrap_err();
    assert!(!down.is_timeout(), "{down:?}");
    faults.set_endpoint(Service::Imds, EndpointHealth::Status(500));
    assert_eq!(put().await.unwrap().status(), 500);
    faults.set_endpoint(Service::Imds, EndpointHealth::Silent);
    assert!(put().await.unwrap_err().is_timeout());
    let by_path = http()
        .get(site.lab.container_path_url())
        .send()
        .await
        .unwrap();
    assert_eq!(by_path.status(), 200);
    faults.set_endpoint(Service::Imds, EndpointHealth::Up);
    assert_eq!(put().await.unwrap().status(), 200);
    // A silent request still open must not keep the lab from stopping.
    site.lab
        .faults()
        .set_endpoint(Service::Imds, EndpointHealth::Silent);
    assert!(put().await.is_err());
    site.lab.stop().await;
}

#[tokio::test]
async fn the_date_header_shows_the_shifted_clock() {
    let site = Site::start().await;
    site.lab.faults().shift_clock(SignedDuration::from_mins(16));
    let answer = http().get(site.lab.sts_url()).send().await.unwrap();
    assert_eq!(answer.headers()["date"], "Fri, 02 Jan 2026 03:20:05 GMT");
}
