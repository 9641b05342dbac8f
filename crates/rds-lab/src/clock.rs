//! The lab's clock: the caller's, plus a shift that plays a wrong clock.
//!
//! Everything "in AWS" (token age, credential expiry, `Date` headers) goes by it.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

/// Says what time it is.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The caller's clock with a shift that can be changed at any time.
#[derive(Clone)]
pub(crate) struct LabClock {
    base: Clock,
    shift: Arc<Mutex<SignedDuration>>,
}

impl LabClock {
    pub(crate) fn new(base: Clock) -> Self {
        Self {
            base,
            shift: Arc::default(),
        }
    }

    pub(crate) fn set_shift(&self, shift: SignedDuration) {
        *self.shift.lock().unwrap_or_else(PoisonError::into_inner) = shift;
    }

    pub(crate) fn now(&self) -> Timestamp {
        let shift = *self.shift.lock().unwrap_or_else(PoisonError::into_inner);
        let now = (self.base)();
        now.checked_add(shift).unwrap_or(now)
    }
}
