//! A database whose owner has planted what a more powerful session would run: nothing of it runs, and nobody gets a right.

use iam_cutover::{
    check::Status,
    logins::Who,
    plan::{Extent, Purpose},
    report,
    status::status,
    verify::verify,
};

use crate::stage::{NEW, Owner, Stage};

/// Better fitting functions and operators.
pub(crate) const KIT: &str = include_str!("hostile.sql");
/// The names of `pg_catalog` itself, with the search path turned round.
const TURNED: &str = include_str!("hostile_path.sql");

/// The servers on which all of it is tried.
const SERVERS: [&str; 2] = ["15.5", "18.4"];

impl Stage {
    /// How often something planted ran with the rights of somebody else than the application.
    pub(crate) async fn strikes(&self) -> String {
        self.as_superuser(
            "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM public.strikes",
        )
        .await
    }

    /// What the application's user may that it should not.
    async fn gained(&self) -> String {
        self.as_superuser(
            "SELECT pg_catalog.concat_ws(' ', CASE WHEN pg_catalog.pg_has_role('sal', 'rds_superuser', 'MEMBER') THEN 'rds_superuser' END,
                 CASE WHEN rolcreaterole THEN 'CREATEROLE' END, CASE WHEN rolcreatedb THEN 'CREATEDB' END)
             FROM pg_catalog.pg_roles WHERE rolname OPERATOR(pg_catalog.=) 'sal'::pg_catalog.name",
        )
        .await
    }

    async fn unharmed(&self, after: &str) {
        assert_eq!(
            (self.strikes().await.as_str(), self.gained().await.as_str()),
            ("0", ""),
            "after {after}"
        );
    }
}

async fn planted(version: &str, more: &str) -> Stage {
    let stage = Stage::set(version, Owner::Plain).await;
    stage
        .run(
            Who::Old,
            "CREATE TABLE server_machine (id int); CREATE TABLE \"Strange Table\" (id int)",
        )
        .await;
    stage.run(Who::Old, KIT).await;
    stage.run(Who::Old, more).await;
    // What the administrator's own rights are for, and what the attack is after.
    stage
        .superuser("GRANT rds_superuser TO postgres WITH ADMIN OPTION; GRANT sal TO postgres WITH ADMIN OPTION")
        .await;
    stage
}

/// plan, apply, verify, status, finalize, rollback: the whole move, looked at after each command.
async fn whole_move(stage: &Stage) {
    let plan = stage.plan(Purpose::ToIam).await;
    stage.unharmed("plan").await;
    assert_eq!(plan.refusals, [], "{}", report::plan_text(&plan));
    for (purpose, command) in [
        (Purpose::ToIam, "apply"),
        (Purpose::Finalize, "finalize"),
        (Purpose::RollBack(Extent::Everything), "rollback"),
    ] {
        stage.carry_out(purpose).await.unwrap();
        stage.unharmed(command).await;
        looked_at(stage, command).await;
    }
}

/// What only looks, after a command that changed something.
async fn looked_at(stage: &Stage, command: &str) {
    let proof = verify(&stage.logins, &stage.wish).await;
    stage.unharmed("verify").await;
    let good = proof.checks.iter().all(|check| check.status == Status::Ok);
    assert!(good || command == "rollback", "{:#?}", proof.checks);
    let session = stage.logins.open(Who::Admin, "sal").await.unwrap();
    let stands = status(&stage.wish, &session.client).await.unwrap();
    session.end().await;
    stage.unharmed("status").await;
    assert_eq!(stands.journal_intact, Some(true), "{stands:?}");
}

#[tokio::test]
async fn functions_and_operators_that_fit_better_are_not_run() {
    for version in SERVERS {
        let stage = planted(version, "").await;
        whole_move(&stage).await;
    }
}

#[tokio::test]
async fn views_functions_operators_and_domains_before_pg_catalog_are_not_run() {
    for version in SERVERS {
        let stage = planted(version, TURNED).await;
        whole_move(&stage).await;
    }
}

