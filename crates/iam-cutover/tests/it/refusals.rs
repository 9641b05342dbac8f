//! What the plan refuses, and what it puts right by itself.

use iam_cutover::{
    logins::Who,
    plan::{Extent, Purpose},
};

use crate::stage::{Owner, Stage, VERSIONS};

async fn codes(stage: &Stage, purpose: Purpose) -> Vec<&'static str> {
    stage
        .plan(purpose)
        .await
        .refusals
        .iter()
        .map(|refusal| refusal.code)
        .collect()
}

/// The wiki page's own four statements, made by hand before this tool came.
#[tokio::test]
async fn a_user_made_as_the_wiki_page_says_is_put_right_or_refused_with_its_reason() {
    for version in VERSIONS {
        let stage = Stage::set(version, Owner::Plain).await;
        stage.run(Who::Admin, "CREATE USER salawsiam").await;
        let found = codes(&stage, Purpose::ToIam).await;
        if version == "15.5" {
            assert_eq!(found, [""; 0]);
            // rds_iam first and rds_superuser, as on the page.
            stage
                .run(
                    Who::Admin,
                    "GRANT rds_iam TO salawsiam; GRANT rds_superuser TO salawsiam",
                )
                .await;
            assert_eq!(codes(&stage, Purpose::ToIam).await, ["new_user_too_strong"]);
            stage
                .run(Who::Admin, "REVOKE rds_superuser FROM salawsiam")
                .await;
            stage.carry_out(Purpose::ToIam).await.unwrap();
        } else {
            // Whoever makes a role is its member from 16 on: one that nobody uses is made once more.
            assert_eq!(found, [""; 0]);
            stage.run(Who::Admin, "GRANT rds_iam TO salawsiam").await;
            stage.may_connect("postgres");
            stage
                .superuser(
                    "GRANT rds_superuser TO salawsiam; CREATE TABLE t (x int); GRANT SELECT ON t TO salawsiam",
                )
                .await;
            assert_eq!(codes(&stage, Purpose::ToIam).await, ["new_user_too_strong"]);
            stage.superuser("REVOKE rds_superuser FROM salawsiam").await;
            assert_eq!(codes(&stage, Purpose::ToIam).await, ["would_lock_out"]);
            stage.superuser("DROP TABLE t").await;
            let plan = stage.plan(Purpose::ToIam).await;
            assert!(plan.steps[0].what.starts_with("Drop the role salawsiam"));
            stage.carry_out(Purpose::ToIam).await.unwrap();
        }
        assert!(stage.logs_in(Who::New).await && stage.logs_in(Who::Admin).await);
    }
}

#[tokio::test]
async fn members_of_the_new_user_are_taken_out_first() {
    let stage = Stage::set("15.5", Owner::Plain).await;
    stage
        .run(
            Who::Admin,
            "CREATE USER salawsiam; GRANT salawsiam TO sal; GRANT salawsiam TO postgres",
        )
        .await;
    let plan = stage.plan(Purpose::ToIam).await;
    assert_eq!(plan.refusals, []);
    assert_eq!(plan.steps[0].id, "revoke-members");
    stage.carry_out(Purpose::ToIam).await.unwrap();
    assert!(stage.logs_in(Who::Old).await && stage.logs_in(Who::Admin).await);
}

#[tokio::test]
async fn what_cannot_be_is_refused_by_name() {
    let stage = Stage::set("15.5", Owner::Plain).await;
    let mut other = stage.wish.clone();
    other.new_user = "sal".to_owned();
    let mut stage = stage;
    let right = std::mem::replace(&mut stage.wish, other);
    assert_eq!(codes(&stage, Purpose::ToIam).await, ["same_user"]);
    stage.wish.new_user = "rds_mine".to_owned();
    assert_eq!(codes(&stage, Purpose::ToIam).await, ["reserved_name"]);
    stage.wish.new_user = "x".repeat(64);
    assert_eq!(codes(&stage, Purpose::ToIam).await, ["name_length"]);
    stage.wish = right.clone();
    stage.wish.old_user = "nobody".to_owned();
    assert_eq!(codes(&stage, Purpose::ToIam).await, ["no_old_user"]);
    stage.wish = right;
    stage.superuser("ALTER ROLE postgres NOCREATEROLE").await;
    assert_eq!(codes(&stage, Purpose::ToIam).await, ["no_createrole"]);
    stage.superuser("ALTER ROLE postgres CREATEROLE; CREATE ROLE salawsiam LOGIN; CREATE TABLE stray (x int); ALTER TABLE stray OWNER TO salawsiam").await;
    assert_eq!(
        codes(&stage, Purpose::ToIam).await,
        ["new_user_owns_objects"]
    );
    stage
        .superuser("REASSIGN OWNED BY salawsiam TO sal; GRANT rds_iam TO sal")
        .await;
    assert_eq!(codes(&stage, Purpose::ToIam).await, ["old_user_uses_iam"]);
    // The way back is open from there, too: the old user is taken out of rds_iam.
    stage
        .carry_out(Purpose::RollBack(Extent::Logins))
        .await
        .unwrap();
    assert!(stage.logs_in(Who::Old).await);
}

