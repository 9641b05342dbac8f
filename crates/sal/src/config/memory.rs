//! How much memory requests may take, where nobody said it: less in a small container.

use std::path::Path;

use super::Environment;

/// Where Linux shows the limits of a container.
pub(super) const CGROUPS: &str = "/sys/fs/cgroup";

/// `SAL_MEMORY_BUDGET`; without it the declared default, or a quarter of what the container has where that is less: the
/// rest is the program, its connections, and what the allocator has not given back yet.
pub(super) fn budget(environment: &mut Environment, limit: Option<u64>) -> usize {
    let declared: usize = environment.number(NAME);
    let is_given = environment.given(NAME).is_some();
    let share = limit.and_then(|bytes| usize::try_from(bytes / 4).ok());
    match share {
        Some(share) if !is_given => declared.min(share.max(LEAST)),
        _ => declared,
    }
}

/// `SAL_UNPACKED_LIMIT`; without it the declared default, or less where the budget is small: what is made of a byte takes
/// five and more, and one that is alone may still not take more than there is.
pub(super) fn unpacked_limit(environment: &mut Environment, budget: usize) -> usize {
    const NAME: &str = "SAL_UNPACKED_LIMIT";
    let declared: usize = environment.number(NAME);
    match environment.given(NAME) {
        Some(_) => declared,
        None => declared.min(budget / 8),
    }
}

/// The memory that this container may have, in bytes (the kernel's cgroup-v2.rst, memory.max; memory.rst for version 1).
pub(super) fn container_limit(cgroups: &Path) -> Option<u64> {
    let files = ["memory.max", "memory/memory.limit_in_bytes"];
    let texts = files
        .iter()
        .filter_map(|file| std::fs::read_to_string(cgroups.join(file)).ok());
    // `max` is no limit; version 1 writes a number near 2^63 for none.
    let mut limits = texts.filter_map(|text| text.trim().parse().ok());
    limits.find(|limit| *limit < NONE)
}

const NAME: &str = "SAL_MEMORY_BUDGET";

/// What the declaration asks for at least.
const LEAST: usize = 32 * 1024 * 1024;

/// No machine has as much.
const NONE: u64 = 1 << 60;

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1024 * 1024;

    #[test]
    fn a_small_container_has_a_small_budget() {
        for (given, limit, mib) in [
            (None, None, 256),
            (None, Some(4096 * MIB), 256),
            (None, Some(512 * MIB), 128),
            (None, Some(128 * MIB), 32),
            (None, Some(16 * MIB), 32),
            (Some("104857600"), Some(128 * MIB), 100),
        ] {
            let mut environment = Environment::of(given.map(|value| (NAME, value)));
            let bytes = budget(&mut environment, limit);
            assert_eq!(
                u64::try_from(bytes).unwrap(),
                mib * MIB,
                "{given:?} {limit:?}"
            );
        }
    }

    #[test]
    fn what_may_be_unpacked_follows_the_budget_unless_it_is_said() {
        let mib = |count: usize| count * 1024 * 1024;
        for (given, budget, limit) in [
            (None, mib(256), mib(32)),
            (None, mib(1024), mib(32)),
            (None, mib(32), mib(4)),
            (Some("16777216"), mib(32), mib(16)),
        ] {
            let mut environment = Environment::of(given.map(|value| ("SAL_UNPACKED_LIMIT", value)));
            assert_eq!(unpacked_limit(&mut environment, budget), limit);
        }
    }

    #[test]
    fn the_limit_is_read_as_either_kernel_interface_writes_it() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(container_limit(folder.path()), None);
        std::fs::write(folder.path().join("memory.max"), "max\n").unwrap();
        assert_eq!(container_limit(folder.path()), None);
        std::fs::write(folder.path().join("memory.max"), "134217728\n").unwrap();
        assert_eq!(container_limit(folder.path()), Some(128 * MIB));
        std::fs::remove_file(folder.path().join("memory.max")).unwrap();
        std::fs::create_dir(folder.path().join("memory")).unwrap();
        let old = folder.path().join("memory/memory.limit_in_bytes");
        std::fs::write(&old, "9223372036854771712\n").unwrap();
        assert_eq!(container_limit(folder.path()), None);
        std::fs::write(&old, "67108864\n").unwrap();
        assert_eq!(container_limit(folder.path()), Some(64 * MIB));
    }
}
