//! When and from where tokens were last used. Waits in memory and is written by the clock, so that no answer waits for it;
//! at most once a minute for each token.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use sal_http::{App, db::program_client, late::Late};
use sal_store::{
    StoreError,
    api_tokens::{ShownToken, touch_tokens},
    ids::TokenId,
};

/// The uses that are not written yet.
#[derive(Clone, Default)]
pub(crate) struct TokenUses(Arc<Mutex<HashMap<(TokenId, bool), Use>>>);

#[derive(Clone, Debug, PartialEq)]
struct Use {
    at: Timestamp,
    address: String,
}

impl TokenUses {
    /// Notes a use, unless one of the last minute is noted.
    pub(super) fn note(&self, token: &ShownToken, now: Timestamp, address: &str) {
        let noted = match token.is_former {
            true => token.former_used,
            false => token.last_used,
        };
        if noted.is_some_and(|noted| now.duration_since(noted) < BETWEEN) {
            return;
        }
        let used = Use {
            at: now,
            address: address.to_owned(),
        };
        self.uses().insert((token.id, token.is_former), used);
    }

    /// What cannot be written is lost: the next use is noted again.
    async fn flush(&self, app: &App) -> Result<(), StoreError> {
        let uses = std::mem::take(&mut *self.uses());
        if uses.is_empty() {
            return Ok(());
        }
        let (mut ids, mut at, mut addresses, mut is_former) = (vec![], vec![], vec![], vec![]);
        for ((id, former), used) in uses {
            ids.push(id);
            at.push(used.at);
            addresses.push(used.address);
            is_former.push(former);
        }
        let db = program_client(app).await?;
        touch_tokens(&db, &ids, &at, &addresses, &is_former).await?;
        Ok(())
    }

    fn uses(&self) -> MutexGuard<'_, HashMap<(TokenId, bool), Use>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Late for TokenUses {
    fn write<'a>(&'a self, app: &'a App) -> BoxFuture<'a, ()> {
        async move {
            if let Err(error) = self.flush(app).await {
                tracing::warn!("that tokens are in use could not be noted: {error}");
            }
        }
        .boxed()
    }
}

const BETWEEN: SignedDuration = SignedDuration::from_mins(1);
