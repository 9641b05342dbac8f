//! How many rows Sal's tables hold, and whether two databases hold the same.

use tokio_postgres::Client;

use super::live;

/// One table's rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// The table.
    pub table: String,
    /// How many rows it has.
    pub rows: i64,
    /// The same for the same rows, in whatever order.
    pub digest: String,
}

/// Reads every row of every table on the search path but ours; long on a large database.
///
/// # Errors
/// What Postgres says, such as that a table may not be read.
pub async fn contents(db: &Client) -> Result<Vec<Content>, tokio_postgres::Error> {
    // Two databases may write dates and numbers in ways of their own.
    db.batch_execute("SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET IntervalStyle = 'postgres'; SET extra_float_digits = 1; SET bytea_output = 'hex'; SET statement_timeout = 0")
        .await?;
    let mut all = Vec::new();
    for (table, parts) in live::read(db).await?.tables {
        let counts = |column: &&String| !PASSING.contains(&(table.as_str(), column.as_str()));
        let columns: Vec<_> = parts
            .columns
            .keys()
            .filter(counts)
            .map(|column| format!("t.{}", quoted(column)))
            .collect();
        // By the columns' names: two databases may have them in different orders.
        let sql = format!(
            "SELECT count(*), coalesce(sum(('x' || left(md5(ROW({})::text), 15))::bit(60)::bigint), 0)::text FROM {} t",
            columns.join(", "),
            quoted(&table)
        );
        let row = db.query_one(&sql, &[]).await?;
        all.push(Content {
            table,
            rows: row.get(0),
            digest: row.get(1),
        });
    }
    Ok(all)
}

/// Columns that change whenever somebody looks.
const PASSING: &[(&str, &str)] = &[("auth_user", "last_login")];

/// Postgres Documentation 4.1.1, "Identifiers and Key Words".
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
