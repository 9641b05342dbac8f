//! A transaction again, when another writer got in between.

use sal_http::{App, AppError};
use sal_store::StoreError;
use tracing::info;

/// Runs `attempt` until no other writer is in its way, five times at most, and once more when its connection had ended
/// while it lay in the pool. Each attempt is a transaction of its own; one whose COMMIT got no answer may have been
/// stored, and storing the same submission again changes nothing that the client's own second try would not.
pub(crate) async fn until_undisturbed<T, F>(attempt: impl Fn() -> F) -> Result<T, AppError>
where
    F: Future<Output = Result<T, AppError>>,
{
    let mut tries = 0;
    let mut lost = false;
    loop {
        match attempt().await {
            Err(AppError::Store(error)) if error.is_worth_a_retry() && tries < RETRIES => {
                tries += 1;
                info!(tries, "another writer changed the same rows, trying again");
            }
            Err(AppError::Store(error)) if error.lost_its_connection() && !lost => {
                lost = true;
                info!("the database connection had ended, trying another");
            }
            other => return other,
        }
    }
}

/// Whether a change was noted beside Sal's tables. Where ours are missing (`sal db init` makes them), the transaction is lost
/// and the next try goes without.
pub(crate) fn noted(outcome: Result<u64, StoreError>, app: &App) -> Result<(), AppError> {
    match outcome {
        Ok(_) => Ok(()),
        Err(error) if error.lacks_a_table() => {
            app.store.note_missing_tables();
            Err(StoreError::Overtaken.into())
        }
        Err(error) => Err(error.into()),
    }
}

/// How often a transaction is tried again.
const RETRIES: u32 = 4;
