//! The AWS side: reading, planning, doing, waiting, and what partial permissions leave unknown.

use std::time::Duration;

use iam_cutover::{
    aws::{self, Answer, AwsSide, AwsWish},
    logins::Who,
    plan::{Extent, Purpose},
    policy::Trust,
    run::Prepared,
};
use rds_lab::IamAuthentication;

use crate::stage::{NEW, Owner, Stage};

async fn stage() -> Stage {
    let stage = Stage::set_with("15.5", Owner::Plain, |options| {
        options.iam_authentication = IamAuthentication::Off
    })
    .await;
    stage
        .lab
        .revoke_connect(&stage.lab.role_arn(stage.lab.task_role()));
    stage
}

async fn side(api: &aws::AwsApi, role: &str, trust: Option<Trust>, stage: &Stage) -> AwsSide {
    let facts = aws::look(
        api,
        Ok(&stage.endpoint()),
        NEW,
        Some(role),
        (crate::stage::clock())(),
    )
    .await;
    let wish = AwsWish {
        role: Some(role.to_owned()),
        policy_name: "sal-rds-iam".to_owned(),
        trust: trust.map(|trust| trust.document(rds_iam::Partition::Aws).unwrap().to_string()),
        made: aws::Made::default(),
    };
    let policy = facts.policy(api, NEW);
    AwsSide::from_facts(&facts, wish, policy).unwrap()
}

async fn carry_out(purpose: Purpose, role: &str, stage: &Stage) {
    let api = stage.aws(stage.lab.static_credentials());
    let side = side(&api, role, Some(Trust::Ecs), stage).await;
    let mut run = stage.run_stage(Some((&api, &side)));
    run.patience = Duration::from_secs(20);
    let prepared = Prepared::new(run, stage.settings("apply"), purpose, &|_event| {})
        .await
        .unwrap();
    prepared.carry_out(&|_event| {}).await.unwrap();
}

#[tokio::test]
async fn the_aws_side_is_done_waited_for_and_taken_back() {
    let stage = stage().await;
    let role = stage.lab.task_role();
    let api = stage.aws(stage.lab.static_credentials());
    let planned = plan(&api, role, &stage).await;
    let ids: Vec<&str> = planned.steps.iter().map(|step| step.id.as_str()).collect();
    assert_eq!(
        ids[..3],
        [
            "enable-iam-authentication",
            "create-policy",
            "attach-policy"
        ]
    );
    assert_eq!(*ids.last().unwrap(), "grant-rds-iam");
    let text = iam_cutover::report::plan_text(&planned);
    assert!(text.contains("aws rds modify-db-instance --db-instance-identifier sal-sandbox --enable-iam-database-authentication --apply-immediately"), "{text}");
    assert!(
        text.contains("dbuser:db-ABCDEFGHIJKL01234567890123/salawsiam"),
        "{text}"
    );

    carry_out(Purpose::ToIam, role, &stage).await;
    assert!(stage.logs_in(Who::New).await);
    assert!(
        api.describe(aws::TargetKind::Instance, "sal-sandbox")
            .await
            .unwrap()
            .unwrap()
            .iam_is(true)
    );
    let facts = api.role(role).await.unwrap().unwrap();
    assert_eq!(facts.policies[0].name, "sal-rds-iam");
    assert!(!facts.policies[0].document.contains('%'), "decoded");
    // Once more: nothing to do in AWS.
    assert!(plan(&api, role, &stage).await.steps.is_empty());

    carry_out(Purpose::RollBack(Extent::Everything), role, &stage).await;
    assert!(stage.logs_in(Who::Old).await);
    assert_eq!(api.role(role).await.unwrap().unwrap().policies, []);
}

async fn plan(api: &aws::AwsApi, role: &str, stage: &Stage) -> iam_cutover::plan::Plan {
    let side = side(api, role, None, stage).await;
    let inventory = inventory(stage).await;
    iam_cutover::plan::Plan::new(Purpose::ToIam, &stage.wish, &inventory, Some(&side))
}

async fn inventory(stage: &Stage) -> iam_cutover::inventory::Inventory {
    let session = stage.open(Who::Admin).await;
    iam_cutover::inventory::read(&stage.wish, &[&session.client])
        .await
        .unwrap()
}

