//! Behaves like RDS and the AWS services a login needs.
//!
//! A private Postgres dressed as RDS behind a gate that speaks TLS and checks IAM tokens, and
//! stand-ins for STS, IMDS and the container credential endpoints whose credentials the gate
//! knows. It fails on demand: see [`Faults`]. Its token check shares no code with the crate that
//! signs tokens: a judge must not use the defendant's ruler.
//! Start at [`Lab::start`]; the gate is `front.rs`, the judge is `verify.rs`.

mod auth_service;
mod aws;
mod breakage;
mod calls;
mod certs;
mod clock;
mod credentials;
mod database;
mod directory;
mod error;
mod faults;
mod front;
mod instance;
mod lab;
mod options;
mod pam;
mod pattern;
mod policy;
mod rate;
mod record;
mod shape;
pub mod verify;

pub use aws::Requests;
pub use breakage::{BREAKAGES, Breakage, Deployment};
pub use calls::Call;
pub use clock::Clock;
pub use credentials::{Credential, Identity};
pub use error::LabError;
pub use faults::{AuthHealth, EndpointHealth, Faults, InstanceRole, PolicyFault, Service};
pub use lab::{Lab, OldConnections};
pub use options::{DirectTls, ForceSsl, IamAuthentication, LabOptions};
pub use pam::Pam;
pub use record::{AuthEvent, Metrics, Outcome, Reason};
pub use shape::{Door, Shape};
