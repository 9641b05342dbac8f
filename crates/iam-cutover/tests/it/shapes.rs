//! Clusters and proxies: moved at the database's own name, refused at every other, failed over, rolled back.

use iam_cutover::{
    CutoverError,
    aws::{self, AwsFacts, ProxyMode, TargetKind},
    check::Status,
    logins::{Account, Logins, Who},
    plan::{Extent, Purpose, target},
    verify::verify,
};
use rds_iam::{LoginFailure, RdsEndpoint};
use rds_lab::{Deployment, Shape};

use crate::stage::{NEW, OLD, Owner, PASSWORD, Stage, clock, logins};

async fn stage(shape: Shape) -> Stage {
    let stage = Stage::set_with("15.5", Owner::Plain, |options| options.shape = shape).await;
    stage
        .run(Who::Old, "CREATE TABLE machines (id serial PRIMARY KEY)")
        .await;
    stage
}

/// Everybody's logins at another name of the lab.
fn at(door: &str, stage: &Stage) -> Logins {
    let door = stage.lab.door(door).unwrap();
    let mut logins = logins(&stage.lab, OLD, PASSWORD);
    logins.base.host.clone_from(&door.endpoint);
    logins.base.port = door.address.port();
    logins
}

fn endpoint(door: &str, stage: &Stage) -> RdsEndpoint {
    RdsEndpoint::parse(&stage.lab.door(door).unwrap().endpoint).unwrap()
}

async fn facts(door: &str, stage: &Stage) -> AwsFacts {
    let api = stage.aws(stage.lab.static_credentials());
    let endpoint = endpoint(door, stage);
    aws::look(&api, Ok(&endpoint), NEW, Some("sal-task"), clock()()).await
}

/// What a plan at a name is refused for, by the name and by what AWS says of it.
async fn refused(door: &str, stage: &Stage) -> (Vec<&'static str>, String) {
    let facts = facts(door, stage).await;
    let found = target::refusals(&endpoint(door, stage), Some(&facts));
    let next = found.iter().map(|finding| finding.next.clone());
    (
        found.iter().map(|finding| finding.code).collect(),
        next.collect(),
    )
}

/// A run at a name that the library itself refuses, before anybody logs in.
async fn refused_by_the_run(door: &str, code: &str, stage: &mut Stage) {
    let there = at(door, stage);
    let own = std::mem::replace(&mut stage.logins, there);
    let error = stage.carry_out(Purpose::ToIam).await.unwrap_err();
    let CutoverError::Refused(found) = &error else {
        panic!("{error}")
    };
    assert_eq!(found[0].code, code, "{found:?}");
    stage.logins = own;
}

async fn there(stage: &Stage) {
    stage.carry_out(Purpose::ToIam).await.unwrap();
    let proof = verify(&stage.logins, &stage.wish).await;
    assert_eq!(proof.differences, []);
    let well = |check: &iam_cutover::check::Check| check.status == Status::Ok;
    assert!(proof.checks.iter().all(well), "{:#?}", proof.checks);
}

async fn back(stage: &Stage) {
    let everything = Purpose::RollBack(Extent::Everything);
    stage.carry_out(everything).await.unwrap();
    assert!(stage.logs_in(Who::Old).await);
    assert!(!stage.logs_in(Who::New).await);
}

/// Whether a session at a name writes; the same session says what it is.
async fn writes(door: &str, stage: &Stage) -> bool {
    let session = at(door, stage).open(Who::New, "sal").await.unwrap();
    rds_iam::guard::use_deployments_path(&session.client)
        .await
        .unwrap();
    let read_only = session.client.query_one("SHOW transaction_read_only", &[]);
    let read_only: String = read_only.await.unwrap().get(0);
    let wrote = session
        .client
        .batch_execute("INSERT INTO machines DEFAULT VALUES")
        .await;
    session.end().await;
    assert_eq!(wrote.is_ok(), read_only == "off", "{door}: {wrote:?}");
    wrote.is_ok()
}

async fn cluster(shape: Shape, engine: &str, custom: Option<&str>) {
    let mut stage = stage(shape).await;
    refused_by_the_run("reader", "reader_endpoint", &mut stage).await;
    described(engine, &stage).await;
    let readers = ["reader", "instance-2"].into_iter();
    for reader in readers.clone() {
        refused_for_the_writer(reader, &stage).await;
    }
    if let Some(door) = custom {
        let found = facts(door, &stage).await;
        let kind = found.custom_endpoint.known().unwrap().as_deref();
        assert_eq!(kind, Some("ANY"));
        assert_eq!(found.resource_ids(), [CLUSTER]);
    }
    there(&stage).await;
    // One token's signature is good at its own name only, so each of these is a login of its own.
    who_writes(&["writer", "instance-1"], readers.chain(custom), &stage).await;
    stage.lab.fail_over().unwrap();
    let writers: Vec<&str> = ["writer", "instance-2"].into_iter().chain(custom).collect();
    who_writes(&writers, ["reader", "instance-1"].into_iter(), &stage).await;
    the_old_writer_is_refused(&stage).await;
    back(&stage).await;
}

