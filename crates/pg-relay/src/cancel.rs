//! Which server a cancel request has to go to: the one whose session gave the key.
//!
//! Behind a name that fails over, another server may answer by now; the key remembers the address.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use pg_frames::CancelKey;
use rds_iam::Connector;

/// Keys of the sessions that are open.
#[derive(Default)]
pub(crate) struct CancelKeys(Mutex<HashMap<(u32, Vec<u8>), Target>>);

/// Where a session lives.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) connector: Arc<Connector>,
    pub(crate) address: SocketAddr,
}

impl CancelKeys {
    /// Remembers a key until the guard is dropped.
    pub(crate) fn remember(self: &Arc<Self>, key: CancelKey, target: Target) -> Remembered {
        let key = (key.process_id, key.secret);
        self.keys().insert(key.clone(), target);
        Remembered {
            keys: Arc::clone(self),
            key,
        }
    }

    pub(crate) fn find(&self, key: &CancelKey) -> Option<Target> {
        self.keys()
            .get(&(key.process_id, key.secret.clone()))
            .cloned()
    }

    fn keys(&self) -> MutexGuard<'_, HashMap<(u32, Vec<u8>), Target>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A remembered key.
pub(crate) struct Remembered {
    keys: Arc<CancelKeys>,
    key: (u32, Vec<u8>),
}

impl Drop for Remembered {
    fn drop(&mut self) {
        self.keys.keys().remove(&self.key);
    }
}
