//! What the environment of this process says, as far as pages and check-ins use it. No secrets are among it.

use sal_http::HttpConfig;

/// A variable and what it means here.
pub(super) struct EnvironmentLine {
    pub(super) name: &'static str,
    pub(super) value: String,
}

/// The values that count, whether they were set or are defaults.
pub(super) fn environment(config: &HttpConfig) -> Vec<EnvironmentLine> {
    let mut historical: Vec<_> = config.historical_facts.iter().cloned().collect();
    historical.sort_unstable();
    let ignored = config.ignore_facts.as_ref();
    let zone = config.time_zone.iana_name().unwrap_or("UTC");
    let lines = [
        ("DOCKER_SAL_DISPLAY_NAME", config.display_name.clone()),
        ("DOCKER_SAL_TZ", zone.to_owned()),
        ("DOCKER_SAL_BASIC_AUTH", config.basic_auth.to_string()),
        (
            "DOCKER_SAL_DEPLOYED_ON_CHECKIN",
            config.deployed_on_checkin.to_string(),
        ),
        ("SAL_ADD_NEW_MACHINES", config.add_new_machines.to_string()),
        ("SAL_HISTORICAL_FACTS", historical.join(", ")),
        (
            "SAL_IGNORE_FACTS",
            ignored
                .map(|pattern| pattern.as_str().to_owned())
                .unwrap_or_default(),
        ),
        ("SAL_BODY_LIMIT", config.body_limit_bytes.to_string()),
        (
            "SAL_UNPACKED_LIMIT",
            config.unpacked_limit_bytes.to_string(),
        ),
        ("SAL_ADDRESS_LIMIT", config.address_limit.to_string()),
        ("SAL_KEY_LIMIT", config.key_limit.to_string()),
        ("SAL_MACHINE_LIMIT", config.machine_limit.to_string()),
        ("SAL_JOURNAL_ROWS", config.journal_rows.to_string()),
        ("SAL_KEEP_REJECTED", config.rejected_bodies.to_string()),
    ];
    lines
        .into_iter()
        .map(|(name, value)| EnvironmentLine { name, value })
        .collect()
}
