//! Our AWS calls against moto, which we did not write: signing, encoding, and reading the answers.
//!
//! Known deviations of moto 5.2: one resource id for every instance, changes at once, a cluster's flag that never changes,
//! proxies whose endpoint says `db-proxy-` where AWS says `proxy-`, no `DescribeDBEngineVersions`,
//! no simulator (both answer with an HTML page and status 500), no roles in its authentication mode, and forms are
//! encoded anew before their signature is checked, with `+` for a blank where we write `%20`; AWS takes both.

use std::{path::PathBuf, process::Stdio, time::Duration};

use iam_cutover::{
    aws::{AwsApi, AwsCall, AwsEndpoints, AwsError, Made, TargetKind},
    policy::{ConnectPolicy, Trust},
};
use rds_iam::{Partition, RdsEndpoint};
use rds_lab::{Credential, Identity};
use serde_json::Value;
use tokio::process::{Child, Command};

use crate::stage::{cache, clock};

const SETUP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/moto_setup.py");

struct Moto {
    url: String,
    key: Credential,
    /// The writer's and the reader's endpoint of a cluster.
    cluster: [String; 2],
    _server: Child,
}

impl Moto {
    async fn start() -> Self {
        let python = python();
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let server = Command::new(python.with_file_name("moto_server"))
            .args(["-H", "127.0.0.1", "-p", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let url = format!("http://127.0.0.1:{port}");
        let waiting = async {
            while tokio::net::TcpStream::connect(("127.0.0.1", port))
                .await
                .is_err()
            {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), waiting)
            .await
            .unwrap();
        let output = Command::new(&python)
            .args([SETUP, &url])
            .output()
            .await
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let made: Value = serde_json::from_slice(&output.stdout).unwrap();
        let arn = "arn:aws:iam::123456789012:user/admin".to_owned();
        let key = Credential {
            access_key_id: made["id"].as_str().unwrap().to_owned(),
            secret_access_key: made["secret"].as_str().unwrap().to_owned(),
            session_token: None,
            expires: None,
            identity: Identity {
                principal: arn.clone(),
                caller: arn,
            },
        };
        Self {
            url,
            key,
            cluster: ["writer", "reader"].map(|name| made[name].as_str().unwrap().to_owned()),
            _server: server,
        }
    }

    fn api(&self, key: &Credential) -> AwsApi {
        let url = Some(self.url.clone());
        let endpoints = AwsEndpoints {
            rds: url.clone(),
            sts: url.clone(),
            iam: url.clone(),
            monitoring: url.clone(),
            logs: url,
        };
        AwsApi::new(
            cache(key),
            clock(),
            "us-west-2",
            Partition::Aws,
            endpoints,
            &rds_iam::AwsHttp::default(),
        )
        .unwrap()
    }
}

/// moto; a missing one is a failure, never a test left out.
fn python() -> PathBuf {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test finds what `./dev test` installed"
    )]
    let root = std::env::var_os("SAL_TESTS_PYTHON")
        .map_or_else(|| PathBuf::from("/var/tmp/sal-tests-python"), PathBuf::from);
    let path = root.join("bin/python");
    assert!(
        path.exists(),
        "{} is missing; `./dev test` installs it",
        path.display()
    );
    path
}

#[tokio::test]
async fn moto_takes_our_signatures_and_we_read_its_answers() {
    let moto = Moto::start().await;
    let api = moto.api(&moto.key);
    assert_eq!(
        api.caller().await.unwrap().arn,
        "arn:aws:iam::123456789012:user/admin"
    );

    let target = api
        .describe(TargetKind::Instance, "sal-sandbox")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (target.iam_enabled, target.engine_version.as_str()),
        (Some(false), "15.5")
    );
    assert_eq!(target.instance_class.as_deref(), Some("db.t4g.micro"));
    assert!(target.is_small() && target.resource_id.as_deref().unwrap().starts_with("db-"));
    assert_eq!(
        api.describe(TargetKind::Instance, "no-such").await.unwrap(),
        None
    );
    assert_eq!(
        api.describe(TargetKind::Cluster, "no-such").await.unwrap(),
        None
    );
    let enable = AwsCall::SetIamAuthentication {
        kind: TargetKind::Instance,
        identifier: "sal-sandbox".to_owned(),
        enabled: true,
    };
    api.make(&enable).await.unwrap();
    assert!(
        api.describe(TargetKind::Instance, "sal-sandbox")
            .await
            .unwrap()
            .unwrap()
            .iam_is(true)
    );
    policies_and_roles(&api, target.resource_id.unwrap()).await;
}

