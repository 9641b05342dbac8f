//! A database that only the original has used: what `sal db check` says first, and what the first start logs.

use serde_json::Value;

use crate::server::Server;
use crate::stage::Stage;

async fn of_the_original() -> Stage {
    let stage = Stage::set().await;
    stage.of_the_original().await;
    stage
}

const UNTOUCHED: &str = "\
This is a Sal 4.4.1 database, and nothing stands in the way.
`sal serve` will add:
  0001-sessions              tables for browser sessions and the link that makes the first user
  0002-checkins              tables for what each machine last sent, and the journal of check-in problems
  0003-fill-factor           more room in the pages of four of Sal's tables (a setting; no row is rewritten)
  0004-audit                 a table of who changed what
  0005-oidc                  tables for single sign-on
  0006-preferences           a table of what people chose on the pages
  0007-summaries             a table of counts over the fleet
  0008-software-indexes      an index each on inventory_inventoryitem and server_manageditem
  0009-jobs                  a table of maintenance jobs
  0010-page-indexes          an index each on server_pluginscriptrow and server_fact
  0011-logins                two more tables for single sign-on
  0012-journal-strangers     a column of the journal of check-in problems
  0013-bounded-page-indexes  indexes over the beginning of names where an earlier build indexed whole names
  0014-searches              a table of what saved searches mean and with whom they are shared
  0015-api-tokens            a table of tokens for programs of the REST API
  0016-api-answers           a table of what programs of the REST API were answered, for a day
  0017-changes               a table of machines that are gone, and columns of when parts of machines changed
  0018-group-keys            a table of keys that machine groups had before, and a column of who still uses one
  0019-machine-changes       a table of what became of each machine
  0020-snapshots             a table of how many machines were what on each day
No table of Sal's changes, and a Django Sal can run beside it; `sal db take-back NAME` undoes an addition. Maintenance starts with the server and removes rows that Sal's removes, and applications that no machine has; `SAL_JOBS=false` keeps it off.
";

#[tokio::test]
async fn an_untouched_database_is_called_so_and_the_start_says_what_it_added() {
    let stage = of_the_original().await;
    let settings = stage.settings();
    let before = settings.run(&["db", "check"]).await;
    assert_eq!(before.stdout, UNTOUCHED);
    assert_eq!((before.code, before.stderr.as_str()), (Some(0), ""));
    let json = settings.run(&["db", "check", "--json"]).await;
    let report: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json.code, Some(0));
    assert_eq!(report["ready"], true);
    assert_eq!(report["database"], "Sal's, untouched by this server");
    let names: Vec<_> = report["will_add"].as_array().unwrap().iter().collect();
    assert_eq!(names.len(), 20, "{report}");

    let mut server = Server::start(&settings).await;
    let log = server.log();
    for line in UNTOUCHED
        .lines()
        .filter_map(|line| line.strip_prefix("  0"))
    {
        let (name, what) = line.split_once(' ').unwrap();
        let said = format!("added 0{name} to the database: {}", what.trim());
        assert_eq!(log.matches(&said).count(), 1, "{said} in\n{log}");
    }
    server.stop().await;
    let mut again = Server::start(&settings).await;
    again.stop().await;
    let again = again.log();
    assert!(!again.contains("to the database:"), "{again}");
    for notice in ["NOTICE", "already exists", "skipping"] {
        assert!(
            !log.contains(notice) && !again.contains(notice),
            "{log}\n{again}"
        );
    }

    let after = settings.run(&["db", "check"]).await;
    assert_eq!(after.code, Some(0));
    assert_eq!(
        after.stdout,
        "The tables are as Sal 4.4.1 leaves them, and this server has nothing to add.\n"
    );
}

#[tokio::test]
async fn an_earlier_build_s_database_is_told_what_comes_and_is_fine() {
    let stage = of_the_original().await;
    assert_eq!(stage.settings().run(&["db", "init"]).await.code, Some(0));
    stage
        .run("DROP TABLE salrs_job; DELETE FROM salrs_schema WHERE name = '0009-jobs'")
        .await;
    let checked = stage.settings().run(&["db", "check"]).await;
    assert_eq!(checked.code, Some(0), "{checked:?}");
    assert_eq!(
        checked.stdout,
        "The tables are as Sal 4.4.1 leaves them; some of our additions are not there yet.
`sal serve` will add:
  0009-jobs  a table of maintenance jobs
No table of Sal's changes, and a Django Sal can run beside it; `sal db take-back NAME` undoes an addition. Maintenance starts with the server and removes rows that Sal's removes, and applications that no machine has; `SAL_JOBS=false` keeps it off.
"
    );
}

