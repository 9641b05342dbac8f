//! Rolling upgrades: today's server on the tables of every former release, and what an older one finds that does not
//! know what a newer one added. `schema/releases/` has the tables.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::checkins::Macs;
use crate::server::Server;
use crate::stage::{Stage, until};

const ROWS: &str = include_str!("../../../../schema/sal-4-rows.sql");

/// The files of all releases.
fn releases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schema/releases");
    let entries = std::fs::read_dir(folder).unwrap();
    let mut found: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|it| it == "sql"))
        .collect();
    found.sort();
    assert!(!found.is_empty());
    found
}

/// A database as a release left it.
async fn left_by(release: &Path) -> Stage {
    let stage = Stage::set().await;
    let tables = std::fs::read_to_string(release).unwrap();
    stage
        .run(&format!(
            "SET ROLE sal; {tables}; SET search_path = public; {ROWS}"
        ))
        .await;
    stage
}

/// A column as other servers see it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Column {
    kind: String,
    /// Whether a row may be made without saying anything of it.
    may_be_left_out: bool,
}

/// What a database asks of those who write to it.
#[derive(Debug, Clone, Default)]
struct Tables {
    columns: BTreeMap<(String, String), Column>,
    /// Keys, checks and unique indexes, by table.
    rules: BTreeSet<(String, String)>,
}

impl Tables {
    async fn of(stage: &Stage) -> Self {
        let columns = stage.rows(COLUMNS).await.into_iter().map(|row| {
            let column = Column {
                kind: row[2].clone(),
                may_be_left_out: row[3] == "t",
            };
            ((row[0].clone(), row[1].clone()), column)
        });
        let rules = stage.rows(RULES).await;
        Self {
            columns: columns.collect(),
            rules: rules
                .into_iter()
                .map(|row| (row[0].clone(), row[1].clone()))
                .collect(),
        }
    }

    fn has(&self, table: &str) -> bool {
        self.columns.keys().any(|(name, _)| name == table)
    }

    /// What would disturb a server that knows only the tables of `self`, when they become those of `later`.
    fn disturbed_by(&self, later: &Self) -> Vec<String> {
        let mut found = Vec::new();
        for ((table, name), column) in &self.columns {
            match later.columns.get(&(table.clone(), name.clone())) {
                None => found.push(format!("{table}.{name} is gone")),
                Some(now) if now.kind != column.kind => {
                    found.push(format!("{table}.{name} is {} now", now.kind));
                }
                Some(now) if column.may_be_left_out && !now.may_be_left_out => {
                    found.push(format!("{table}.{name} has to be filled now"));
                }
                Some(_) => {}
            }
        }
        for ((table, name), column) in &later.columns {
            let is_new = !self.columns.contains_key(&(table.clone(), name.clone()));
            if self.has(table) && is_new && !column.may_be_left_out {
                found.push(format!("{table}.{name} is new and has to be filled"));
            }
        }
        let rules = later.rules.difference(&self.rules);
        for (table, rule) in rules.filter(|(table, _)| self.has(table)) {
            found.push(format!("{table} has a new rule: {rule}"));
        }
        found
    }
}

const COLUMNS: &str = "
    SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
           NOT a.attnotnull OR a.atthasdef OR a.attidentity <> ''
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace";
const RULES: &str = "
    SELECT conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace AND conrelid <> 0
    UNION
    SELECT indrelid::regclass::text, regexp_replace(pg_get_indexdef(indexrelid), '^.* USING', 'UNIQUE USING')
    FROM pg_index JOIN pg_class c ON c.oid = indrelid
    WHERE indisunique AND c.relnamespace = 'public'::regnamespace";

#[tokio::test]
async fn what_is_added_to_the_tables_of_a_former_release_disturbs_none_of_its_servers() {
    for release in releases() {
        let stage = left_by(&release).await;
        let before = Tables::of(&stage).await;
        assert!(before.columns.len() > 300, "{}", before.columns.len());
        let made = stage.settings().run(&["db", "init"]).await;
        assert_eq!(made.code, Some(0), "{made:?}");
        let after = Tables::of(&stage).await;
        let disturbed = before.disturbed_by(&after);
        assert!(
            disturbed.is_empty(),
            "{}: {disturbed:#?}",
            release.display()
        );
        let missing = "SELECT count(*) FROM salrs_schema WHERE taken_back IS NOT NULL";
        assert_eq!(stage.value(missing).await, "0");
    }
}

#[tokio::test]
async fn todays_server_works_on_the_tables_of_every_former_release() {
    for release in releases() {
        let stage = left_by(&release).await;
        let mut server = Server::start(&stage.settings()).await;
        stage.make_group().await;
        let macs = Macs::new(2);
        for run in 0..2 {
            for mac in 0..2 {
                assert_eq!(macs.check_in(mac, run, &server).await, 200);
            }
        }
        let checked = stage.settings().run(&["db", "check"]).await;
        assert_eq!(checked.code, Some(0), "{}: {checked:?}", release.display());
        assert!(server.stop().await.success());
    }
}

