//! `sal bench checkin --profile`: where a check-in goes, by statement and by what is written.
//!
//! Postgres counts time, plans and pages of each statement (manual, F.32 pg_stat_statements); what went into the WAL, and
//! for which table or index, is read from the WAL itself (F.37 pg_walinspect, since Postgres 15).

use std::fmt::Write as _;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tokio_postgres::Client;

use super::stage::Stage;
use crate::output;

/// Looks at what happens between two moments.
pub(super) struct Profiler {
    db: Client,
    has_wal: bool,
}

/// What one cell's check-ins did.
pub(super) struct Profile {
    statements: Vec<StatementUse>,
    written: Vec<Written>,
}

/// All of it for each check-in.
struct StatementUse {
    name: String,
    calls: f64,
    plans: f64,
    execution_ms: f64,
    planning_ms: f64,
    wal_bytes: f64,
    pages: f64,
}

/// All of it for each check-in.
struct Written {
    relation: String,
    record: String,
    records: f64,
    bytes: f64,
}

impl Profiler {
    pub(super) async fn new(stage: &Stage) -> Result<Self> {
        let db = stage.connect_admin().await?;
        let made = db.batch_execute("CREATE EXTENSION pg_walinspect").await;
        if let Err(error) = &made {
            output::note(&format!(
                "what is written where is left out: it needs Postgres 15 and its extension pg_walinspect ({error})"
            ));
        }
        Ok(Self {
            db,
            has_wal: made.is_ok(),
        })
    }

    /// Forgets what statements did, and says where the WAL is now.
    pub(super) async fn begin(&self) -> Result<String> {
        let sql = "SELECT pg_current_wal_flush_lsn()::text, pg_stat_statements_reset()::text";
        let row = self.db.query_one(sql, &[]).await;
        Ok(row.context("beginning a profile")?.get(0))
    }

    /// What `count` check-ins did since [`Profiler::begin`] returned `from`.
    pub(super) async fn end(&self, from: &str, count: u32) -> Result<Profile> {
        let each = f64::from(count);
        let rows = self
            .db
            .query(STATEMENTS, &[&each])
            .await
            .context("reading pg_stat_statements")?;
        let statements = rows.iter().map(|row| StatementUse {
            name: name_of(row.get(0)),
            calls: row.get(1),
            plans: row.get(2),
            execution_ms: row.get(3),
            planning_ms: row.get(4),
            wal_bytes: row.get(5),
            pages: row.get(6),
        });
        let statements = statements.collect();
        let mut written = Vec::new();
        if self.has_wal {
            let rows = self.db.query(WRITTEN, &[&from, &each]).await;
            for row in rows.context("reading the WAL")? {
                written.push(Written {
                    relation: row.get(0),
                    record: row.get(1),
                    records: row.get(2),
                    bytes: row.get(3),
                });
            }
        }
        Ok(Profile {
            statements,
            written,
        })
    }
}

impl Profile {
    /// Two tables.
    pub(super) fn as_text(&self) -> String {
        let mut text = format!(
            "  {:<30} {:>6} {:>6} {:>8} {:>8} {:>7} {:>7}\n",
            "statement", "calls", "plans", "run ms", "plan ms", "WAL B", "pages"
        );
        for line in &self.statements {
            // Writing to a string does not fail.
            let _ = writeln!(
                text,
                "  {:<30} {:>6.2} {:>6.2} {:>8.3} {:>8.3} {:>7.0} {:>7.1}",
                line.name,
                line.calls,
                line.plans,
                line.execution_ms,
                line.planning_ms,
                line.wal_bytes,
                line.pages
            );
        }
        if self.written.is_empty() {
            return text;
        }
        let _ = writeln!(
            text,
            "  {:<52} {:<24} {:>7} {:>7}",
            "written to", "record", "records", "bytes"
        );
        for line in &self.written {
            let _ = writeln!(
                text,
                "  {:<52} {:<24} {:>7.2} {:>7.0}",
                line.relation, line.record, line.records, line.bytes
            );
        }
        text
    }

