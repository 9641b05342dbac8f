//! Tables: every statement against a real schema, a fresh database against the original's, and old installations.

use sal_store::{queries, schema};
use sal_testkit::{Database, Filled};

#[tokio::test]
async fn every_statement_fits_the_schema() {
    let database = Database::new(Filled::Fresh).await;
    let faults = queries::check(&database.connect().await, sal_store::statements::ALL)
        .await
        .unwrap();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[tokio::test]
async fn a_fresh_database_equals_the_originals() {
    let database = Database::new(Filled::Fresh).await;
    let found = schema::differences(&database.connect().await)
        .await
        .unwrap();
    assert_eq!(found, []);
}

#[tokio::test]
async fn the_originals_own_tables_show_no_difference() {
    let database = Database::new(Filled::Migrated).await;
    let found = schema::differences(&database.connect().await)
        .await
        .unwrap();
    assert_eq!(found, []);
}

#[tokio::test]
async fn old_installations_with_serial_ids_and_other_names_are_fine() {
    let database = Database::new(Filled::Migrated).await;
    let db = database.connect().await;
    db.batch_execute(
        "ALTER TABLE server_fact ALTER COLUMN id DROP IDENTITY;
         CREATE SEQUENCE server_fact_id_seq OWNED BY server_fact.id;
         ALTER TABLE server_fact ALTER COLUMN id SET DEFAULT nextval('server_fact_id_seq');",
    )
    .await
    .unwrap();
    db.batch_execute(
        "ALTER TABLE server_machine RENAME CONSTRAINT server_machine_serial_key TO older_name",
    )
    .await
    .unwrap();
    assert_eq!(schema::differences(&db).await.unwrap(), []);
}

#[tokio::test]
async fn damage_is_named() {
    let database = Database::new(Filled::Fresh).await;
    let mut db = database.connect().await;
    db.batch_execute("ALTER TABLE server_machine DROP COLUMN manifest; DROP TABLE server_message")
        .await
        .unwrap();
    let found = schema::differences(&db).await.unwrap();
    let text = found
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n");
    assert!(
        text.contains("blocking   column `server_machine.manifest` is missing"),
        "{text}"
    );
    assert!(
        text.contains("blocking   table `server_message` is missing"),
        "{text}"
    );
    let again = schema::ensure(&mut db).await.unwrap();
    assert!(!again.created, "an existing database must never be touched");
}

#[tokio::test]
async fn making_tables_from_many_processes_at_once_makes_them_once() {
    let database = Database::new(Filled::Empty).await;
    let mut clients = Vec::new();
    for _ in 0..8 {
        clients.push(database.connect().await);
    }
    let made = futures_util::future::join_all(clients.iter_mut().map(schema::ensure)).await;
    let made: Vec<_> = made.into_iter().map(Result::unwrap).collect();
    assert_eq!(made.iter().filter(|made| made.created).count(), 1);
    let mut added: Vec<_> = made.iter().flat_map(|made| made.added.clone()).collect();
    added.sort_unstable();
    let all: Vec<_> = schema::ADDITIONS
        .iter()
        .map(|addition| addition.name)
        .collect();
    assert_eq!(added, all);
}

#[tokio::test]
async fn an_addition_that_was_taken_back_stays_out_until_it_is_wanted_again() {
    let database = Database::new(Filled::Fresh).await;
    let mut db = database.connect().await;
    for addition in schema::ADDITIONS {
        assert!(schema::take_back(addition, &mut db).await.unwrap());
        assert!(
            !schema::take_back(addition, &mut db).await.unwrap(),
            "a second time there is nothing"
        );
    }
    let traces = "SELECT count(*) FROM pg_class WHERE relname LIKE 'salrs!_%' ESCAPE '!' AND relkind = 'r' AND relname <> 'salrs_schema'
                  OR reloptions IS NOT NULL AND relname LIKE 'server!_%' ESCAPE '!'";
    let left: i64 = db.query_one(traces, &[]).await.unwrap().get(0);
    assert_eq!(left, 0);
    assert_eq!(
        schema::ensure(&mut db).await.unwrap().added,
        Vec::<&str>::new()
    );
    schema::wanted(&mut db).await.unwrap();
    assert_eq!(
        schema::ensure(&mut db).await.unwrap().added.len(),
        schema::ADDITIONS.len()
    );
}

#[tokio::test]
async fn who_may_not_alter_sals_tables_gets_all_but_the_savings() {
    let database = Database::new(Filled::Fresh).await;
    let mut db = database.connect().await;
    for addition in schema::ADDITIONS {
        schema::take_back(addition, &mut db).await.unwrap();
    }
    let member = format!("guest_{}", std::process::id());
    db.batch_execute(&format!(
        "DROP TABLE salrs_schema; CREATE ROLE {member}; GRANT CREATE, USAGE ON SCHEMA public TO {member}; SET ROLE {member}"
    ))
    .await
    .unwrap();
    let ensured = schema::ensure(&mut db).await.unwrap();
    db.batch_execute(&format!(
        "RESET ROLE; DROP OWNED BY {member}; DROP ROLE {member}"
    ))
    .await
    .unwrap();
    // Tables of our own need no right on Sal's; what changes Sal's tables or adds an index to them does.
    let of_sals_tables = [
        "0003-fill-factor",
        "0008-software-indexes",
        "0010-page-indexes",
    ];
    let own: Vec<_> = schema::ADDITIONS
        .iter()
        .map(|addition| addition.name)
        .filter(|name| !of_sals_tables.contains(name))
        .collect();
    assert_eq!(ensured.added, own);
    let refused = ensured.savings_refused.iter().map(|(name, _)| *name);
    assert_eq!(refused.collect::<Vec<_>>(), of_sals_tables);
    assert!(
        ensured.savings_refused[0].1.contains("must be owner"),
        "{ensured:?}"
    );
}
