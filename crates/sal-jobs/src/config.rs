//! What the jobs need to know of the configuration.

use std::time::Duration;

/// The jobs' part of the configuration.
#[derive(Debug, Clone)]
pub struct JobsConfig {
    /// The least time between two looks at the search caches (`MAINT_FREQUENCY`).
    pub search_every: Duration,
    /// Days without a check-in after which a machine no longer counts as in use
    /// (`DOCKER_SAL_INACTIVE_UNDEPLOYED`); 0 for never.
    pub undeploy_after_days: u32,
    /// Days for which changes of machines are kept (`SAL_CHANGES_DAYS`).
    pub changes_days: u32,
    /// Facts whose values quick search finds (`SAL_SEARCH_FACTS`).
    pub search_facts: Vec<String>,
    /// What this server calls itself on the maintenance page.
    pub server: String,
    /// How often the working server looks for what is due.
    pub look_every: Duration,
    /// How often another server looks whether one works.
    pub stand_by: Duration,
    /// The pause between two batches, in which check-ins have the database for themselves.
    pub pause: Duration,
    /// Rows of a batch, at most.
    pub batch: usize,
    /// How far this server's clock may be from the database's. Ages are reckoned by the database's clock; `None`
    /// takes this server's without a look, for tests that set it.
    pub most_skew: Option<Duration>,
    /// Parts of a hundred of a table that a run may remove without a person's yes, where it is more than a few rows.
    pub most_share: u8,
}

impl Default for JobsConfig {
    fn default() -> Self {
        Self {
            search_every: Duration::from_secs(300),
            undeploy_after_days: 0,
            changes_days: 730,
            search_facts: Vec::new(),
            server: "sal".to_owned(),
            look_every: Duration::from_secs(10),
            stand_by: Duration::from_secs(30),
            pause: Duration::from_millis(25),
            batch: 2_000,
            most_skew: Some(Duration::from_secs(300)),
            most_share: 50,
        }
    }
}

impl JobsConfig {
    pub(crate) fn batch_rows(&self) -> i64 {
        i64::try_from(self.batch.max(1)).unwrap_or(i64::MAX)
    }
}
