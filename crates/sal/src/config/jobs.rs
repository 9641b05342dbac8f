//! What maintenance needs to know, as the environment says it.

use std::time::Duration;

use sal_jobs::JobsConfig;

use super::Environment;
use crate::wiring;

/// The jobs' part of the environment.
pub(crate) fn read(environment: &mut Environment) -> JobsConfig {
    let seconds: u32 = environment.number("MAINT_FREQUENCY");
    JobsConfig {
        search_every: Duration::from_secs(u64::from(seconds)),
        undeploy_after_days: environment.lenient_number("DOCKER_SAL_INACTIVE_UNDEPLOYED"),
        changes_days: environment.number("SAL_CHANGES_DAYS"),
        search_facts: environment.list("SAL_SEARCH_FACTS"),
        server: wiring::host_name().unwrap_or_else(|| "sal".to_owned()),
        ..JobsConfig::default()
    }
}

/// Whether this server may do the maintenance.
pub(crate) fn wanted(environment: &mut Environment) -> bool {
    environment.flag("SAL_JOBS")
}
