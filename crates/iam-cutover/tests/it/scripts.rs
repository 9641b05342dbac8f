//! The plan as a script, run by real psql: names that try to get out of a comment, a quote, a block or an order stay names.

use std::path::{Path, PathBuf};

use iam_cutover::{Wish, plan::Purpose, report};

use crate::stage::{Owner, PASSWORD, Stage};

/// Users and databases, each trying another door. `touch` leaves a file in the folder where psql runs.
const NAMES: &[(&str, &str, &[&str])] = &[
    (
        "sal\n\\! touch comment\n",
        "new\r\n\\! touch carriage\r\n",
        &["one\n\\! touch connect\n", "two\n\\! touch further\n"],
    ),
    (
        "$guard$; CREATE ROLE guarded; DO $guard$",
        "$guard_1$ END $guard$; CREATE ROLE guarded",
        &["$guard$"],
    ),
    (
        "a\"; CREATE ROLE quoted; --",
        "it's \\'; CREATE ROLE quoted; --",
        &["d\"; CREATE ROLE quoted; --", "\" \\! touch doubled"],
    ),
    (
        ":user :'evil' :\"evil\"",
        ":evil",
        &[
            "host=elsewhere.invalid dbname=x",
            "postgresql://elsewhere.invalid/x",
        ],
    ),
    (
        "*/ CREATE ROLE starred; /*",
        "E'\\",
        &["back\\slash'", "`touch backquoted`"],
    ),
    (
        "\u{2028}\\! touch separated",
        "Größe\u{1b}[2J",
        &["名前", "- -reuse-previous=off"],
    ),
];

/// psql of the machine and of newer versions.
fn programs() -> Vec<PathBuf> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test finds what `./dev test` installed"
    )]
    let root = std::env::var_os("SAL_TESTS_POSTGRES").map_or_else(
        || PathBuf::from("/var/tmp/sal-tests-postgres"),
        PathBuf::from,
    );
    let newer = [16, 17, 18].map(|major| root.join(format!("clients-{major}/bin/psql")));
    std::iter::once(PathBuf::from("psql"))
        .chain(newer)
        .collect()
}

async fn psql(
    program: &Path,
    script: &Path,
    database: &str,
    stage: &Stage,
) -> std::process::Output {
    let address = stage.lab.address();
    let mut command = tokio::process::Command::new(program);
    command
        .args(["-Xq", "-v", "evil=DROP ROLE sal", "-f"])
        .arg(script)
        .current_dir(script.parent().unwrap())
        .env("PGHOST", stage.lab.endpoint())
        .env("PGHOSTADDR", address.ip().to_string())
        .env("PGPORT", address.port().to_string())
        .env("PGUSER", stage.lab.master())
        .env("PGPASSWORD", stage.lab.master_password())
        .env("PGDATABASE", database)
        .env("PGSSLMODE", "verify-full")
        .env("PGSSLROOTCERT", stage.lab.ca_file())
        // Half of a letter in this encoding could take a quote with it.
        .env("PGCLIENTENCODING", "SJIS");
    command.output().await.unwrap()
}

/// Nothing but the script itself lies in the folder, and no role was made that was not meant.
async fn only_what_was_meant(folder: &Path, old: &str, stage: &Stage) {
    let files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(files, ["plan.sql"], "after {old:?}");
    let made = "SELECT count(*) FROM pg_catalog.pg_roles WHERE rolname IN ('guarded', 'quoted', 'starred')";
    assert_eq!(stage.as_superuser(made).await, "0", "after {old:?}");
}

#[tokio::test]
async fn no_name_breaks_out_of_the_script() {
    for (version, program) in ["15.5", "18.4"].iter().flat_map(|version| {
        programs()
            .into_iter()
            .map(move |program| (version, program))
    }) {
        let mut stage = Stage::set(version, Owner::Plain).await;
        for (old, new, databases) in NAMES {
            stage.lab.create_password_user(old, PASSWORD).await.unwrap();
            for database in *databases {
                stage.lab.create_database(database, old).await.unwrap();
            }
            stage.wish = Wish::new(old, new, databases[0]);
            stage.wish.databases = databases.iter().map(|name| (*name).to_owned()).collect();
            stage.wish.owner_role = "owner of it".to_owned();
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("plan.sql");
            let plan = stage.plan(Purpose::ToIam).await;
            assert_eq!(plan.refusals, []);
            std::fs::write(&path, report::plan_sql(&plan)).unwrap();
            let ran = psql(&program, &path, databases[0], &stage).await;
            assert!(
                ran.status.success(),
                "{} {old:?}: {ran:?}",
                program.display()
            );
            only_what_was_meant(folder.path(), old, &stage).await;
            let left = stage.plan(Purpose::ToIam).await;
            assert_eq!(left.steps, [], "{old:?} was moved");
            // What cannot be done is said in a comment, and nothing else.
            stage.wish.old_user = format!("{old}\n\\! touch refused\n");
            let refused = stage.plan(Purpose::ToIam).await;
            assert_eq!(refused.refusals[0].code, "no_old_user");
            std::fs::write(&path, report::plan_sql(&refused)).unwrap();
            let ran = psql(&program, &path, databases[0], &stage).await;
            assert!(ran.status.success(), "{ran:?}");
            only_what_was_meant(folder.path(), old, &stage).await;
            let text = report::plan_text(&refused);
            assert!(!text.lines().any(|line| line.starts_with("\\!")), "{text}");
        }
    }
}

/// A plan for the master user changes database within the script: the objects of each are moved in it.
#[tokio::test]
async fn the_script_goes_on_in_the_database_that_it_names() {
    for program in programs() {
        let mut stage = Stage::set("15.5", Owner::Master).await;
        let master = stage.lab.master().to_owned();
        let names = [
            "host=elsewhere.invalid",
            "two\n\\! touch connect\n",
            "d\"'\\ b",
            "Case",
        ];
        for name in names {
            stage.lab.create_database(name, &master).await.unwrap();
        }
        stage.wish = Wish::new(&master, crate::stage::NEW, names[0]);
        stage.wish.databases = names.iter().map(|name| (*name).to_owned()).collect();
        stage.wish.owner_role = "owner of it".to_owned();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plan.sql");
        let plan = stage.plan(Purpose::ToIam).await;
        let text = report::plan_sql(&plan);
        assert_eq!(
            text.matches("\\connect -reuse-previous=on ").count(),
            4,
            "{text}"
        );
        std::fs::write(&path, text).unwrap();
        let ran = psql(&program, &path, names[0], &stage).await;
        assert!(ran.status.success(), "{}: {ran:?}", program.display());
        only_what_was_meant(folder.path(), "the master", &stage).await;
        assert_eq!(stage.plan(Purpose::ToIam).await.steps, []);
    }
}