#[tokio::test]
async fn clusters_their_members_and_proxies_are_found_by_their_endpoints() {
    let moto = Moto::start().await;
    let api = moto.api(&moto.key);
    for name in &moto.cluster {
        let endpoint = RdsEndpoint::parse(name).unwrap();
        let target = api.target(&endpoint).await.unwrap().unwrap();
        assert_eq!(
            (target.kind, target.identifier.as_str()),
            (TargetKind::Cluster, "sal-aurora"),
            "{name}"
        );
        assert!(target.iam_is(true));
        assert!(target.resource_id.unwrap().starts_with("cluster-"));
        assert_eq!(target.engine, "aurora-postgresql");
    }
    let member = api.describe(TargetKind::Instance, "sal-aurora-1");
    assert_eq!(
        member.await.unwrap().unwrap().cluster.as_deref(),
        Some("sal-aurora"),
        "the cluster's flag is the one that counts"
    );
    let disable = AwsCall::SetIamAuthentication {
        kind: TargetKind::Cluster,
        identifier: "sal-aurora".to_owned(),
        enabled: false,
    };
    api.make(&disable).await.unwrap();
    let proxy = api.describe(TargetKind::Proxy, "sal-proxy").await.unwrap();
    assert!(proxy.unwrap().resource_id.unwrap().starts_with("prx-"));
}

/// Made, made again, attached, read, detached, deleted, deleted again.
async fn policies_and_roles(api: &AwsApi, resource_id: String) {
    let policy = ConnectPolicy {
        partition: "aws".to_owned(),
        region: "us-west-2".to_owned(),
        account: "123456789012".to_owned(),
        resources: vec![resource_id],
        user: "salawsiam&Söhne".to_owned(),
    };
    let arn = "arn:aws:iam::123456789012:policy/apps/sal-rds-iam".to_owned();
    let create = AwsCall::CreatePolicy {
        name: "sal-rds-iam".to_owned(),
        document: policy.document().to_string(),
        made: of_the_organization(None),
    };
    let attach = AwsCall::AttachRolePolicy {
        role: "sal-task".to_owned(),
        arn: arn.clone(),
    };
    for call in [&create, &create, &attach] {
        api.make(call).await.unwrap();
    }
    let role = api.role("sal-task").await.unwrap().unwrap();
    assert!(policy.is_granted_by(&role.policies[0].document), "{role:?}");
    let made = AwsCall::CreateRole {
        name: "made".to_owned(),
        trust: Trust::Ec2.document(Partition::Aws).unwrap().to_string(),
        made: of_the_organization(Some(&arn)),
    };
    api.make(&made).await.unwrap();
    let role = api.role("made").await.unwrap().unwrap();
    assert!(role.trust.contains("ec2.amazonaws.com"), "{role:?}");
    assert_eq!(role.arn, "arn:aws:iam::123456789012:role/apps/made");
    assert_eq!(role.boundary.as_ref(), Some(&arn));
    let detach = AwsCall::DetachRolePolicy {
        role: "sal-task".to_owned(),
        arn: arn.clone(),
    };
    for call in [
        detach,
        AwsCall::DeletePolicy { arn: arn.clone() },
        AwsCall::DeletePolicy { arn },
        AwsCall::DeleteRole {
            name: "made".to_owned(),
        },
    ] {
        api.make(&call).await.unwrap();
    }
    assert_eq!(api.role("sal-task").await.unwrap().unwrap().policies, []);
}

#[tokio::test]
async fn what_moto_cannot_do_is_an_error_that_says_so_and_never_a_panic() {
    let moto = Moto::start().await;
    let api = moto.api(&moto.key);
    let version = api.engine_version("postgres", "15.5").await;
    assert!(
        matches!(
            version,
            Err(AwsError::Unreachable { .. } | AwsError::Refused { .. })
        ),
        "{version:?}"
    );
    let simulated = api
        .simulate(
            "arn:aws:iam::123456789012:role/sal-task",
            "rds-db:connect",
            "*",
        )
        .await;
    assert!(
        matches!(
            simulated,
            Err(AwsError::Unreachable { .. } | AwsError::Refused { .. })
        ),
        "{simulated:?}"
    );
    let mut wrong = moto.key.clone();
    wrong.secret_access_key = "not the right one, but as long as one".to_owned();
    let error = moto.api(&wrong).caller().await.unwrap_err();
    assert!(
        error.to_string().contains("SignatureDoesNotMatch"),
        "{error}"
    );
    let now = (clock())();
    let metrics = api
        .auth_metrics(
            "sal-sandbox",
            now - jiff::SignedDuration::from_mins(15),
            now,
        )
        .await
        .unwrap();
    assert!(metrics.iter().all(|metric| metric.sum.is_none()));
    let target = api
        .describe(TargetKind::Instance, "sal-sandbox")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(api.auth_errors(&target, now).await.unwrap(), None);
}

/// A path and tags with what has to be encoded, and the boundary of a role.
fn of_the_organization(boundary: Option<&String>) -> Box<Made> {
    Box::new(Made {
        boundary: boundary.cloned(),
        path: Some("/apps/".to_owned()),
        tags: vec![("cost-center".to_owned(), "a=b&ü".to_owned())],
    })
}
