//! The master user as `DB_USER`: everything that it owns or was granted, of every kind, moves, is named, or stops the move.

use iam_cutover::{
    LostGrants,
    check::Status,
    logins::Who,
    plan::{Extent, Purpose},
    verify::verify,
};

use crate::stage::{Owner, Stage};

/// Every kind that can be given to another role, in names that need quotes.
const EVERY_KIND: &str = r#"
    CREATE SCHEMA "its own";
    CREATE TABLE "its own"."T" (x int, y int);
    CREATE TABLE plain (x int, y int);
    CREATE STATISTICS st ON x, y FROM plain;
    CREATE COLLATION "Co" FROM "C";
    CREATE TEXT SEARCH CONFIGURATION tsc (COPY = simple);
    CREATE TEXT SEARCH DICTIONARY tsd (TEMPLATE = simple);
    CREATE CONVERSION conv FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
    CREATE FUNCTION same(int, int) RETURNS bool LANGUAGE sql AS 'SELECT $1 = $2';
    CREATE FUNCTION outs(IN a int, OUT b int, VARIADIC c text[]) LANGUAGE sql AS 'SELECT 1';
    CREATE PROCEDURE proc(INOUT a int) LANGUAGE sql AS 'SELECT 1';
    CREATE AGGREGATE total(*) (SFUNC = int8inc, STYPE = int8, INITCOND = '0');
    CREATE AGGREGATE most(int) (SFUNC = int4larger, STYPE = int);
    CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = same);
    CREATE TYPE span AS RANGE (subtype = int);
    CREATE TYPE pair AS (a int, b int);
    CREATE DOMAIN word AS text;
    CREATE PUBLICATION pub FOR TABLE plain;
    SELECT lo_create(4711);
"#;

async fn left(stage: &Stage) -> String {
    let owned = "SELECT COALESCE(string_agg((pg_catalog.pg_identify_object(classid, objid, 0)).identity, '; '), '')
        FROM pg_shdepend s JOIN pg_roles r ON r.oid = s.refobjid JOIN pg_database d ON d.oid = s.dbid
        WHERE r.rolname = 'postgres' AND s.deptype = 'o' AND d.datname = current_database()
          AND COALESCE((pg_catalog.pg_identify_object(classid, objid, 0)).identity, '') NOT LIKE '%salrs\\_iam%'
          AND (pg_catalog.pg_identify_object(classid, objid, 0)).identity NOT LIKE '%multirange'";
    stage.as_superuser(owned).await
}

#[tokio::test]
async fn every_kind_of_object_moves_and_comes_back() {
    for version in ["15.5", "18.4"] {
        let stage = Stage::set(version, Owner::Master).await;
        stage.run(Who::Old, EVERY_KIND).await;
        stage.carry_out(Purpose::ToIam).await.unwrap();
        assert_eq!(left(&stage).await, "", "{version}");
        let proof = verify(&stage.logins, &stage.wish).await;
        assert_eq!(proof.differences, []);
        stage
            .run(Who::New, "ALTER STATISTICS st RENAME TO st2; ALTER TABLE \"its own\".\"T\" ADD COLUMN z int; DROP OPERATOR === (int, int)")
            .await;
        stage
            .carry_out(Purpose::RollBack(Extent::Everything))
            .await
            .unwrap();
        stage
            .run(
                Who::Old,
                "DROP STATISTICS st2; DROP SCHEMA \"its own\" CASCADE; DROP PUBLICATION pub",
            )
            .await;
    }
}

