//! What a database really has, in the shape of the contract.

use tokio_postgres::Client;

use super::expected::{Column, Schema};

/// Reads the tables on the search path, except our own (`salrs_…`).
pub(super) async fn read(db: &Client) -> Result<Schema, tokio_postgres::Error> {
    let mut schema = Schema::default();
    for row in db.query(COLUMNS, &[]).await? {
        let table: String = row.get(0);
        let column = Column {
            type_name: row.get(2),
            not_null: row.get(3),
            filled: row.get(4),
        };
        schema
            .tables
            .entry(table)
            .or_default()
            .columns
            .insert(row.get(1), column);
    }
    for row in db.query(CONSTRAINTS, &[]).await? {
        let table: String = row.get(0);
        schema
            .tables
            .entry(table)
            .or_default()
            .constraints
            .insert(row.get(1));
    }
    for row in db.query(INDEXES, &[]).await? {
        let table: String = row.get(0);
        let definition: String = row.get(1);
        // `CREATE INDEX name ON schema.table USING btree (columns) [WHERE …]`
        let columns = definition.split_once(" (").map_or("", |(_, rest)| rest);
        let columns = columns.strip_suffix(')').unwrap_or(columns).to_owned();
        schema
            .tables
            .entry(table)
            .or_default()
            .indexes
            .insert(columns);
    }
    if schema.tables.contains_key("django_migrations") {
        for row in db
            .query("SELECT app || '.' || name FROM django_migrations", &[])
            .await?
        {
            schema.migrations.insert(row.get(0));
        }
    }
    Ok(schema)
}

/// Ordinary tables on the search path.
const COLUMNS: &str = "
SELECT c.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod), a.attnotnull,
       a.atthasdef OR a.attidentity <> ''
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p') AND pg_table_is_visible(c.oid) AND c.relname NOT LIKE 'salrs\\_%'
  AND c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)";

/// Their keys, by definition. Not-null constraints are columns' business (Postgres 18 lists them here too).
const CONSTRAINTS: &str = "
SELECT c.relname::text, pg_get_constraintdef(k.oid)
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
WHERE k.contype IN ('p', 'u', 'f', 'c') AND pg_table_is_visible(c.oid) AND c.relname NOT LIKE 'salrs\\_%'
  AND c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)";

/// Their indexes, by definition, except our own.
const INDEXES: &str = "
SELECT c.relname::text, pg_get_indexdef(i.indexrelid)
FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
JOIN pg_class x ON x.oid = i.indexrelid AND x.relname NOT LIKE 'salrs\\_%'
WHERE i.indisvalid AND pg_table_is_visible(c.oid) AND c.relname NOT LIKE 'salrs\\_%'
  AND c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)";
