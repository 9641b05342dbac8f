//! Every version times every kind of deployment: there, proved, finalized, back, and there again.

use iam_cutover::{
    check::Status,
    logins::Who,
    plan::{Extent, Purpose, Way},
    verify::verify,
};

use crate::stage::{NEW, Owner, Stage, VERSIONS};

/// What a deployment may have beside plain tables.
const PLAIN: &str = "
    CREATE TABLE server_machine (id serial PRIMARY KEY, serial text UNIQUE);
    INSERT INTO server_machine (serial) VALUES ('C02ABC');
    CREATE VIEW machines AS SELECT serial FROM server_machine;
    CREATE FUNCTION twice(n int) RETURNS int LANGUAGE sql AS 'SELECT n * 2';";
const SCHEMAS: &str = "
    CREATE SCHEMA \"reports & Co\";
    CREATE TYPE \"reports & Co\".colour AS ENUM ('red', 'green');
    CREATE DOMAIN \"reports & Co\".word AS text;
    CREATE TABLE \"reports & Co\".\"Week's\" (c \"reports & Co\".colour, w \"reports & Co\".word) PARTITION BY LIST (c);
    CREATE TABLE \"reports & Co\".red PARTITION OF \"reports & Co\".\"Week's\" FOR VALUES IN ('red');
    CREATE SEQUENCE \"reports & Co\".counter;
    CREATE MATERIALIZED VIEW \"reports & Co\".summary AS SELECT count(*) FROM \"reports & Co\".\"Week's\";
    CREATE PROCEDURE \"reports & Co\".refresh() LANGUAGE sql AS 'SELECT 1';
    SELECT lo_create(0);";
const DEFAULTS: &str = "
    ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO reader;
    ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO reader;";
const RLS: &str = "
    CREATE TABLE secrets (id int, owner text DEFAULT current_user);
    INSERT INTO secrets VALUES (1), (2);
    ALTER TABLE secrets ENABLE ROW LEVEL SECURITY;
    ALTER TABLE secrets FORCE ROW LEVEL SECURITY;
    CREATE POLICY mine ON secrets TO CURRENT_USER USING (owner = current_user AND id < 2);";

async fn populate(extra: &[&str], stage: &Stage) {
    stage.superuser("CREATE ROLE reader NOLOGIN").await;
    stage.run(Who::Old, PLAIN).await;
    for sql in extra {
        stage.run(Who::Old, sql).await;
    }
}

/// Who logs in: the old user, and the new one.
async fn logins(stage: &Stage) -> (bool, bool) {
    (stage.logs_in(Who::Old).await, stage.logs_in(Who::New).await)
}

/// There, proved, finalized, and back.
async fn once(stage: &Stage, way: Way) {
    stage.carry_out(Purpose::ToIam).await.unwrap();
    prove(stage).await;
    assert_eq!(logins(stage).await, (true, true), "both during the move");
    let left = stage.plan(Purpose::ToIam).await.steps;
    assert_eq!(left, [], "a second run has nothing to do");
    stage.carry_out(Purpose::ToIam).await.unwrap();
    stage.carry_out(Purpose::Finalize).await.unwrap();
    let master_stays = way == Way::OwnerRole;
    assert_eq!(logins(stage).await, (master_stays, true));
    let back = Purpose::RollBack(Extent::Logins);
    stage.carry_out(back).await.unwrap();
    assert_eq!(logins(stage).await, (true, false));
    let write = "INSERT INTO server_machine (serial) VALUES (random()::text)";
    stage.run(Who::Old, write).await;
}

/// The whole way, twice, with everything the issue of moving can go wrong at.
async fn there_and_back(stage: &Stage, way: Way) {
    let plan = stage.plan(Purpose::ToIam).await;
    assert_eq!(plan.refusals, [], "{plan:#?}");
    assert_eq!(plan.way, way);
    assert_eq!(plan.steps.last().unwrap().id, "grant-rds-iam");
    assert!(!stage.logs_in(Who::New).await);
    for _turn in 0..2 {
        once(stage, way).await;
    }
    stage
        .carry_out(Purpose::RollBack(Extent::Everything))
        .await
        .unwrap();
    assert!(stage.logs_in(Who::Old).await);
    let owner = stage
        .value(
            Who::Old,
            "SELECT tableowner::text FROM pg_tables WHERE tablename = 'server_machine'",
        )
        .await;
    assert_eq!(owner, stage.wish.old_user, "everything is as it was");
}

async fn prove(stage: &Stage) {
    let proof = verify(&stage.logins, &stage.wish).await;
    assert_eq!(proof.differences, []);
    for check in &proof.checks {
        assert_eq!(check.status, Status::Ok, "{check:#?}");
    }
    // What the new user makes belongs to the role that it works as, and the old one can use it.
    stage
        .run(
            Who::New,
            "CREATE TABLE made_by_new (x int); INSERT INTO made_by_new VALUES (1)",
        )
        .await;
    stage
        .run(
            Who::Old,
            "INSERT INTO made_by_new VALUES (2); DROP TABLE made_by_new",
        )
        .await;
    let session = stage.value(Who::New, "SELECT session_user::text").await;
    assert_eq!(session, NEW);
    stage.run(Who::New, "ALTER TABLE server_machine ADD COLUMN extra text; ALTER TABLE server_machine DROP COLUMN extra").await;
}

