//! `sal bench`: each benchmark measures against baselines of its own in the same run, so that its ratios hold on any
//! machine.

mod api;
mod checkin;
mod figures;
mod fill;
mod inventory;
mod login;
mod meter;
mod ours;
mod pages;
mod plain_sql;
mod profile;
mod relay;
mod search;
mod siege;
mod stage;
mod steady;
mod storm;

use anyhow::Result;

use crate::cli::Bench;
use crate::exit::Exit;

/// Runs a benchmark.
pub(crate) async fn run(what: Bench) -> Result<Exit> {
    match what {
        Bench::Login { logins, json } => login::run(logins, json).await,
        Bench::Checkin(arguments) => checkin::run(&arguments).await,
        Bench::Inventory(arguments) => inventory::run(&arguments).await,
        Bench::Steady(arguments) => steady::run(&arguments).await,
        Bench::Storm(arguments) => storm::run(&arguments).await,
        Bench::Pages(arguments) => pages::run(&arguments).await,
        Bench::Search(arguments) => search::run(&arguments).await,
        Bench::Api(arguments) => api::run(&arguments).await,
        Bench::Siege(arguments) => siege::run(&arguments).await,
        Bench::Relay(arguments) => relay::run(&arguments).await,
    }
}
