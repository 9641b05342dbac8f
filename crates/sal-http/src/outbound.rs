//! Requests that this server makes because an administrator asked for them, and never otherwise.
//!
//! The doors have no HTTP client: the program hands one in, or none.

use std::{fmt, time::Duration};

use axum::body::Bytes;
use futures_util::future::BoxFuture;

/// Fetches a page of another server.
pub trait Outbound: Send + Sync {
    /// Gets an address. Redirects are not followed; at most `limit_bytes` of a body are read, within `patience`.
    fn get(
        &self,
        url: &str,
        patience: Duration,
        limit_bytes: usize,
    ) -> BoxFuture<'_, Result<Fetched, Unreachable>>;
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Its status.
    pub status: u16,
    /// Its body.
    pub body: Bytes,
}

/// There was no answer; the text says why, for an administrator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreachable(pub String);

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
