//! The same answers by plain SQL: prepared once, sent together over one open connection, all rows read.

use std::time::Duration;

use anyhow::{Context, Result};
use futures_util::future::try_join_all;
use tokio::time::Instant;
use tokio_postgres::{Client, Statement};

/// Statements that are ready to run.
pub(super) struct ByHand<'a> {
    db: &'a Client,
    statements: Vec<Statement>,
}

impl<'a> ByHand<'a> {
    pub(super) async fn prepare(sql: &[String], db: &'a Client) -> Result<Self> {
        let mut statements = Vec::new();
        for sql in sql {
            let statement = db.prepare(sql).await;
            statements.push(statement.with_context(|| format!("preparing {sql}"))?);
        }
        Ok(Self { db, statements })
    }

    /// Runs them and says how long it took, and how many rows it were.
    pub(super) async fn run(&self) -> Result<(Duration, usize)> {
        let started = Instant::now();
        let sent = self
            .statements
            .iter()
            .map(|statement| self.db.query(statement, &[]));
        let rows = try_join_all(sent).await.context("plain SQL")?;
        Ok((started.elapsed(), rows.iter().map(Vec::len).sum()))
    }
}
