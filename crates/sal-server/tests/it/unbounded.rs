//! Nothing that this server adds to a database may refuse what Sal's own tables take: a B-tree refuses an entry over
//! 2,704 bytes (Postgres manual, 67.4.1), and most texts of Sal's have no bound.

use sal_store::schema;
use sal_testkit::{Database, Filled, TestServer, golden};
use serde_json::json;
use tokio_postgres::Client;

/// Letters in which nothing repeats, so that Postgres cannot make them shorter.
pub(crate) fn incompressible(length: usize, alphabet: &[char]) -> String {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut letters = String::new();
    for _ in 0..length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let place = usize::try_from(state >> 33).unwrap() % alphabet.len();
        letters.push(*alphabet.get(place).unwrap());
    }
    letters
}

pub(crate) fn ascii() -> Vec<char> {
    ('0'..='9').chain('a'..='z').chain('A'..='Z').collect()
}

/// Four bytes each in UTF-8.
fn wide() -> Vec<char> {
    ('\u{1F300}'..='\u{1F5FF}').collect()
}

async fn checked_in(server: &TestServer, serial: &str, long: &str) {
    let key = golden::seed_value("key1").unwrap().unwrap();
    let body = json!({
        "Machine": {"extra_data": {"serial": serial}, "facts": {long: "1"}},
        "Sal": {"extra_data": {"key": key}, "facts": {long: long}},
        "plugin_results": [{"plugin": "Long", "historical": false, "data": {long: long}}],
        "Munki": {"managed_items": {long: {"status": "PENDING", "data": {}}}, "messages": [{"text": long, "message_type": "ERROR"}]},
    });
    for _ in 0..2 {
        let (code, text) = server.checkin(&key, body.to_string()).await;
        assert_eq!(code, 200, "{text}");
    }
}

/// The tables of Sal's on which we have indexes.
async fn touched(db: &Client) -> Vec<String> {
    db.query(
        "SELECT DISTINCT tablename::text FROM pg_indexes WHERE indexname LIKE 'salrs!_%' ESCAPE '!'
           AND tablename NOT LIKE 'salrs!_%' ESCAPE '!' ORDER BY 1",
        &[],
    )
    .await
    .unwrap()
    .iter()
    .map(|row| row.get(0))
    .collect()
}

/// Inserts a row as Django does, all columns named: every text as long as its column takes it, keys of rows that are there.
async fn insert_as_django(db: &Client, table: &str, long: &str) {
    let columns = db
        .query(
            "SELECT quote_ident(a.attname), format_type(a.atttypid, NULL), a.atttypmod, f.confrelid::regclass::text
             FROM pg_attribute a
             LEFT JOIN pg_constraint f ON f.conrelid = a.attrelid AND f.contype = 'f' AND f.conkey = ARRAY[a.attnum]
             WHERE a.attrelid = $1::text::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attidentity = ''",
            &[&table],
        )
        .await
        .unwrap();
    let mut names: Vec<String> = Vec::new();
    let mut values: Vec<String> = Vec::new();
    for column in &columns {
        let (name, kind, bound): (String, String, i32) =
            (column.get(0), column.get(1), column.get(2));
        let referred: Option<String> = column.get(3);
        names.push(name);
        values.push(match (referred, kind.as_str()) {
            (Some(referred), _) => format!("(SELECT id FROM {referred} ORDER BY id LIMIT 1)"),
            (None, "character varying") => format!("left('{long}', {})", bound - 4),
            (None, "text") => format!("'{long}'"),
            (None, "timestamp with time zone") => "now()".to_owned(),
            (None, "uuid") => "gen_random_uuid()".to_owned(),
            (None, "boolean") => "false".to_owned(),
            (None, _) => "1".to_owned(),
        });
    }
    let statement = format!(
        "INSERT INTO {table} ({}) VALUES ({})",
        names.join(", "),
        values.join(", ")
    );
    db.batch_execute(&statement).await.unwrap();
}

#[tokio::test]
async fn texts_of_10_kb_pass_by_our_checkin_and_by_djangos_statements() {
    let server = TestServer::start(Filled::Seeded).await;
    for (serial, length, alphabet) in [
        ("LONG1", 10_240, ascii()),
        ("LONG2", 10_240, wide()),
        ("LONG3", 2_705, ascii()),
        ("LONG4", 199, wide()),
        ("LONG5", 200, wide()),
        ("LONG6", 201, wide()),
    ] {
        let long = incompressible(length, &alphabet);
        checked_in(&server, serial, &long).await;
        let db = server.database.connect().await;
        // An application, of which items are made below.
        insert_as_django(
            &db,
            "inventory_application",
            &incompressible(200, &alphabet),
        )
        .await;
        for table in touched(&db).await {
            insert_as_django(&db, &table, &long).await;
        }
        db.batch_execute("DELETE FROM inventory_inventoryitem; DELETE FROM inventory_application; TRUNCATE server_fact; TRUNCATE server_manageditem")
            .await
            .unwrap();
    }
    let db = server.database.connect().await;
    assert_eq!(
        touched(&db).await,
        [
            "inventory_inventoryitem",
            "server_fact",
            "server_manageditem",
            "server_pluginscriptrow"
        ]
    );
}

