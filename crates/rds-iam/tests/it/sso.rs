//! Profiles of people: SSO with a session and in the older form, and `aws login`, from the files that the AWS CLI leaves.
//!
//! The portal is a stand-in: it hands out the lab's keys for the token that it knows, as AWS's does.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener},
    path::Path,
    thread,
};

use rds_lab::Credential;

use crate::routes::run_route;

/// SHA-1 of `corp`, the name of the session: where the AWS CLI keeps its token.
const OF_SESSION: &str = "ee0bfd2552fbd840c02cc48b6e823320543c450f.json";
/// SHA-1 of the start URL, for profiles without a session.
const OF_START_URL: &str = "a51746d4aa793ae07b25e90c3a5db96fc7832bd7.json";
/// SHA-256 of the session of `aws login`.
const OF_LOGIN: &str = "c03a7323bda916bba892295dd46ea73c98866a0ad0a2606cb839909f35fbc865.json";

const SESSION: &str = "[profile me]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = Admin\nregion = us-west-2\n\
    [sso-session corp]\nsso_region = us-east-1\nsso_start_url = https://corp.awsapps.com/start\n";
const OLDER: &str = "[profile me]\nsso_account_id = 123456789012\nsso_role_name = Admin\nregion = us-west-2\n\
    sso_region = us-east-1\nsso_start_url = https://corp.awsapps.com/start\n";
const LOGIN: &str = "[profile me]\nlogin_session = arn:aws:sts::123456789012:assumed-role/Admin/me\nregion = us-west-2\n";

#[test]
fn a_profile_with_an_sso_session_leads_to_a_login() {
    let outcome = run_route("*:role/Admin", |lab, folder| {
        person(SESSION, OF_SESSION, FRESH, folder);
        let portal = portal(lab.temporary_credentials("Admin"));
        let mut environment = named(folder);
        environment.push(("AWS_ENDPOINT_URL_SSO", format!("http://{portal}")));
        environment
    });
    assert_eq!(outcome, "OUTCOME logged in from profile");
}

#[test]
fn an_older_sso_profile_leads_to_a_login_also_as_the_source_of_a_role() {
    let outcome = run_route("*:role/there", |lab, folder| {
        let portal = portal(lab.temporary_credentials("Admin"));
        lab.trust_role(&lab.role_arn("there"), "*:role/Admin");
        let role = format!(
            "{OLDER}[profile there]\nrole_arn = {}\nsource_profile = me\nregion = us-west-2\n",
            lab.role_arn("there")
        );
        person(&role, OF_START_URL, FRESH, folder);
        vec![
            ("AWS_PROFILE", "there".to_owned()),
            ("AWS_ENDPOINT_URL_SSO", format!("http://{portal}")),
            ("AWS_ENDPOINT_URL_STS", lab.sts_url()),
        ]
    });
    assert_eq!(outcome, "OUTCOME logged in from profile");
}

#[test]
fn whoever_has_to_log_in_again_is_told_the_command() {
    for (config, file, content, command) in [
        (SESSION, OF_SESSION, ENDED, "aws sso login --profile me"),
        (OLDER, OF_START_URL, ENDED, "aws sso login --profile me"),
        // Never logged in on this machine.
        (SESSION, "other.json", FRESH, "aws sso login --profile me"),
        (LOGIN, "other.json", FRESH, "aws login --profile me"),
    ] {
        let outcome = run_route("*:role/Admin", |_lab, folder| {
            person(config, file, content, folder);
            named(folder)
        });
        assert!(
            outcome.starts_with("OUTCOME failed: login_ended"),
            "{outcome}"
        );
        assert!(outcome.contains(&format!("`{command}`")), "{outcome}");
    }
    // The portal does not know the token any more: somebody logged out.
    let outcome = run_route("*:role/Admin", |lab, folder| {
        person(
            SESSION,
            OF_SESSION,
            &FRESH.replace("t0ken", "revoked"),
            folder,
        );
        let portal = portal(lab.temporary_credentials("Admin"));
        let mut environment = named(folder);
        environment.push(("AWS_ENDPOINT_URL_SSO", format!("http://{portal}")));
        environment
    });
    assert!(
        outcome.contains("`aws sso login --profile me`"),
        "{outcome}"
    );
}

#[test]
fn a_profile_of_aws_login_leads_to_a_login() {
    let outcome = run_route("*:role/Admin", |lab, folder| {
        let key = lab.temporary_credentials("Admin");
        let cache = folder.join(".aws/login/cache");
        std::fs::create_dir_all(&cache).unwrap();
        let token = format!(
            r#"{{"accessToken":{{"accessKeyId":"{}","secretAccessKey":"{}","sessionToken":"{}","accountId":"123456789012","expiresAt":"{}"}},"tokenType":"aws_sigv4","refreshToken":"r","idToken":"i","clientId":"arn:aws:signin:::devtools/same-device","dpopKey":"unused"}}"#,
            key.access_key_id,
            key.secret_access_key,
            key.session_token.unwrap(),
            key.expires.unwrap().strftime("%Y-%m-%dT%H:%M:%SZ"),
        );
        std::fs::write(cache.join(OF_LOGIN), token).unwrap();
        std::fs::write(folder.join(".aws/config"), LOGIN).unwrap();
        named(folder)
    });
    assert_eq!(outcome, "OUTCOME logged in from profile");
}

const FRESH: &str = r#"{"startUrl":"https://corp.awsapps.com/start","region":"us-east-1","accessToken":"t0ken","expiresAt":"2099-01-01T00:00:00Z"}"#;
const ENDED: &str = r#"{"startUrl":"https://corp.awsapps.com/start","region":"us-east-1","accessToken":"t0ken","expiresAt":"2020-01-01T00:00:00Z"}"#;

fn named(_home: &Path) -> Vec<(&'static str, String)> {
    vec![("AWS_PROFILE", "me".to_owned())]
}

/// What `aws configure sso` and `aws sso login` leave in somebody's home.
fn person(config: &str, file: &str, token: &str, home: &Path) {
    let cache = home.join(".aws/sso/cache");
    std::fs::create_dir_all(&cache).unwrap();
    std::fs::write(cache.join(file), token).unwrap();
    std::fs::write(home.join(".aws/config"), config).unwrap();
}

/// A portal that answers `GetRoleCredentials` as the API reference says, for one token.
fn portal(key: Credential) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = Vec::new();
            let mut byte = [0; 1];
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
                head.push(byte[0]);
            }
            let head = String::from_utf8_lossy(&head).to_lowercase();
            let asked = head.starts_with("get /federation/credentials?")
                && head.contains("role_name=admin")
                && head.contains("account_id=123456789012")
                && head.contains("x-amz-sso_bearer_token: t0ken");
            let (status, body) = match asked {
                true => ("200 OK", credentials(&key)),
                false => (
                    "401 Unauthorized",
                    r#"{"__type":"UnauthorizedException","message":"Session token not found or invalid"}"#.to_owned(),
                ),
            };
            let answer = format!(
                "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
            // A client that went away is none of the portal's business.
            let _sent = stream.write_all(answer.as_bytes());
        }
    });
    address
}

fn credentials(key: &Credential) -> String {
    format!(
        r#"{{"roleCredentials":{{"accessKeyId":"{}","secretAccessKey":"{}","sessionToken":"{}","expiration":{}}}}}"#,
        key.access_key_id,
        key.secret_access_key,
        key.session_token.as_deref().unwrap(),
        key.expires.unwrap().as_millisecond()
    )
}