/// The log of refused tokens is exported where it is not, and stays when the move is taken back.
#[tokio::test]
async fn the_log_of_refused_tokens_is_exported() {
    let stage = stage().await;
    let deployment = rds_lab::Deployment {
        database: "sal".to_owned(),
        old_user: crate::stage::OLD.to_owned(),
        new_user: NEW.to_owned(),
    };
    stage
        .lab
        .break_it("log-not-exported", &deployment)
        .await
        .unwrap();
    let (role, api) = (
        stage.lab.task_role(),
        stage.aws(stage.lab.static_credentials()),
    );
    let plan = plan(&api, role, &stage).await;
    let step = plan
        .steps
        .iter()
        .find(|step| step.id == "export-auth-log")
        .unwrap();
    let line = |list: &str| {
        format!(
            "aws rds modify-db-instance --db-instance-identifier sal-sandbox --cloudwatch-logs-export-configuration '{{\"{list}LogTypes\":[\"iam-db-auth-error\"]}}' --apply-immediately"
        )
    };
    assert_eq!(step.undo, [line("Disable")]);
    assert!(iam_cutover::report::plan_text(&plan).contains(&line("Enable")));
    carry_out(Purpose::ToIam, role, &stage).await;
    carry_out(Purpose::RollBack(Extent::Everything), role, &stage).await;
    let target = api
        .describe(aws::TargetKind::Instance, "sal-sandbox")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(target.log_exports, ["iam-db-auth-error"]);
    // Taken back by hand, as the plan says.
    let off = aws::AwsCall::ExportAuthLog {
        kind: aws::TargetKind::Instance,
        identifier: "sal-sandbox".to_owned(),
        enabled: false,
    };
    api.make(&off).await.unwrap();
    api.settle(&off, Duration::ZERO).await.unwrap();
}

#[tokio::test]
async fn a_missing_role_is_made_with_its_trust() {
    let stage = stage().await;
    // The login is made with the lab's task role, which keeps its own allowance here.
    stage.lab.allow_connect("*", NEW);
    carry_out(Purpose::ToIam, "sal-new-role", &stage).await;
    let api = stage.aws(stage.lab.static_credentials());
    let role = api.role("sal-new-role").await.unwrap().unwrap();
    assert!(role.trust.contains("ecs-tasks.amazonaws.com"));
    assert_eq!(role.policies.len(), 1);
}

#[tokio::test]
async fn what_a_role_may_not_ask_is_unknown_and_the_permission_is_named() {
    let stage = stage().await;
    let credential = stage.lab.temporary_credentials(stage.lab.task_role());
    let api = stage.aws(&credential);
    let facts = aws::look(
        &api,
        Ok(&stage.endpoint()),
        NEW,
        None,
        (crate::stage::clock())(),
    )
    .await;
    assert!(
        facts
            .caller
            .known()
            .unwrap()
            .arn
            .contains(":assumed-role/sal-task/")
    );
    let Answer::Denied { permission } = &facts.target else {
        panic!("{:?}", facts.target)
    };
    assert_eq!(permission, "rds:DescribeDBInstances");
    assert!(matches!(&facts.role, Answer::Denied { permission } if permission == "iam:GetRole"));
}

#[tokio::test]
async fn a_wrong_key_is_refused_and_nothing_secret_is_said() {
    let stage = stage().await;
    let mut credential = stage.lab.static_credentials().clone();
    credential.secret_access_key = "wr0ng".repeat(8);
    let api = stage.aws(&credential);
    let error = api.caller().await.unwrap_err().to_string();
    assert!(error.contains("SignatureDoesNotMatch"), "{error}");
    assert!(!error.contains("wr0ng"), "{error}");
}

#[tokio::test]
async fn a_policy_of_the_same_name_that_says_something_else_is_neither_attached_nor_deleted() {
    let stage = stage().await;
    let api = stage.aws(stage.lab.static_credentials());
    let theirs = aws::AwsCall::CreatePolicy {
        name: "sal-rds-iam".to_owned(),
        document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"rds-db:connect","Resource":"arn:aws:rds-db:us-west-2:123456789012:dbuser:db-STAGING/salawsiam"}]}"#.to_owned(),
        made: Box::default(),
    };
    api.make(&theirs).await.unwrap();
    let side = side(&api, stage.lab.task_role(), None, &stage).await;
    let prepared = Prepared::new(
        stage.run_stage(Some((&api, &side))),
        stage.settings("apply"),
        Purpose::ToIam,
        &|_event| {},
    )
    .await
    .unwrap();
    let error = prepared.carry_out(&|_event| {}).await.unwrap_err();
    assert!(error.to_string().contains("--policy-name"), "{error}");
    let arn = "arn:aws:iam::123456789012:policy/sal-rds-iam".to_owned();
    api.make(&aws::AwsCall::AttachRolePolicy {
        role: stage.lab.task_role().to_owned(),
        arn: arn.clone(),
    })
    .await
    .unwrap();
    carry_out(
        Purpose::RollBack(Extent::Everything),
        stage.lab.task_role(),
        &stage,
    )
    .await;
    assert!(
        api.policy_document(&arn)
            .await
            .unwrap()
            .contains("db-STAGING")
    );
}

