//! What waits in memory and is written a little later, so that a flood costs little: the program asks for it once a
//! second, and when it ends.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::BoxFuture;

use crate::App;

/// Something of which a part may wait.
pub trait Late: Send + Sync {
    /// Writes what waits. What cannot be written goes on waiting.
    fn write<'a>(&'a self, app: &'a App) -> BoxFuture<'a, ()>;
}

/// All of them.
#[derive(Default)]
pub(crate) struct Lates(Mutex<Vec<Arc<dyn Late>>>);

impl Lates {
    pub(crate) fn add(&self, late: Arc<dyn Late>) {
        self.all().push(late);
    }

    pub(crate) async fn write(&self, app: &App) {
        let all = self.all().clone();
        for late in all {
            late.write(app).await;
        }
    }

    fn all(&self) -> std::sync::MutexGuard<'_, Vec<Arc<dyn Late>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Lates {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Lates")
    }
}