macro_rules! matrix {
    ($($name:ident: $owner:expr, $extra:expr;)*) => {
        $(
            mod $name {
                use super::*;

                async fn run(version: &str) {
                    let stage = Stage::set(version, $owner).await;
                    populate($extra, &stage).await;
                    let way = if $owner == Owner::Master { Way::OwnerRole } else { Way::Member };
                    there_and_back(&stage, way).await;
                }

                #[tokio::test]
                async fn on_15_5() {
                    run(VERSIONS[0]).await;
                }

                #[tokio::test]
                async fn on_16() {
                    run(VERSIONS[1]).await;
                }

                #[tokio::test]
                async fn on_17() {
                    run(VERSIONS[2]).await;
                }

                #[tokio::test]
                async fn on_18() {
                    run(VERSIONS[3]).await;
                }
            }
        )*
    };
}

matrix! {
    old_user_is_the_owner: Owner::Plain, &[];
    old_user_is_the_master: Owner::Master, &[SCHEMAS, DEFAULTS];
    objects_in_several_schemas: Owner::Plain, &[SCHEMAS];
    default_privileges: Owner::Plain, &[DEFAULTS];
    row_level_security: Owner::Plain, &[RLS];
}

mod limits_and_settings {
    use super::*;

    async fn run(version: &str) {
        let stage = Stage::set(version, Owner::Plain).await;
        populate(&[], &stage).await;
        stage
            .superuser(
                "ALTER ROLE sal CONNECTION LIMIT 23; ALTER ROLE sal SET work_mem = '9MB'; \
                 ALTER ROLE sal IN DATABASE sal SET search_path = \"$user\", public; \
                 ALTER ROLE sal SET application_name = 'it''s \\ here'; ALTER ROLE sal IN DATABASE sal SET \"TimeZone\" = 'Europe/London'",
            )
            .await;
        there_and_back(&stage, Way::Member).await;
        stage.carry_out(Purpose::ToIam).await.unwrap();
        let copied = "SELECT array_to_string(setconfig, ';') FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole WHERE rolname = 'salawsiam' AND setdatabase = 0";
        assert!(
            stage
                .value(Who::Admin, copied)
                .await
                .contains("application_name=it's \\ here")
        );
        for (setting, value) in [
            ("work_mem", "9MB"),
            ("TimeZone", "Europe/London"),
            ("search_path", "\"$user\", public"),
        ] {
            let sql = format!("SELECT current_setting('{setting}')");
            assert_eq!(stage.value(Who::New, &sql).await, value);
        }
        let limit = "SELECT rolconnlimit::text FROM pg_roles WHERE rolname = 'salawsiam'";
        assert_eq!(stage.value(Who::Admin, limit).await, "23");
    }

    #[tokio::test]
    async fn on_15_5() {
        run(VERSIONS[0]).await;
    }

    #[tokio::test]
    async fn on_16() {
        run(VERSIONS[1]).await;
    }

    #[tokio::test]
    async fn on_17() {
        run(VERSIONS[2]).await;
    }

    #[tokio::test]
    async fn on_18() {
        run(VERSIONS[3]).await;
    }
}

#[tokio::test]
async fn rows_hidden_from_the_old_user_stay_hidden_from_the_new_one() {
    let stage = Stage::set("15.5", Owner::Plain).await;
    populate(&[RLS], &stage).await;
    stage.carry_out(Purpose::ToIam).await.unwrap();
    for who in [Who::Old, Who::New] {
        assert_eq!(
            stage.value(who, "SELECT count(*)::text FROM secrets").await,
            "1"
        );
    }
}

#[tokio::test]
async fn several_databases_move_together() {
    for version in ["15.5", "18.4"] {
        let mut stage = Stage::set(version, Owner::Plain).await;
        populate(&[], &stage).await;
        stage.lab.create_database("sal_two", "sal").await.unwrap();
        let found = stage.plan(Purpose::ToIam).await;
        assert!(
            found
                .warnings
                .iter()
                .all(|warning| warning.code != "further_databases"),
            "an empty database is none of ours"
        );
        let second = stage.open_in("sal_two", Who::Old).await;
        second
            .client
            .batch_execute("CREATE TABLE t (x int)")
            .await
            .unwrap();
        second.end().await;
        let found = stage.plan(Purpose::ToIam).await;
        assert!(
            found
                .warnings
                .iter()
                .any(|warning| warning.code == "further_databases"
                    && warning.what.contains("sal_two"))
        );
        stage.wish.databases.push("sal_two".to_owned());
        stage.carry_out(Purpose::ToIam).await.unwrap();
        let proof = verify(&stage.logins, &stage.wish).await;
        assert!(
            proof.checks.iter().all(|check| check.status == Status::Ok),
            "{:#?}",
            proof.checks
        );
        let session = stage.open_in("sal_two", Who::New).await;
        session
            .client
            .batch_execute("ALTER TABLE t ADD COLUMN y int")
            .await
            .unwrap();
        let row = session
            .client
            .query_one("SELECT current_user::text", &[])
            .await
            .unwrap();
        assert_eq!(row.get::<_, String>(0), "sal");
    }
}