/// What may stand where the journal is made, and with which words it is refused.
const PREPARED: &[(&str, &str)] = &[
    (
        "CREATE TABLE public.salrs_iam_journal (seq bigint PRIMARY KEY, written timestamptz NOT NULL DEFAULT now(), command text NOT NULL,
             step text NOT NULL, phase text NOT NULL, entry text NOT NULL);
         CREATE FUNCTION public.fires() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM public.strike('trigger'); RETURN NEW; END $$;
         CREATE TRIGGER fires BEFORE INSERT ON public.salrs_iam_journal FOR EACH ROW EXECUTE FUNCTION public.fires();
         GRANT SELECT, INSERT ON public.salrs_iam_journal TO PUBLIC",
        "it has the trigger `fires`",
    ),
    (
        "CREATE VIEW public.salrs_iam_journal AS SELECT public.strike('view')::text AS entry, 1::bigint AS seq;
         GRANT SELECT, INSERT ON public.salrs_iam_journal TO PUBLIC",
        "it is a view",
    ),
    (
        "CREATE TABLE public.salrs_iam_journal (seq bigint PRIMARY KEY, written timestamptz NOT NULL DEFAULT now(), command text NOT NULL,
             step text NOT NULL, phase text NOT NULL, entry text NOT NULL);
         CREATE RULE fires AS ON INSERT TO public.salrs_iam_journal DO ALSO SELECT public.strike('rule');
         GRANT SELECT, INSERT ON public.salrs_iam_journal TO PUBLIC",
        "it has the rule `fires`",
    ),
    (
        "CREATE TABLE public.salrs_iam_journal (seq bigint PRIMARY KEY, written timestamptz NOT NULL DEFAULT now(), command text NOT NULL,
             step text NOT NULL, phase text NOT NULL, entry text NOT NULL, struck boolean DEFAULT public.strike('default'));
         GRANT SELECT, INSERT ON public.salrs_iam_journal TO PUBLIC",
        "its column `struck` has a default of its own",
    ),
    (
        "CREATE TABLE public.salrs_iam_journal (seq bigint PRIMARY KEY, written timestamptz NOT NULL DEFAULT now(), command text NOT NULL,
             step text NOT NULL, phase text NOT NULL, entry text NOT NULL CHECK (public.strike('check')));
         GRANT SELECT, INSERT ON public.salrs_iam_journal TO PUBLIC",
        "it has the constraint `salrs_iam_journal_check`",
    ),
    (
        "CREATE TABLE public.salrs_iam_journal (seq bigint PRIMARY KEY, written timestamptz NOT NULL DEFAULT now(), command text NOT NULL,
             step text NOT NULL, phase text NOT NULL, entry text NOT NULL);
         ALTER TABLE public.salrs_iam_journal ENABLE ROW LEVEL SECURITY;
         CREATE POLICY fires ON public.salrs_iam_journal USING (public.strike('policy'));
         GRANT SELECT, INSERT ON public.salrs_iam_journal TO PUBLIC",
        "it has row level security",
    ),
    (
        "CREATE FUNCTION public.steady(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM public.strike('index'); RETURN $1; END $$;
         CREATE TABLE public.salrs_iam_journal (seq bigint PRIMARY KEY, written timestamptz NOT NULL DEFAULT now(), command text NOT NULL,
             step text NOT NULL, phase text NOT NULL, entry text NOT NULL);
         CREATE INDEX fires ON public.salrs_iam_journal (public.steady(step));
         GRANT SELECT, INSERT ON public.salrs_iam_journal TO PUBLIC",
        "it has the index `fires`",
    ),
    (
        "CREATE TABLE public.salrs_iam_journal (seq bigint, written timestamptz, command text, step text, phase text, entry text)
             PARTITION BY RANGE (seq);
         GRANT SELECT, INSERT ON public.salrs_iam_journal TO PUBLIC",
        "it is a partitioned table",
    ),
    (
        "CREATE DOMAIN public.line AS text CHECK (public.strike('domain'));
         CREATE TABLE public.salrs_iam_journal (seq bigint PRIMARY KEY, written timestamptz NOT NULL DEFAULT now(), command text NOT NULL,
             step text NOT NULL, phase text NOT NULL, entry public.line NOT NULL);
         GRANT SELECT, INSERT ON public.salrs_iam_journal TO PUBLIC",
        "its columns are not those of a journal",
    ),
    (
        "CREATE TABLE public.parent (seq bigint PRIMARY KEY, written timestamptz NOT NULL DEFAULT now(), command text NOT NULL,
             step text NOT NULL, phase text NOT NULL, entry text NOT NULL);
         CREATE TABLE public.salrs_iam_journal () INHERITS (public.parent);
         GRANT SELECT, INSERT ON public.salrs_iam_journal TO PUBLIC",
        "it is part of another table",
    ),
    (
        "CREATE TABLE public.salrs_iam_journal (seq bigint PRIMARY KEY, written timestamptz NOT NULL DEFAULT now(), command text NOT NULL,
             step text NOT NULL, phase text NOT NULL, entry text NOT NULL);
         GRANT SELECT, INSERT ON public.salrs_iam_journal TO PUBLIC",
        "it belongs to `sal`, not to `postgres`",
    ),
    (
        "CREATE SCHEMA salrs_iam; GRANT ALL ON SCHEMA salrs_iam TO PUBLIC",
        "the schema belongs to `sal`, not to `postgres`",
    ),
    (
        "CREATE SCHEMA salrs_iam; GRANT ALL ON SCHEMA salrs_iam TO PUBLIC;
         CREATE VIEW salrs_iam.salrs_iam_journal AS SELECT public.strike('view')::text AS entry, 1::bigint AS seq;
         GRANT SELECT ON salrs_iam.salrs_iam_journal TO PUBLIC",
        "it is a view",
    ),
];