/// A call that was taken is not yet one that is live: nothing is said of it before AWS shows it.
#[tokio::test]
async fn what_is_not_there_is_not_read_back_as_done() {
    let stage = stage().await;
    let api = stage.aws(stage.lab.static_credentials());
    let document =
        r#"{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#.to_owned();
    let arn = "arn:aws:iam::123456789012:policy/p".to_owned();
    let (policy, role) = ("p".to_owned(), "r".to_owned());
    let trust = Trust::Ecs
        .document(rds_iam::Partition::Aws)
        .unwrap()
        .to_string();
    let made = Box::<aws::Made>::default();
    let attach = aws::AwsCall::AttachRolePolicy {
        role: role.clone(),
        arn: arn.clone(),
    };
    let calls = [
        aws::AwsCall::CreatePolicy {
            name: policy,
            document,
            made: made.clone(),
        },
        aws::AwsCall::CreateRole {
            name: role.clone(),
            trust: trust.clone(),
            made: made.clone(),
        },
        attach,
        aws::AwsCall::SetIamAuthentication {
            kind: aws::TargetKind::Instance,
            identifier: "sal-sandbox".to_owned(),
            enabled: true,
        },
        aws::AwsCall::DetachRolePolicy {
            role: role.clone(),
            arn: arn.clone(),
        },
        aws::AwsCall::DeletePolicy { arn },
        aws::AwsCall::DeleteRole { name: role.clone() },
    ];
    for call in &calls {
        let before = api.settle(call, Duration::ZERO).await;
        assert!(before.is_err(), "{call:?}");
        api.make(call).await.unwrap();
        api.settle(call, Duration::from_secs(60)).await.unwrap();
    }
    // A role of this name that somebody else trusts is not the one that was wanted.
    let theirs = aws::AwsCall::CreateRole {
        name: role.clone(),
        trust: trust.replace("ecs-tasks", "lambda"),
        made: made.clone(),
    };
    let ours = aws::AwsCall::CreateRole {
        name: role,
        trust,
        made,
    };
    api.make(&theirs).await.unwrap();
    api.make(&ours).await.unwrap();
    let error = api.settle(&ours, Duration::ZERO).await.unwrap_err();
    assert!(error.to_string().contains("says something else"), "{error}");
}

/// Something in the database takes back what a step did: the catalogs say so, and the step is no success.
#[tokio::test]
async fn a_step_without_effect_is_undone() {
    let stage = Stage::set("15.5", Owner::Master).await;
    stage
        .superuser(
            "CREATE TABLE kept (x int); ALTER TABLE kept OWNER TO postgres; \
             CREATE FUNCTION keep() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN \
             IF (SELECT relowner::regrole::text FROM pg_class WHERE relname = 'kept') <> 'postgres' \
             THEN ALTER TABLE public.kept OWNER TO postgres; END IF; END $$; \
             CREATE EVENT TRIGGER keep ON ddl_command_end WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION keep()",
        )
        .await;
    let error = stage.carry_out(Purpose::ToIam).await.unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("still to do") && text.contains("kept"),
        "{text}"
    );
}

/// While IAM authentication is off, an administrator in rds_iam still has its password: switching it on would end that.
#[tokio::test]
async fn switching_iam_authentication_on_locks_nobody_out() {
    let stage = Stage::set_with("18.4", Owner::Plain, |options| {
        options.iam_authentication = IamAuthentication::Off;
    })
    .await;
    stage
        .run(
            Who::Admin,
            "CREATE USER salawsiam; GRANT rds_iam TO salawsiam",
        )
        .await;
    let (role, api) = (
        stage.lab.task_role(),
        stage.aws(stage.lab.static_credentials()),
    );
    let refused = plan(&api, role, &stage).await;
    assert_eq!(refused.refusals[0].code, "flag_would_lock_out");
    let helps = "REVOKE rds_iam FROM \"salawsiam\"";
    assert!(refused.refusals[0].next.contains(helps), "{refused:?}");
    stage.run(Who::Admin, helps).await;
    carry_out(Purpose::ToIam, role, &stage).await;
    for who in [Who::Admin, Who::Old, Who::New] {
        assert!(stage.logs_in(who).await, "{who}");
    }
    // A role that is not there, and nothing to make it with, stops the plan.
    let nobody = side(&api, "nobody-s-role", None, &stage).await;
    assert_eq!(nobody.refusals[0].code, "role_missing");
}
