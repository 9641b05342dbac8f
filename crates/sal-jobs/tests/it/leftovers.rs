//! What is left of machines, users, searches and units that somebody else deleted, in every table of ours, by what the tables say themselves.

use std::collections::BTreeSet;

use crate::ground::{Ground, of};

/// Columns that name a machine, a user or a search, whose rows go with it: table, column, what the job calls them.
const FOLLOWS: &[(&str, &str, &str)] = &[
    (
        "salrs_checkin",
        "machine_id",
        "last check-ins of deleted machines",
    ),
    ("salrs_change", "machine_id", "changes of deleted machines"),
    ("salrs_session", "user_id", "sessions of deleted users"),
    (
        "salrs_identity",
        "user_id",
        "single sign-on accounts of deleted users",
    ),
    (
        "salrs_preference",
        "user_id",
        "preferences of deleted users",
    ),
    ("salrs_search", "search_id", "filters of deleted searches"),
];

/// Columns that forget what they name, and whose rows stay.
const FORGETS: &[(&str, &str, &str)] = &[(
    "salrs_search",
    "unit_id",
    "searches shared with deleted units",
)];

/// Columns that name something and whose rows stay, and why.
const STAYS: &[(&str, &str, &str)] = &[
    (
        "salrs_journal",
        "serial",
        "tells of serial numbers that never became machines; SAL_JOURNAL_ROWS bounds it",
    ),
    (
        "salrs_rejected_body",
        "serial",
        "the same; SAL_KEEP_REJECTED bounds it",
    ),
    (
        "salrs_audit",
        "user_id",
        "what is told of a user stays when the user is gone",
    ),
    ("salrs_audit", "username", "the same"),
    ("salrs_audit", "object_id", "the same, of a machine"),
    (
        "salrs_api_token",
        "user_id",
        "lets nobody in without its owner, and says on its page why, until somebody revokes it",
    ),
    (
        "salrs_group_key",
        "group_id",
        "lets nobody in without its group, and goes when it has ended",
    ),
    (
        "salrs_gone",
        "machine_id",
        "says for 37 days that the machine is gone",
    ),
    ("salrs_gone", "serial", "the same"),
    ("salrs_gone", "unit_id", "the same"),
    (
        "salrs_snapshot",
        "group_id",
        "what was counted stays true of the fleet when a group is gone",
    ),
    (
        "salrs_summary",
        "place_id",
        "units and groups; what nobody looks at goes after a week",
    ),
];

/// Whatever looks like a name of something else. A column of a new table belongs into one of the two lists above.
const NAMING: &str = "
    SELECT table_name::text, column_name::text FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name LIKE 'salrs\\_%'
      AND column_name ~ '(_id$|machine|serial|device|user)' ORDER BY 1, 2";

#[tokio::test]
async fn every_column_that_names_something_is_known_to_follow_it_or_to_stay() {
    let ground = Ground::new().await;
    let rows = ground.db.query(NAMING, &[]).await.unwrap();
    let found: BTreeSet<(String, String)> =
        rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let known = FOLLOWS.iter().chain(FORGETS).chain(STAYS);
    let known: BTreeSet<_> = known
        .map(|&(table, column, _)| (table.to_owned(), column.to_owned()))
        .collect();
    assert_eq!(
        found, known,
        "left: in the database, right: in the lists of this file"
    );
}

/// A row of a table with every column filled by its type, and one column as given.
async fn row(table: &str, column: &str, value: &str, ground: &Ground) {
    let sql = "
        SELECT column_name::text, CASE
            WHEN column_name = $2 THEN $3
            WHEN column_name = 'sharing' THEN '''everybody'''
            WHEN column_name = 'overview' THEN '''no'''
            WHEN column_name = 'fingerprint' THEN 'decode(md5(' || quote_literal($3) || '), ''hex'')'
            WHEN data_type = 'bytea' THEN 'sha256(' || quote_literal($3) || '::bytea)'
            WHEN data_type = 'text' THEN quote_literal('x' || $3)
            WHEN data_type LIKE 'timestamp%' OR data_type = 'date' THEN '''2100-01-01'''
            WHEN data_type = 'xid8' THEN '''3'''
            WHEN data_type = 'jsonb' THEN '''[]'''
            WHEN data_type = 'boolean' THEN 'true'
            ELSE '1' END
        FROM information_schema.columns
        WHERE table_schema = 'public' AND table_name = $1 AND is_nullable = 'NO' AND is_identity = 'NO'";
    let rows = ground
        .db
        .query(sql, &[&table, &column, &value])
        .await
        .unwrap();
    let (names, values): (Vec<String>, Vec<String>) =
        rows.iter().map(|row| (row.get(0), row.get(1))).unzip();
    let (names, values) = (names.join(", "), values.join(", "));
    let insert = format!("INSERT INTO {table} ({names}) VALUES ({values})");
    ground.sql(&insert).await;
}

#[tokio::test]
async fn what_django_deleted_leaves_no_row_in_any_table_and_the_others_stay() {
    let ground = Ground::new().await;
    ground.machines().await;
    ground
        .sql(
            "INSERT INTO auth_user (id, password, is_superuser, username, first_name, last_name, email, is_staff, is_active, date_joined)
             SELECT n, '', false, 'user-' || n, '', '', '', false, true, now() FROM generate_series(1, 2) n;
             INSERT INTO search_savedsearch (id, name, created, save_search, created_by_id)
             SELECT n, 'Search', now(), true, n FROM generate_series(1, 2) n",
        )
        .await;
    for (table, column, _) in FOLLOWS {
        row(table, column, "1", &ground).await;
        row(table, column, "2", &ground).await;
    }
    ground
        .sql("UPDATE salrs_search SET sharing = 'unit', unit_id = 77 WHERE search_id = 2")
        .await;
    for (table, column, _) in STAYS {
        // The audit log has three of these columns and a nullable one.
        let value = if column.ends_with("name") || *column == "serial" || *column == "object_id" {
            "'gone'"
        } else {
            "77"
        };
        ground.sql(&format!("DELETE FROM {table}")).await;
        row(table, column, value, &ground).await;
    }
    // As Django does: it knows the rows of its own tables.
    ground
        .sql("DELETE FROM server_machine WHERE id = 1; DELETE FROM search_savedsearch WHERE id = 1; DELETE FROM auth_user WHERE id = 1")
        .await;
    for outcome in [
        ground.count("leftovers").await,
        ground.run("leftovers").await,
    ] {
        for (table, _, things) in FOLLOWS.iter().chain(FORGETS) {
            assert_eq!(of(&outcome, things), 1, "{table}");
        }
        assert_eq!(
            outcome.counts.len(),
            FOLLOWS.len() + FORGETS.len(),
            "{outcome:?}"
        );
    }
    for (table, column, _) in FOLLOWS {
        let left = format!("SELECT string_agg({column}::text, ',') FROM {table}");
        assert_eq!(ground.value::<String>(&left).await, "2", "{table}");
    }
    let shared = "SELECT sharing || coalesce(unit_id::text, '') FROM salrs_search";
    assert_eq!(ground.value::<String>(shared).await, "private");
    for (table, _, _) in STAYS {
        let left = format!("SELECT count(*) FROM {table}");
        // The deleted machine is noted beside the one that was.
        let rows = if *table == "salrs_gone" { 2 } else { 1 };
        assert_eq!(ground.number(&left).await, rows, "{table}");
    }
    assert_eq!(ground.run("leftovers").await.rows(), 0);
}
