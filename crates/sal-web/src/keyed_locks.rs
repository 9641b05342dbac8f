//! A lock for each key, for work that one request does and others wait for.
//!
//! Waiting happens without a database connection: take the lock first, the connection after it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::Mutex as AsyncMutex;

/// Values behind locks, made at their first use.
pub(crate) struct KeyedLocks<T>(Mutex<HashMap<String, Arc<AsyncMutex<T>>>>);

impl<T> Default for KeyedLocks<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Default> KeyedLocks<T> {
    /// The value of a key. Beyond [`MOST_KEYS`], those that nobody uses now are forgotten.
    pub(crate) fn of(&self, key: &str) -> Arc<AsyncMutex<T>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST_KEYS && !all.contains_key(key) {
            all.retain(|_, value| Arc::strong_count(value) > 1);
        }
        Arc::clone(all.entry(key.to_owned()).or_default())
    }
}

/// One for each page of numbers that somebody looks at.
const MOST_KEYS: usize = 200;