const CLUSTER: &str = "cluster-ABCDEFGHIJKL01234567890123";

async fn described(engine: &str, stage: &Stage) {
    let found = facts("writer", stage).await;
    let target = found.target.known().unwrap().as_ref().unwrap();
    assert_eq!(target.kind, TargetKind::Cluster);
    assert_eq!(target.engine, engine);
    assert_eq!(found.resource_ids(), [CLUSTER]);
    assert_eq!(refused("instance-1", stage).await.0, Vec::<&str>::new());
}

/// An instance's own name leads to the cluster, whose id policies name; one that reads is refused.
async fn refused_for_the_writer(reader: &str, stage: &Stage) {
    let (codes, next) = refused(reader, stage).await;
    assert_eq!(codes, ["reader_endpoint"], "{reader}");
    let writer = format!("DB_HOST={}", stage.lab.endpoint());
    assert!(next.contains(&writer), "{reader}: {next}");
    assert_eq!(facts(reader, stage).await.resource_ids(), [CLUSTER]);
}

async fn who_writes(writers: &[&str], readers: impl Iterator<Item = &str>, stage: &Stage) {
    for door in writers {
        assert!(writes(door, stage).await, "{door}");
    }
    for door in readers {
        assert!(!writes(door, stage).await, "{door}");
    }
}

async fn the_old_writer_is_refused(stage: &Stage) {
    let mut old_writer = at("instance-1", stage);
    old_writer.base.require_writable = true;
    let attempt = old_writer.attempt(Who::New, "sal").await.unwrap();
    let failure = attempt.unwrap_err().failure;
    assert!(
        matches!(failure, LoginFailure::NotWritable { .. }),
        "{failure}"
    );
    let codes = refused("instance-1", stage).await.0;
    assert_eq!(codes, ["reader_endpoint"]);
}

#[tokio::test]
async fn the_global_writer_s_name_leads_to_the_cluster_and_says_no_region() {
    let stage = stage(Shape::Aurora).await;
    let mut found = facts("global", &stage).await;
    assert_eq!(found.resource_ids(), ["cluster-ABCDEFGHIJKL01234567890123"]);
    assert_eq!(found.region(), Some("us-west-2"));
    let endpoint = endpoint("global", &stage);
    assert_eq!(endpoint.region, None);
    assert_eq!(target::refusals(&endpoint, Some(&found)), []);
    there(&stage).await;
    assert!(writes("global", &stage).await);
    // After a failover to another region tokens have to be signed for that.
    found.asked_region = Some("eu-central-1".to_owned());
    let refusals = target::refusals(&endpoint, Some(&found));
    assert_eq!(refusals[0].code, "global_region");
    assert!(refusals[0].next.contains("AWS_RDS_REGION=us-west-2"));
}

#[tokio::test]
async fn aurora_is_moved_at_its_writer_fails_over_and_comes_back() {
    cluster(Shape::Aurora, "aurora-postgresql", Some("custom")).await;
}

#[tokio::test]
async fn a_multi_az_cluster_is_moved_at_its_writer_fails_over_and_comes_back() {
    cluster(Shape::MultiAz, "postgres", None).await;
}

/// A proxy of either mode, with the move made and proved behind it.
async fn behind(shape: Shape, mode: ProxyMode) -> Stage {
    let mut stage = stage(shape).await;
    let own = format!("DB_HOST={}", stage.lab.endpoint());
    for door in ["proxy", "proxy-endpoint"] {
        refused_by_the_run(door, "proxy_endpoint", &mut stage).await;
        let (codes, next) = refused(door, &stage).await;
        assert_eq!(codes, ["proxy_endpoint"]);
        assert!(next.contains(&own), "{next}");
        let found = facts(door, &stage).await;
        assert_eq!(found.proxy_mode(), Some(mode));
        assert_eq!(found.resource_ids()[0], "prx-0123456789abcdef0");
    }
    stage.lab.set_proxy_secret(OLD, PASSWORD);
    let task = stage.lab.role_arn(stage.lab.task_role());
    stage
        .lab
        .allow_connect(&task, &stage.lab.proxy_resource("*"));
    there(&stage).await;
    stage
}