#[tokio::test]
async fn rights_that_others_gave_to_the_master_user_are_kept_or_stop_the_move() {
    for version in ["15.5", "18.4"] {
        let mut stage = Stage::set(version, Owner::Master).await;
        stage.run(Who::Old, "CREATE TABLE plain (x int)").await;
        stage
            .superuser(
                "CREATE SCHEMA theirs; CREATE TABLE theirs.facts (x int, y int); CREATE SEQUENCE theirs.numbers; \
                 CREATE FUNCTION theirs.f() RETURNS int LANGUAGE sql AS 'SELECT 7'; REVOKE ALL ON FUNCTION theirs.f() FROM PUBLIC; \
                 CREATE TYPE theirs.kind AS ENUM ('a'); REVOKE ALL ON TYPE theirs.kind FROM PUBLIC; CREATE ROLE team; \
                 GRANT SELECT ON theirs.facts TO team; \
                 GRANT USAGE ON SCHEMA theirs TO postgres WITH GRANT OPTION; GRANT USAGE ON TYPE theirs.kind TO postgres WITH GRANT OPTION; \
                 GRANT EXECUTE ON FUNCTION theirs.f() TO postgres WITH GRANT OPTION; GRANT UPDATE (y) ON theirs.facts TO postgres WITH GRANT OPTION; \
                 GRANT team TO postgres WITH ADMIN OPTION; GRANT USAGE ON SEQUENCE theirs.numbers TO postgres",
            )
            .await;
        let plan = stage.plan(Purpose::ToIam).await;
        let refusal = &plan.refusals[0];
        assert_eq!(refusal.code, "grants_not_passed_on", "{plan:#?}");
        assert!(
            refusal
                .what
                .contains("USAGE ON SEQUENCE theirs.numbers of `rdsadmin`"),
            "{refusal:?}"
        );
        let helps = "GRANT USAGE ON SEQUENCE theirs.numbers TO \"postgres\" WITH GRANT OPTION";
        assert!(refusal.next.contains(helps), "{refusal:?}");
        stage.superuser(helps).await;
        stage.carry_out(Purpose::ToIam).await.unwrap();
        let uses = "SELECT theirs.f() + nextval('theirs.numbers') + (SELECT count(*) FROM theirs.facts) + (SELECT count(*) FROM plain)";
        for who in [Who::Old, Who::New] {
            stage.run(who, uses).await;
            stage
                .run(
                    who,
                    "UPDATE theirs.facts SET y = 1; SELECT 'a'::theirs.kind",
                )
                .await;
        }
        assert_eq!(verify(&stage.logins, &stage.wish).await.differences, []);
        // What is granted to the master user after the move does not reach the deployment, and is not passed over.
        stage
            .superuser("GRANT DELETE ON theirs.facts TO postgres")
            .await;
        let found = verify(&stage.logins, &stage.wish).await.differences;
        assert_eq!(
            (found[0].kind.as_str(), found[0].privilege.as_str()),
            ("grant", "DELETE")
        );
        stage.wish.lost_grants = LostGrants::Accept;
        assert_eq!(verify(&stage.logins, &stage.wish).await.differences, []);
        assert!(
            stage
                .plan(Purpose::ToIam)
                .await
                .warnings
                .iter()
                .any(|warning| warning.code == "grants_not_passed_on")
        );
    }
}

/// What cannot be given away is named, before and after, and what is made later by the master user is a difference.
#[tokio::test]
async fn what_stays_is_named_and_what_comes_later_is_seen() {
    let stage = Stage::set("15.5", Owner::Master).await;
    stage.run(Who::Old, "CREATE TABLE plain (x int)").await;
    stage
        .superuser("CREATE PUBLICATION everything FOR ALL TABLES; ALTER ROLE postgres SUPERUSER; ALTER PUBLICATION everything OWNER TO postgres; ALTER ROLE postgres NOSUPERUSER; \
                    CREATE SCHEMA closed; CREATE TABLE closed.t (x int); ALTER TABLE closed.t OWNER TO postgres")
        .await;
    let plan = stage.plan(Purpose::ToIam).await;
    let stays = plan
        .warnings
        .iter()
        .find(|warning| warning.code == "objects_stay")
        .unwrap();
    for named in [
        "PUBLICATION everything in sal (a publication of all tables",
        "TABLE closed.t in sal (its schema belongs to rdsadmin",
    ] {
        assert!(stays.what.contains(named), "{stays:?}");
    }
    stage.carry_out(Purpose::ToIam).await.unwrap();
    let proof = verify(&stage.logins, &stage.wish).await;
    assert_eq!(proof.differences, []);
    let check = proof
        .checks
        .iter()
        .find(|check| check.id == "stays")
        .unwrap();
    assert_eq!(check.status, Status::Attention);
    stage
        .superuser("CREATE TABLE late (x int); ALTER TABLE late OWNER TO postgres")
        .await;
    let found = verify(&stage.logins, &stage.wish).await.differences;
    assert_eq!(found[0].object, "TABLE public.late");
    stage.carry_out(Purpose::ToIam).await.unwrap();
    assert_eq!(verify(&stage.logins, &stage.wish).await.differences, []);
}