    /// All of it.
    pub(super) fn as_json(&self) -> Value {
        let statements = self.statements.iter().map(|line| {
            json!({
                "statement": line.name, "calls": line.calls, "plans": line.plans, "run_ms": line.execution_ms,
                "plan_ms": line.planning_ms, "wal_bytes": line.wal_bytes, "pages": line.pages,
            })
        });
        let written = self.written.iter().map(|line| {
            json!({
                "relation": line.relation, "record": line.record, "records": line.records, "bytes": line.bytes,
            })
        });
        json!({"statements": statements.collect::<Vec<_>>(), "written": written.collect::<Vec<_>>()})
    }
}

/// The name that the house has for a statement, else its beginning. Postgres shows it with a number for each constant, and
/// its own checks of foreign keys among them.
fn name_of(query: &str) -> String {
    if let Some((_select, table)) = query.split_once(" FROM ONLY ") {
        let table = table.split('"').nth(3).unwrap_or_default();
        return format!("key of {table}");
    }
    let skeleton = words(query);
    let ours = sal_store::statements::ALL.iter().copied().flatten();
    let mut found = ours.filter(|entry| words(entry.sql) == skeleton);
    found.next().map_or_else(
        || {
            let one_line = query.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
            one_line.chars().take(30).collect()
        },
        |entry| entry.name.to_owned(),
    )
}

/// Everything but constants and parameters.
fn words(sql: &str) -> Vec<&str> {
    let outside = sql.split('\'').step_by(2);
    outside
        .flat_map(|part| part.split(|c: char| !(c.is_ascii_alphanumeric() || "_$".contains(c))))
        .filter(|word| {
            let is_constant = ["", "NULL", "true", "false"].contains(word);
            !is_constant && !word.starts_with(|c: char| c == '$' || c.is_ascii_digit())
        })
        .collect()
}

const STATEMENTS: &str = "SELECT query, sum(calls)::float8 / $1, sum(plans)::float8 / $1, sum(total_exec_time) / $1,
        sum(total_plan_time) / $1, sum(wal_bytes)::float8 / $1, sum(shared_blks_hit + shared_blks_read)::float8 / $1
    FROM pg_stat_statements WHERE userid = 'sal'::regrole
    GROUP BY query HAVING sum(calls) > $1 / 100 ORDER BY sum(total_exec_time + total_plan_time) DESC";
/// A record is counted for the first page that it is about. Under 5 bytes for a check-in is not shown.
const WRITTEN: &str = "SELECT coalesce(c.relname::text, '-') AS relation, resource_manager || '/' || record_type AS record,
        count(*)::float8 / $2, sum(record_length)::float8 / $2
    FROM pg_get_wal_records_info($1::text::pg_lsn, pg_current_wal_flush_lsn()) w
    LEFT JOIN pg_class c ON c.relfilenode = substring(w.block_ref FROM 'rel \\d+/\\d+/(\\d+)')::oid
    GROUP BY 1, 2 HAVING sum(record_length) > 5 * $2 ORDER BY 4 DESC";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_known_by_its_words_whatever_stands_for_its_constants() {
        let entry = sal_store::checkin::write::ALL
            .iter()
            .find(|entry| entry.name == "insert_machine")
            .unwrap();
        let shown = entry
            .sql
            .replace("'Darwin'", "$7")
            .replace("false, 0", "$5, $6");
        assert_ne!(shown, entry.sql);
        assert_eq!(name_of(&shown), "insert_machine");
        assert_eq!(name_of("BEGIN"), "BEGIN");
        let check = "SELECT 1 FROM ONLY \"public\".\"server_machine\" x WHERE \"id\" OPERATOR(pg_catalog.=) $1 FOR KEY SHARE OF x";
        assert_eq!(name_of(check), "key of server_machine");
    }
}
