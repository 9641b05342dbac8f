//! The wall clock, handed in by the program so that tests can turn it.
//!
//! Everything that concerns AWS is wall-clock time: the moment in a token, the end of
//! credentials. A monotonic clock stands still while a container is frozen and would hide that
//! they have expired. Timeouts and back-off use tokio's clock instead.

use std::{sync::Arc, time::SystemTime};

use aws_smithy_async::time::TimeSource;
use jiff::Timestamp;

/// Answers the current moment.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The same clock for the AWS libraries.
#[derive(Clone)]
pub(crate) struct AwsClock(pub(crate) Clock);

impl TimeSource for AwsClock {
    fn now(&self) -> SystemTime {
        SystemTime::from((self.0)())
    }
}

impl std::fmt::Debug for AwsClock {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("AwsClock")
    }
}
