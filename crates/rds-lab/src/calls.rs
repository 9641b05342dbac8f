//! What was asked of the AWS stand-ins: which action, by whom, and whether a policy allowed it.
//!
//! For whoever wants to know which permissions a program really needs.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// An action that somebody called, however often.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Call {
    /// Such as `iam:GetRole`.
    pub action: String,
    /// The ARN of the role or user.
    pub principal: String,
    /// Whether a policy allowed it.
    pub allowed: bool,
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Calls(Mutex<BTreeSet<Call>>);

impl Calls {
    pub(crate) fn note(&self, call: Call) {
        self.with(|calls| calls.insert(call));
    }

    pub(crate) fn all(&self) -> Vec<Call> {
        self.with(|calls| calls.iter().cloned().collect())
    }

    pub(crate) fn forget(&self) {
        self.with(BTreeSet::clear);
    }

    fn with<T>(&self, use_it: impl FnOnce(&mut BTreeSet<Call>) -> T) -> T {
        use_it(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