async fn logs_in(who: Who, logins: &Logins) -> Result<(), String> {
    let attempt = logins.attempt(who, "sal").await.unwrap();
    attempt.map(drop).map_err(|error| error.to_string())
}

#[tokio::test]
async fn a_standard_proxy_takes_the_old_user_s_token_and_never_a_user_in_rds_iam() {
    let stage = behind(Shape::Proxy, ProxyMode::Standard).await;
    let mut through = at("proxy", &stage);
    let refusal = logs_in(Who::New, &through).await.unwrap_err();
    assert!(
        refusal.contains("no credentials for the role salawsiam"),
        "{refusal}"
    );
    // A secret does not help: the database refuses passwords of who is in rds_iam.
    stage.lab.set_proxy_secret(NEW, "whatever");
    assert!(logs_in(Who::New, &through).await.is_err());
    // The user with the password logs in with a token, although nothing of it was moved.
    let iam = through.new.as_ref().unwrap().secret.clone();
    through.old = Some(Account {
        user: OLD.to_owned(),
        secret: iam,
    });
    logs_in(Who::Old, &through).await.unwrap();
    let warned = target::warnings(&stage.endpoint(), Some(&facts("database", &stage).await));
    assert!(
        warned
            .iter()
            .any(|finding| finding.code == "standard_proxy"),
        "{warned:?}"
    );
    stage.lab.set_proxy_secret(OLD, "not the password any more");
    assert!(logs_in(Who::Old, &through).await.is_err());
    back(&stage).await;
}

#[tokio::test]
async fn an_end_to_end_proxy_takes_the_new_user_once_its_own_role_may_connect() {
    let stage = behind(Shape::ProxyEndToEnd, ProxyMode::EndToEnd).await;
    let through = at("proxy", &stage);
    let found = facts("proxy", &stage).await;
    let ids = ["prx-0123456789abcdef0", "db-ABCDEFGHIJKL01234567890123"];
    assert_eq!(
        found.resource_ids(),
        ids,
        "the client's, and the database's"
    );
    let refusal = logs_in(Who::New, &through).await.unwrap_err();
    assert!(refusal.contains("PAM authentication failed"), "{refusal}");
    stage.lab.allow_connect(&stage.lab.proxy_role_arn(), NEW);
    for door in ["proxy", "proxy-endpoint"] {
        logs_in(Who::New, &at(door, &stage)).await.unwrap();
    }
    assert!(writes("proxy", &stage).await);
    // The client's own right at the proxy is another one than at the database.
    let task = stage.lab.role_arn(stage.lab.task_role());
    stage.lab.revoke_connect(&task);
    stage.lab.allow_connect(&task, NEW);
    let refusal = logs_in(Who::New, &through).await.unwrap_err();
    assert!(
        refusal.contains("IAM authentication failed for the role"),
        "{refusal}"
    );
    assert!(stage.logs_in(Who::New).await, "at the database");
    back(&stage).await;
}

#[tokio::test]
async fn before_a_blue_green_switch_both_sides_are_named_and_serverless_has_the_memory_of_its_capacity()
 {
    let stage = stage(Shape::Aurora).await;
    let deployment = Deployment {
        database: "sal".to_owned(),
        old_user: OLD.to_owned(),
        new_user: NEW.to_owned(),
    };
    stage.lab.break_it("blue-green", &deployment).await.unwrap();
    stage.lab.make_serverless("0.5");
    let found = facts("writer", &stage).await;
    let sides = [
        "cluster-ABCDEFGHIJKL01234567890123",
        "cluster-GREENGREENGREENGREEN01234",
    ];
    assert_eq!(found.resource_ids(), sides);
    let api = stage.aws(stage.lab.static_credentials());
    let document = found.policy(&api, NEW).unwrap().document().to_string();
    assert!(
        sides
            .iter()
            .all(|id| document.contains(&format!("dbuser:{id}/{NEW}")))
    );
    let warned = target::warnings(&stage.endpoint(), Some(&found));
    assert_eq!(warned[0].code, "blue_green", "{warned:?}");
    assert_eq!(found.flag_owner().unwrap().least_memory_mib, Some(1_024));
    let instance = facts("instance-1", &stage).await;
    let target = instance.target.known().unwrap().as_ref().unwrap();
    assert_eq!(target.instance_class.as_deref(), Some("db.serverless"));
    assert!(!target.is_small());
    stage.lab.mend().await.unwrap();
    assert_eq!(facts("writer", &stage).await.resource_ids(), sides[..1]);
}
