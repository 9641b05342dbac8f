//! From password login to IAM login on RDS and Aurora Postgres, and back.
//!
//! `inventory` reads what is there, `plan` (pure) decides the steps, `run` carries them out under a
//! lock, with a journal, a guard against locking anybody out, and a way back; `verify` proves the
//! result, `doctor` finds out what is wrong. Knows nothing of the program that uses the database.
//! Nothing here prints, exits, reads the environment or the clock.

pub mod aws;
pub mod check;
pub mod compare;
pub mod doctor;
mod error;
pub mod inventory;
pub mod journal;
pub mod logins;
pub mod plan;
pub mod policy;
pub mod report;
pub mod run;
mod script;
pub mod sql;
pub mod status;
mod steps;
pub mod unlock;
pub mod verify;
pub mod visible;
mod wish;

pub use self::{
    error::CutoverError,
    steps::{Action, By, LoginEffect, Step},
    wish::{LostGrants, RdsSuperuser, Wish},
};
