//! Seeded machines and their submissions; speaks the protocol as bytes, to any Sal.
//!
//! The same seed gives the same bytes, on every machine and in every version of a
//! dependency. Start at [`Fleet`]; [`simulate`] lets a whole fleet check in over HTTP.
//! Knows nothing of this server: the original Django Sal can be driven just as well.
//! The demo fleet of tests, lab and screenshots is [`DEMO_SEED`].

pub mod client;
pub mod fleet;
pub mod hostile;
pub mod machine;
pub mod simulation;
pub mod submission;
pub mod yardstick;

mod applications;
mod catalogue;
mod draw;
mod past;
mod sections;
mod words;

pub use client::{Client, ClientError, Outcome};
pub use fleet::{DEMO_SEED, Fleet, FleetOptions};
pub use machine::{Family, Machine, Mishap};
pub use past::ItemPast;
pub use simulation::{Progress, Report, Simulation, SimulationError, simulate};
pub use submission::Submission;
pub use yardstick::Yardstick;