/// What each text in an index of our own tables is bounded by, before it gets there.
#[tokio::test]
async fn texts_in_indexes_of_our_own_tables_are_bounded() {
    let database = Database::new(Filled::Fresh).await;
    let found: Vec<String> = database
        .connect()
        .await
        .query(
            "SELECT DISTINCT c.relname || '.' || a.attname FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
             JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY(i.indkey)
             WHERE c.relname LIKE 'salrs!_%' ESCAPE '!' AND (a.atttypid = 'text'::regtype OR a.atttypid = 'bytea'::regtype) ORDER BY 1",
            &[],
        )
        .await
        .unwrap()
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert_eq!(
        found,
        [
            // `token 1`, `key 1` or `user 1`; 1 to 255 bytes of ASCII: `once::begin`.
            "salrs_api_answer.caller",
            "salrs_api_answer.key",
            // Hashes of 32 bytes; 255 letters: `API_KEY_NAME`.
            "salrs_api_token.former_hash",
            "salrs_api_token.name",
            "salrs_api_token.secret_hash",
            // Words of the program, and ids.
            "salrs_audit.kind",
            "salrs_audit.object_id",
            "salrs_group_key.key_hash",
            // 255 bytes each: `oidc_login::token`, and the reader of SAL_OIDC_ISSUER.
            "salrs_identity.issuer",
            "salrs_identity.subject",
            "salrs_job.name",
            // Sixteen bytes.
            "salrs_journal.fingerprint",
            // A client's word: the test in `journal`.
            "salrs_journal.serial",
            "salrs_login_key.name",
            // Hashes of 32 bytes.
            "salrs_oidc_login.state_hash",
            "salrs_oidc_used.login_hash",
            "salrs_preference.name",
            "salrs_rejected_body.fingerprint",
            "salrs_schema.name",
            "salrs_session.token_hash",
            "salrs_setup_link.token_hash",
            "salrs_summary.place",
            "salrs_summary.what",
        ]
    );
}

#[tokio::test]
async fn indexes_over_whole_names_of_an_older_version_are_replaced() {
    let database = Database::new(Filled::Fresh).await;
    let mut db = database.connect().await;
    let names = "SELECT string_agg(indexname, ' ' ORDER BY indexname) FROM pg_indexes WHERE indexname ~ '^salrs_(fact|pluginscriptrow)_'";
    let now = "salrs_fact_name_start salrs_pluginscriptrow_name_start";
    let before = "DROP INDEX salrs_fact_name_start, salrs_pluginscriptrow_name_start;
        CREATE INDEX salrs_pluginscriptrow_name ON server_pluginscriptrow (submission_and_script_name);
        CREATE INDEX salrs_fact_name ON server_fact (fact_name, management_source_id);
        DELETE FROM salrs_schema WHERE name = '0013-bounded-page-indexes'";
    db.batch_execute(before).await.unwrap();
    let ensured = schema::ensure(&mut db).await.unwrap();
    assert_eq!(ensured.added, ["0013-bounded-page-indexes"]);
    let found: String = db.query_one(names, &[]).await.unwrap().get(0);
    assert_eq!(found, now);

    // Where 0010 was taken back, its indexes stay away.
    let addition = schema::ADDITIONS
        .iter()
        .find(|it| it.name == "0010-page-indexes");
    assert!(schema::take_back(addition.unwrap(), &mut db).await.unwrap());
    db.batch_execute("DELETE FROM salrs_schema WHERE name = '0013-bounded-page-indexes'")
        .await
        .unwrap();
    schema::ensure(&mut db).await.unwrap();
    let found: Option<String> = db.query_one(names, &[]).await.unwrap().get(0);
    assert_eq!(found, None);
}

#[tokio::test]
async fn a_database_that_has_long_names_gets_the_indexes_too() {
    let server = TestServer::start(Filled::Seeded).await;
    let mut db = server.database.connect().await;
    for addition in schema::ADDITIONS.iter().filter(|it| it.only_saves) {
        schema::take_back(addition, &mut db).await.unwrap();
    }
    checked_in(&server, "LONG", &incompressible(10_240, &ascii())).await;
    schema::wanted(&mut db).await.unwrap();
    let ensured = schema::ensure(&mut db).await.unwrap();
    assert_eq!(ensured.savings_refused, []);
    assert!(ensured.added.contains(&"0010-page-indexes"));
}