#[tokio::test]
async fn without_admin_option_the_statement_that_helps_is_named() {
    let stage = Stage::set("18.4", Owner::Plain).await;
    stage.superuser("REVOKE sal FROM postgres").await;
    let plan = stage.plan(Purpose::ToIam).await;
    assert_eq!(plan.refusals[0].code, "no_admin_option");
    stage
        .superuser("GRANT \"sal\" TO \"postgres\" WITH ADMIN TRUE, INHERIT FALSE, SET FALSE")
        .await;
    assert!(
        plan.refusals[0]
            .next
            .contains("GRANT \"sal\" TO \"postgres\" WITH ADMIN TRUE, INHERIT FALSE, SET FALSE")
    );
    stage.carry_out(Purpose::ToIam).await.unwrap();
}

#[tokio::test]
async fn finalizing_waits_for_the_old_users_sessions() {
    let stage = Stage::set("17.10", Owner::Plain).await;
    assert_eq!(codes(&stage, Purpose::Finalize).await, ["not_moved"]);
    stage.carry_out(Purpose::ToIam).await.unwrap();
    let mut config = stage.lab.admin_config("sal");
    config.user("sal").application_name("django");
    // As the deployment would: past the gate, where the lab trusts the socket.
    let (client, connection) = config.connect(tokio_postgres::NoTls).await.unwrap();
    let work = async {
        assert_eq!(codes(&stage, Purpose::Finalize).await, ["old_user_in_use"]);
        assert!(stage.carry_out(Purpose::Finalize).await.is_err());
        assert!(stage.logs_in(Who::Old).await);
        drop(client);
    };
    let (_ended, ()) = tokio::join!(connection, work);
    stage.carry_out(Purpose::Finalize).await.unwrap();
    assert!(!stage.logs_in(Who::Old).await);
}

#[tokio::test]
async fn rolling_back_keeps_the_new_login_until_the_old_password_is_proved() {
    let mut stage = Stage::set("15.5", Owner::Plain).await;
    stage.carry_out(Purpose::ToIam).await.unwrap();
    stage
        .superuser("ALTER ROLE sal PASSWORD 'another one'")
        .await;
    let error = stage
        .carry_out(Purpose::RollBack(Extent::Logins))
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("password authentication failed"),
        "{error}"
    );
    assert!(stage.logs_in(Who::New).await, "nothing was taken away");
    stage.logins.old.as_mut().unwrap().secret =
        rds_iam::LoginSecret::Password(rds_iam::Secret::new("another one"));
    stage
        .carry_out(Purpose::RollBack(Extent::Everything))
        .await
        .unwrap();
    assert!(!stage.logs_in(Who::New).await);
    let left = "SELECT count(*)::text FROM pg_roles WHERE rolname = 'salawsiam'";
    assert_eq!(
        stage.value(Who::Admin, left).await,
        "0",
        "what the move made is gone on 15"
    );
}

/// Names with quotes, blanks and umlauts go through every statement.
#[tokio::test]
async fn strange_names_are_quoted_everywhere() {
    for version in ["15.5", "18.4"] {
        let mut stage = Stage::set(version, Owner::Plain).await;
        let (old, new) = ("sal \"x\"; DROP ROLE sal; --", "Ünï's \"iam\"");
        stage
            .lab
            .create_password_user(old, crate::stage::PASSWORD)
            .await
            .unwrap();
        stage
            .lab
            .create_database("data \"base\"", old)
            .await
            .unwrap();
        stage.lab.allow_connect("*", "*");
        stage.wish = iam_cutover::Wish::new(old, new, "data \"base\"");
        stage.logins.old.as_mut().unwrap().user = old.to_owned();
        stage.logins.new.as_mut().unwrap().user = new.to_owned();
        stage.carry_out(Purpose::ToIam).await.unwrap();
        stage.carry_out(Purpose::Finalize).await.unwrap();
        stage
            .carry_out(Purpose::RollBack(Extent::Everything))
            .await
            .unwrap();
        assert!(stage.logins.open(Who::Old, "data \"base\"").await.is_ok());
        assert!(stage.logs_in(Who::Admin).await);
    }
}