/// What a later release may do while today's servers work: another name among the additions, another table, another
/// column that need not be filled.
const OF_A_LATER_RELEASE: &str = "
    SET ROLE sal;
    CREATE TABLE salrs_later (id bigint PRIMARY KEY, machine_id integer REFERENCES server_machine ON DELETE CASCADE);
    ALTER TABLE salrs_session ADD COLUMN of_later text;
    ALTER TABLE salrs_job ADD COLUMN of_later integer NOT NULL DEFAULT 0;
    ALTER TABLE salrs_journal ADD COLUMN of_later text;
    CREATE INDEX salrs_later_index ON server_fact (fact_name, id);
    ALTER TABLE salrs_schema ADD COLUMN of_later text;
    INSERT INTO salrs_schema (name) VALUES ('9001-of-a-later-release');
    INSERT INTO salrs_schema (name, taken_back) VALUES ('9002-of-a-later-release', now());";

#[tokio::test]
async fn additions_of_a_later_release_disturb_no_server_of_today() {
    let stage = Stage::set().await;
    let settings = stage.settings().with("ADMIN_PASS", "four-blue-kettles-77");
    let mut running = Server::start(&settings).await;
    stage.make_group().await;
    let macs = Macs::new(2);
    assert_eq!(macs.check_in(0, 0, &running).await, 200);
    stage.run(OF_A_LATER_RELEASE).await;
    // One that runs already, with statements that it prepared before, and one that starts now.
    let mut started = Server::start(&settings).await;
    for (run, server) in [(1, &running), (2, &started), (3, &running)] {
        for mac in 0..2 {
            assert_eq!(macs.check_in(mac, run, server).await, 200);
        }
        let form = [("username", "admin"), ("password", "four-blue-kettles-77")];
        let url = format!("{}/login/", server.url);
        let answer = server.http.post(url).form(&form).send().await.unwrap();
        assert_eq!(answer.status(), 302);
    }
    until("the first round of all jobs", async || {
        let undone = "SELECT count(*) FROM salrs_job WHERE last_result IS DISTINCT FROM 'done'";
        stage.value(undone).await == "0"
    })
    .await;
    let checked = stage.settings().run(&["db", "check"]).await;
    assert_eq!(checked.code, Some(0), "{checked:?}");
    for server in [&mut running, &mut started] {
        assert!(!server.log().contains("answered 500"), "{}", server.log());
        assert!(server.stop().await.success());
    }
}

#[test]
fn whatever_disturbs_an_older_server_is_found() {
    let column = |kind: &str, may_be_left_out| Column {
        kind: kind.to_owned(),
        may_be_left_out,
    };
    let at = |name: &str| ("salrs_job".to_owned(), name.to_owned());
    let mut before = Tables::default();
    before.columns.insert(at("name"), column("text", false));
    before.columns.insert(at("rows"), column("bigint", true));
    let disturbed = |change: &dyn Fn(&mut Tables)| {
        let mut later = before.clone();
        change(&mut later);
        before.disturbed_by(&later).join(", ")
    };
    assert_eq!(disturbed(&|_same| {}), "");
    assert_eq!(
        disturbed(&|later| drop(later.columns.remove(&at("name")))),
        "salrs_job.name is gone"
    );
    let added = |kind: &'static str, optional: bool, name: &'static str| {
        move |later: &mut Tables| {
            drop(later.columns.insert(at(name), column(kind, optional)));
        }
    };
    assert_eq!(disturbed(&added("text", true, "more")), "");
    assert_eq!(
        disturbed(&added("text", false, "more")),
        "salrs_job.more is new and has to be filled"
    );
    assert_eq!(
        disturbed(&added("text", true, "rows")),
        "salrs_job.rows is text now"
    );
    assert_eq!(
        disturbed(&added("bigint", false, "rows")),
        "salrs_job.rows has to be filled now"
    );
    let unique = ("salrs_job".to_owned(), "UNIQUE (rows)".to_owned());
    assert_eq!(
        disturbed(&|later| assert!(later.rules.insert(unique.clone()))),
        "salrs_job has a new rule: UNIQUE (rows)"
    );
    let elsewhere = |later: &mut Tables| {
        let table = ("salrs_new".to_owned(), "id".to_owned());
        later.columns.insert(table, column("bigint", false));
        let key = ("salrs_new".to_owned(), "PRIMARY KEY (id)".to_owned());
        later.rules.insert(key);
    };
    assert_eq!(disturbed(&elsewhere), "");
}
