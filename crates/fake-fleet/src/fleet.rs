//! A fleet: how many machines of which size, and what they have in common.

use crate::applications::{Application, applications};
use crate::catalogue::{Package, packages};
use crate::draw::Draw;
use crate::machine::Machine;

/// The seed of the demo fleet, the data of tests, lab, screenshots and load runs.
pub const DEMO_SEED: u64 = 7;

/// What a fleet is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FleetOptions {
    /// Everything follows from this number.
    pub seed: u64,
    /// How many machines [`Fleet::machines`] yields; [`Fleet::machine`] makes any index.
    pub machines: u32,
    /// Facts in one check-in of a Mac, over all its sources; at least about 45 are sent.
    /// Macs that run Puppet or Salt as well send more, other systems fewer.
    pub facts: usize,
    /// Managed items in one check-in of a Mac, over all its sources; at least about 25.
    pub items: usize,
}

impl Default for FleetOptions {
    /// The demo fleet: 40 machines, 150 facts and 100 managed items for a Mac.
    fn default() -> Self {
        Self {
            seed: DEMO_SEED,
            machines: 40,
            facts: 150,
            items: 100,
        }
    }
}

/// Machines that share one Munki repository.
#[derive(Clone, Debug)]
pub struct Fleet {
    pub(crate) options: FleetOptions,
    pub(crate) packages: Vec<Package>,
    pub(crate) applications: Vec<Application>,
    pub(crate) draw: Draw,
}

impl Fleet {
    /// Makes a fleet; cheap, as machines are made when they are asked for.
    #[must_use]
    pub fn new(options: FleetOptions) -> Self {
        let draw = Draw::root(options.seed);
        // Machines have two thirds of the repository at most, so that they differ.
        let packages = packages((options.items * 3 / 2).max(120), draw.at("packages"));
        Self {
            options,
            packages,
            applications: applications(draw.at("applications")),
            draw,
        }
    }

    /// The machine with this number; the same number is always the same machine.
    #[must_use]
    pub fn machine(&self, index: u32) -> Machine<'_> {
        Machine::new(self, index)
    }

    /// All machines, in order.
    pub fn machines(&self) -> impl Iterator<Item = Machine<'_>> {
        (0..self.options.machines).map(|index| self.machine(index))
    }

    /// What the fleet was made from.
    #[must_use]
    pub fn options(&self) -> &FleetOptions {
        &self.options
    }
}
