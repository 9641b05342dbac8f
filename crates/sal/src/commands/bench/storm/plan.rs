//! When each check-in is due, and on which connection.

use std::time::Duration;

use tokio::time::Instant;

use crate::cli::BenchStorm;

/// The phases, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// An ordinary day.
    Calm,
    /// Everybody at once.
    Storm,
    /// An ordinary day again.
    Recovery,
}

impl Phase {
    pub(super) const ALL: [Self; 3] = [Self::Calm, Self::Storm, Self::Recovery];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Calm => "calm",
            Self::Storm => "storm",
            Self::Recovery => "recovery",
        }
    }
}

/// The moments of a phase.
pub(super) struct Schedule {
    /// All connections are opened when it begins.
    pub(super) at_once: bool,
    began: Instant,
    rate: u32,
    count: u32,
    connections: u32,
}

impl Schedule {
    pub(super) fn of(phase: Phase, arguments: &BenchStorm, now: Instant) -> Self {
        let (rate, seconds) = match phase {
            Phase::Calm => (arguments.calm_rate, arguments.calm_seconds),
            Phase::Storm => (arguments.rate, arguments.seconds),
            Phase::Recovery => (arguments.calm_rate, arguments.recovery_seconds),
        };
        Self {
            at_once: phase == Phase::Storm,
            began: now + Duration::from_millis(50),
            rate: rate.max(1),
            count: rate.max(1).saturating_mul(seconds),
            connections: arguments.machines.max(1),
        }
    }

    /// When the check-ins of a connection are due: each connection has its turn, again and again.
    pub(super) fn dues(&self, connection: u32) -> impl Iterator<Item = (Duration, Instant)> {
        let step = usize::try_from(self.connections).unwrap_or(usize::MAX);
        (connection..self.count).step_by(step).map(|number| {
            let after = Duration::from_secs(1).saturating_mul(number) / self.rate;
            (after, self.began + after)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_connections_take_turns_and_nothing_is_left_out() {
        let schedule = Schedule {
            at_once: false,
            began: Instant::now(),
            rate: 4,
            count: 10,
            connections: 3,
        };
        let of = |connection| -> Vec<u128> {
            schedule
                .dues(connection)
                .map(|(after, _)| after.as_millis())
                .collect()
        };
        assert_eq!(of(0), [0, 750, 1500, 2250]);
        assert_eq!(of(1), [250, 1000, 1750]);
        assert_eq!(of(2), [500, 1250, 2000]);
    }
}
