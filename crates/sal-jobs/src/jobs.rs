//! The list of jobs.

use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::{
    applications,
    config::JobsConfig,
    deactivated, inactive, leftovers, machine_changes, retention, search, sessions, snapshots,
    work::{JobError, Outcome, Work},
};

/// Something that is done now and then.
pub struct Job {
    /// Its name, for the command line, the page and the metrics.
    pub name: &'static str,
    /// What it does, in one sentence.
    pub what: &'static str,
    /// How often.
    pub every: fn(&JobsConfig) -> Duration,
    /// Does it, or counts what it would do.
    pub(crate) run: for<'a> fn(&'a Work<'a>) -> BoxFuture<'a, Result<Outcome, JobError>>,
}

/// All jobs.
pub const JOBS: &[Job] = &[
    retention::JOB,
    machine_changes::JOB,
    snapshots::JOB,
    inactive::JOB,
    sessions::JOB,
    deactivated::JOB,
    leftovers::JOB,
    search::JOB,
    applications::JOB,
];

/// The job of this name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Job> {
    JOBS.iter().find(|job| job.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_job_has_a_name_of_its_own_and_is_explained() {
        let mut names: Vec<_> = JOBS.iter().map(|job| job.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), JOBS.len());
        for job in JOBS {
            assert!(job.what.ends_with('.'), "{}", job.name);
            let plain = |c: char| c.is_ascii_lowercase() || c == '-';
            assert!(job.name.chars().all(plain), "{}", job.name);
            assert!((job.every)(&JobsConfig::default()) >= Duration::from_secs(60));
        }
    }
}