#[tokio::test]
async fn a_prepared_journal_is_refused_and_nothing_in_it_runs() {
    for version in SERVERS {
        let stage = planted(version, "").await;
        for (prepared, words) in PREPARED {
            stage.run(Who::Old, prepared).await;
            let error = stage
                .prepared(Purpose::ToIam)
                .await
                .err()
                .unwrap()
                .to_string();
            assert!(
                error.contains(words) && error.contains("As `sal`: "),
                "{prepared}: {error}"
            );
            let session = stage.logins.open(Who::Admin, "sal").await.unwrap();
            let stands = status(&stage.wish, &session.client).await.unwrap();
            session.end().await;
            assert_eq!(stands.journal_lines, None, "{prepared}: {stands:?}");
            stage.unharmed(prepared).await;
            // What the error says to do takes it out of the way.
            let next = error
                .split_once("As `sal`: ")
                .unwrap()
                .1
                .split_once(" (or ")
                .unwrap()
                .0;
            stage.run(Who::Old, next).await;
            stage
                .run(Who::Old, "DROP TABLE IF EXISTS public.parent CASCADE; DROP SCHEMA IF EXISTS salrs_iam_kept CASCADE;
                     DO $$ DECLARE r record; BEGIN FOR r IN SELECT c.oid::regclass AS name, c.relkind FROM pg_class c WHERE relname = 'salrs_iam_journal_kept' LOOP
                         EXECUTE pg_catalog.format('DROP %s %s CASCADE', CASE r.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, r.name); END LOOP;
                     END $$;
                     DROP SCHEMA IF EXISTS salrs_iam; DROP DOMAIN IF EXISTS public.line; DROP FUNCTION IF EXISTS public.steady(text);
                     DROP FUNCTION IF EXISTS public.fires()")
                .await;
        }
        stage.carry_out(Purpose::ToIam).await.unwrap();
        stage.unharmed("apply").await;
    }
}

/// A journal of the administrator's to which somebody was let, by default privileges or by hand.
#[tokio::test]
async fn nobody_else_may_put_anything_on_the_journal() {
    for version in SERVERS {
        let stage = planted(version, "CREATE FUNCTION public.fires() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM public.strike('trigger'); RETURN NEW; END $$").await;
        stage
            .run(Who::Admin, "ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO sal; ALTER DEFAULT PRIVILEGES GRANT ALL ON SCHEMAS TO sal")
            .await;
        stage.carry_out(Purpose::ToIam).await.unwrap();
        let session = stage.open(Who::Old).await;
        for attempt in [
            "CREATE TRIGGER fires BEFORE INSERT ON salrs_iam.salrs_iam_journal FOR EACH ROW EXECUTE FUNCTION public.fires()",
            "CREATE TABLE salrs_iam.other (x int)",
            "INSERT INTO salrs_iam.salrs_iam_journal VALUES (99, now(), '', '', '', '')",
            "DELETE FROM salrs_iam.salrs_iam_journal",
            "ALTER SCHEMA salrs_iam RENAME TO mine",
            "DROP TABLE salrs_iam.salrs_iam_journal",
        ] {
            assert!(
                session.client.batch_execute(attempt).await.is_err(),
                "{attempt}"
            );
        }
        // A dump by the owner of the database reads every table, this one too.
        let count = "SELECT count(*) > 0 FROM salrs_iam.salrs_iam_journal";
        assert!(
            session
                .client
                .query_one(count, &[])
                .await
                .unwrap()
                .get::<_, bool>(0)
        );
        session.end().await;
        // With a right that was given by hand, a trigger is there: it is named, and does not run.
        stage.run(Who::Admin, "GRANT TRIGGER ON salrs_iam.salrs_iam_journal TO sal; GRANT USAGE ON SCHEMA salrs_iam TO sal").await;
        stage.run(Who::Old, "CREATE TRIGGER fires BEFORE INSERT ON salrs_iam.salrs_iam_journal FOR EACH ROW EXECUTE FUNCTION public.fires()").await;
        let error = stage
            .prepared(Purpose::ToIam)
            .await
            .err()
            .unwrap()
            .to_string();
        assert!(error.contains("it has the trigger `fires`"), "{error}");
        stage.unharmed("a trigger by hand").await;
    }
}

/// What an earlier version made as the administrator goes on, in the administrator's schema.
#[tokio::test]
async fn an_administrators_journal_in_public_moves() {
    for version in SERVERS {
        let stage = planted(version, "").await;
        stage.carry_out(Purpose::ToIam).await.unwrap();
        let lines = stage.journal().len();
        stage
            .superuser(
                "ALTER TABLE salrs_iam.salrs_iam_journal SET SCHEMA public; DROP SCHEMA salrs_iam",
            )
            .await;
        std::fs::remove_file(stage.folder.path().join("journal")).unwrap();
        stage
            .carry_out(Purpose::RollBack(Extent::Logins))
            .await
            .unwrap();
        assert!(
            stage.journal().len() > lines,
            "the file has the lines of the table again"
        );
        let place = "SELECT relnamespace::pg_catalog.regnamespace::pg_catalog.text FROM pg_catalog.pg_class WHERE relname = 'salrs_iam_journal'";
        assert_eq!(stage.as_superuser(place).await, "salrs_iam");
        stage.unharmed("rollback").await;
    }
}

#[tokio::test]
async fn an_event_trigger_whose_function_is_somebody_elses_stops_the_run() {
    for version in SERVERS {
        let stage = planted(version, "CREATE FUNCTION public.fires() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM public.strike('event'); END $$").await;
        stage.superuser("CREATE EVENT TRIGGER \"of sal\" ON ddl_command_end EXECUTE FUNCTION public.fires()").await;
        let before = stage.strikes().await;
        let plan = stage.plan(Purpose::ToIam).await;
        assert_eq!(plan.refusals.len(), 1, "{plan:#?}");
        assert_eq!(plan.refusals[0].code, "event_trigger_of_others");
        assert!(
            plan.refusals[0]
                .next
                .contains("ALTER EVENT TRIGGER \"of sal\" DISABLE"),
            "{plan:#?}"
        );
        assert!(stage.carry_out(Purpose::ToIam).await.is_err());
        assert_eq!(stage.strikes().await, before, "not even a journal was made");
        stage
            .superuser("ALTER FUNCTION public.fires() OWNER TO rdsadmin")
            .await;
        let plan = stage.plan(Purpose::ToIam).await;
        assert_eq!(plan.refusals, []);
        assert!(
            plan.warnings
                .iter()
                .any(|warning| warning.code == "event_triggers"),
            "{plan:#?}"
        );
    }
}

/// After the switch the environment names only the new user, which may set its own `role` to any name: nothing is done
/// for the role of that name.
#[tokio::test]
async fn the_new_user_cannot_name_somebody_else_as_the_old_one() {
    for version in SERVERS {
        let stage = Stage::set(version, Owner::Plain).await;
        stage
            .superuser("CREATE ROLE victim LOGIN; CREATE ROLE salawsiam LOGIN; GRANT rds_iam, sal TO salawsiam")
            .await;
        let admin = stage.logins.open(Who::Admin, "sal").await.unwrap();
        let named = async || {
            let found = iam_cutover::status::old_user_of(NEW, &admin.client).await;
            found.unwrap()
        };
        for forged in [
            "victim",
            "postgres",
            "rds_iam",
            "pg_monitor",
            "rds_superuser",
        ] {
            let session = stage.open(Who::New).await;
            let set = format!("ALTER ROLE salawsiam IN DATABASE sal SET role = '{forged}'");
            // Postgres refuses some by itself.
            let _set = session.client.batch_execute(&set).await;
            session.end().await;
            assert_eq!(named().await, None, "{forged}");
            stage
                .superuser("ALTER ROLE salawsiam IN DATABASE sal RESET role")
                .await;
        }
        stage
            .superuser("ALTER ROLE salawsiam IN DATABASE sal SET role = 'sal'")
            .await;
        assert_eq!(named().await.as_deref(), Some("sal"));
        stage
            .superuser("COMMENT ON ROLE salawsiam IS 'IAM login for sal'; ALTER ROLE salawsiam IN DATABASE sal SET role = 'victim'")
            .await;
        assert_eq!(
            named().await.as_deref(),
            Some("sal"),
            "the comment is not the user's own"
        );
        admin.end().await;
    }
}
