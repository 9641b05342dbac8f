//! A transaction again, when another writer got in between.

use sal_http::AppError;
use tracing::info;

/// Runs `attempt` until no other writer is in its way, five times at most. Each attempt is a transaction of its own.
pub(crate) async fn until_undisturbed<T, F>(attempt: impl Fn() -> F) -> Result<T, AppError>
where
    F: Future<Output = Result<T, AppError>>,
{
    let mut tries = 0;
    loop {
        match attempt().await {
            Err(AppError::Store(error)) if error.is_worth_a_retry() && tries < RETRIES => {
                tries += 1;
                info!(tries, "another writer changed the same rows, trying again");
            }
            other => return other,
        }
    }
}

/// How often a transaction is tried again.
const RETRIES: u32 = 4;