#[tokio::test]
async fn what_is_really_wrong_ends_with_3_and_says_what_to_do() {
    for (sql, said) in [
        (
            "DROP TABLE salrs_setup_link",
            "attention  `salrs_setup_link` of our addition 0001-sessions is gone: `sal db take-back 0001-sessions`",
        ),
        (
            "DROP TABLE salrs_schema",
            "attention  `salrs_session` is there, and `salrs_schema` does not record our addition 0001-sessions",
        ),
        (
            "ALTER TABLE server_machine DROP COLUMN manifest",
            "blocking   column `server_machine.manifest` is missing",
        ),
        (
            "DELETE FROM django_migrations WHERE app = 'server' AND name = '0094_auto_20190903_1507'",
            "let Sal 4.4.1 migrate this database first",
        ),
    ] {
        let stage = of_the_original().await;
        assert_eq!(stage.settings().run(&["db", "init"]).await.code, Some(0));
        stage.run(sql).await;
        let checked = stage.settings().run(&["db", "check"]).await;
        assert_eq!(checked.code, Some(3), "{sql}: {checked:?}");
        assert!(checked.stdout.contains(said), "{said}\nnot in\n{checked:?}");
        assert!(!checked.stdout.contains("nothing stands in the way"));
    }
}

#[tokio::test]
async fn who_may_not_create_tables_is_told_the_statement() {
    let stage = of_the_original().await;
    stage
        .run("REVOKE CREATE ON SCHEMA public FROM PUBLIC; ALTER SCHEMA public OWNER TO postgres")
        .await;
    let checked = stage.password_settings().run(&["db", "check"]).await;
    assert_eq!(checked.code, Some(3), "{checked:?}");
    assert!(
        checked.stdout.contains("attention  `sal` may not create tables in schema `public`: GRANT CREATE ON SCHEMA public TO sal"),
        "{checked:?}"
    );
}

#[tokio::test]
async fn a_lost_table_comes_back_by_the_two_commands_that_are_named() {
    let stage = of_the_original().await;
    let settings = stage.settings();
    for sql in ["", "DROP TABLE salrs_setup_link"] {
        assert_eq!(settings.run(&["db", "init"]).await.code, Some(0));
        stage.run(sql).await;
    }
    for command in ["take-back 0001-sessions", "init", "check"] {
        let words: Vec<_> = std::iter::once("db").chain(command.split(' ')).collect();
        let ended = settings.run(&words).await;
        assert_eq!(ended.code, Some(0), "{command}: {ended:?}");
    }
}

#[tokio::test]
async fn a_database_of_somebody_else_and_an_empty_one_are_told_apart() {
    let stage = Stage::set().await;
    let empty = stage.settings().run(&["db", "check"]).await;
    assert_eq!(empty.code, Some(3), "{empty:?}");
    assert!(empty.stdout.contains("The database is empty"), "{empty:?}");
    stage
        .run("SET ROLE sal; CREATE TABLE wiki_page (id int)")
        .await;
    let strange = stage.settings().run(&["db", "check"]).await;
    assert_eq!(strange.code, Some(3), "{strange:?}");
    assert!(
        strange.stdout.contains("This is not a Sal database"),
        "{strange:?}"
    );
    assert!(strange.stdout.contains("DB_NAME"), "{strange:?}");
    // A mistake in DB_NAME must not fill another program's database.
    let served = stage.settings().run(&["serve"]).await;
    assert_eq!(served.code, Some(1), "{served:?}");
    assert!(
        served.stderr.contains("none of Sal's: check DB_NAME")
            && served.stderr.contains("sal db init"),
        "{served:?}"
    );
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(stage.value(tables).await, "1");
}

#[tokio::test]
async fn who_is_not_the_owner_is_told_whose_the_tables_are() {
    let stage = of_the_original().await;
    stage
        .run(
            "ALTER ROLE salawsiam IN DATABASE sal RESET role; REVOKE sal FROM salawsiam; \
             GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO salawsiam; \
             GRANT CREATE ON SCHEMA public TO salawsiam",
        )
        .await;
    let guest = stage.settings().run(&["db", "check"]).await;
    assert_eq!(guest.code, Some(3), "{guest:?}");
    assert!(
        guest.stdout.contains(
            "attention  `salawsiam` is not the owner of Sal's tables (`sal` is): 0003-fill-factor, 0008-software-indexes, 0010-page-indexes, 0013-bounded-page-indexes would be left out"
        ),
        "{guest:?}"
    );
    stage
        .run("REVOKE INSERT ON server_fact FROM salawsiam")
        .await;
    let less = stage.settings().run(&["db", "check"]).await;
    assert!(
        less.stdout.starts_with(
            "blocking   `salawsiam` may not read and write `server_fact`: GRANT SELECT"
        ),
        "{less:?}"
    );
    let served = stage.settings().run(&["serve"]).await;
    assert_eq!(served.code, Some(1), "{served:?}");
    assert!(
        served
            .stderr
            .contains("may not read and write `server_fact`"),
        "{served:?}"
    );
}
