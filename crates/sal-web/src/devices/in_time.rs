//! How long a filter may take. What is given up is cancelled in the database too, when the connection is given back.

use std::time::Duration;

use sal_http::AppError;

/// The outcome of what a filter asks of the database, unless that takes too long. Nothing else may be asked on the same
/// connection then: it would wait for the rest.
///
/// # Errors
/// A bad request that says what to change.
pub(crate) async fn in_time<T>(
    asked: impl Future<Output = Result<T, AppError>>,
) -> Result<T, AppError> {
    tokio::time::timeout(LONGEST, asked)
        .await
        .unwrap_or_else(|_elapsed| Err(too_long(LONGEST)))
}

fn too_long(limit: Duration) -> AppError {
    AppError::BadRequest(format!(
        "The filter took longer than {} seconds and was stopped. Narrow it: name the fact, application or item it is \
         about, or add a condition on the machine, such as group or last_checkin.",
        limit.as_secs()
    ))
}

/// People wait no longer, and the database has others to answer.
const LONGEST: Duration = Duration::from_secs(20);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_takes_too_long_is_given_up_with_a_sentence() {
        let never = std::future::pending::<Result<(), AppError>>();
        let given_up = in_time(never).await;
        let Err(AppError::BadRequest(sentence)) = given_up else {
            panic!("{given_up:?}")
        };
        assert!(sentence.contains("longer than 20 seconds"), "{sentence}");
        assert_eq!(in_time(async { Ok(7) }).await.ok(), Some(7));
    }
}