/// As many objects as a large installation with partitions has.
#[tokio::test]
async fn a_large_schema_moves_and_comes_back() {
    let stage = Stage::set("15.5", Owner::Master).await;
    stage
        .run(
            Who::Old,
            "CREATE TABLE big (id int, day int) PARTITION BY LIST (day);
             DO $$ BEGIN FOR n IN 1..600 LOOP
                EXECUTE format('CREATE TABLE big_%s PARTITION OF big FOR VALUES IN (%s)', n, n);
                EXECUTE format('CREATE FUNCTION f_%s() RETURNS int LANGUAGE sql AS ''SELECT 1''', n);
                EXECUTE format('CREATE VIEW v_%s AS SELECT * FROM big_%s', n, n);
             END LOOP; END $$",
        )
        .await;
    stage.carry_out(Purpose::ToIam).await.unwrap();
    assert_eq!(left(&stage).await, "");
    assert_eq!(verify(&stage.logins, &stage.wish).await.differences, []);
    stage
        .carry_out(Purpose::RollBack(Extent::Everything))
        .await
        .unwrap();
    stage
        .run(Who::Old, "DROP VIEW v_1; INSERT INTO big VALUES (1, 1)")
        .await;
}

/// Policies for the master user hold for the deployment at every moment, and as before after going back.
#[tokio::test]
async fn row_level_security_holds_through_the_move_and_back() {
    for version in ["15.5", "18.4"] {
        let stage = Stage::set(version, Owner::Master).await;
        stage
            .run(
                Who::Old,
                "CREATE TABLE rt (a int); INSERT INTO rt VALUES (1); CREATE ROLE reader;
                 ALTER TABLE rt ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
                 CREATE POLICY \"p 1\" ON rt TO postgres, reader USING (true) WITH CHECK (true)",
            )
            .await;
        stage.carry_out(Purpose::ToIam).await.unwrap();
        for who in [Who::Old, Who::New] {
            assert_eq!(stage.value(who, "SELECT count(*)::text FROM rt").await, "1");
        }
        assert_eq!(verify(&stage.logins, &stage.wish).await.differences, []);
        stage
            .superuser("CREATE POLICY late ON rt TO postgres USING (a > 5)")
            .await;
        let found = verify(&stage.logins, &stage.wish).await.differences;
        assert_eq!(found[0].kind, "policy");
        stage.carry_out(Purpose::ToIam).await.unwrap();
        assert_eq!(verify(&stage.logins, &stage.wish).await.differences, []);
        stage
            .carry_out(Purpose::RollBack(Extent::Everything))
            .await
            .unwrap();
        let rows = stage.value(Who::Old, "SELECT count(*)::text FROM rt").await;
        assert_eq!(rows, "1");
    }
}

/// A privilege on a sequence of somebody else: DROP OWNED refuses to take it, with or without the right to.
#[tokio::test]
async fn going_back_takes_every_grant_that_was_passed_on() {
    for version in ["15.5", "18.4"] {
        let stage = Stage::set(version, Owner::Master).await;
        stage.run(Who::Old, "CREATE TABLE plain (x int)").await;
        stage
            .superuser(
                "CREATE ROLE other; CREATE SCHEMA os AUTHORIZATION other; CREATE SEQUENCE os.s; ALTER SEQUENCE os.s OWNER TO other; SET ROLE other;
                 GRANT USAGE ON SCHEMA os TO postgres WITH GRANT OPTION; GRANT USAGE ON SEQUENCE os.s TO postgres WITH GRANT OPTION",
            )
            .await;
        stage.carry_out(Purpose::ToIam).await.unwrap();
        stage.run(Who::New, "SELECT nextval('os.s')").await;
        stage
            .carry_out(Purpose::RollBack(Extent::Everything))
            .await
            .unwrap();
        stage
            .run(
                Who::Old,
                "SELECT nextval('os.s'); INSERT INTO plain VALUES (1)",
            )
            .await;
    }
}
