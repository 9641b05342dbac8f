//! One line of a report: what was looked at, how it is, why we think so, what to do.

use serde::Serialize;

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// As it should be.
    Ok,
    /// It could not be looked at.
    Unknown,
    /// It works, and should be looked at.
    Attention,
    /// It does not work.
    Problem,
}

/// One line of a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// A stable name, such as `iam-authentication`.
    pub id: &'static str,
    /// What was looked at.
    pub title: String,
    /// How it is.
    pub status: Status,
    /// Why we think so.
    pub evidence: String,
    /// What to do; empty when nothing is to be done.
    pub next: String,
    /// Which permission is missing to look at it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permission: Option<String>,
}

impl Check {
    /// As it should be.
    pub fn ok(id: &'static str, title: impl Into<String>, evidence: impl Into<String>) -> Self {
        Self::new(id, title, Status::Ok, evidence, "")
    }

    /// It works, and should be looked at.
    pub fn attention(
        id: &'static str,
        title: impl Into<String>,
        evidence: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        Self::new(id, title, Status::Attention, evidence, next)
    }

    /// It does not work.
    pub fn problem(
        id: &'static str,
        title: impl Into<String>,
        evidence: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        Self::new(id, title, Status::Problem, evidence, next)
    }

    /// It could not be looked at.
    pub fn unknown(
        id: &'static str,
        title: impl Into<String>,
        evidence: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        Self::new(id, title, Status::Unknown, evidence, next)
    }

    fn new(
        id: &'static str,
        title: impl Into<String>,
        status: Status,
        evidence: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        Self {
            id,
            title: title.into(),
            status,
            evidence: evidence.into(),
            next: next.into(),
            permission: None,
        }
    }

    /// The same, where a permission is missing to look at it.
    #[must_use]
    pub fn denied(self, permission: &str) -> Self {
        Self {
            permission: Some(permission.to_owned()),
            ..self
        }
    }
}

/// Whether any line is a problem.
#[must_use]
pub fn has_problems(checks: &[Check]) -> bool {
    checks.iter().any(|check| check.status == Status::Problem)
}
