//! One file for each command; this one only chooses.

mod bench;
mod db;
mod demo;
mod reference;
mod serve;
mod simulate;
mod token;

use crate::cli::{Command, Iam};
use crate::config::Environment;
use crate::exit::Exit;
use crate::output;

/// Runs a command and turns its error into words and an exit code.
pub(crate) async fn run(command: Command) -> Exit {
    let outcome = match command {
        Command::Serve(arguments) => serve::run(arguments).await,
        Command::Db(what) => db::run(what).await,
        Command::Iam(Iam::Token(arguments)) => token::run(arguments).await,
        Command::Simulate(arguments) => simulate::run(arguments).await,
        Command::Demo(arguments) => demo::run(arguments).await,
        Command::Bench(what) => bench::run(what).await,
        Command::Reference { page } => Ok(reference::run(page)),
    };
    outcome.unwrap_or_else(|error| {
        output::failure(&error);
        Exit::Failed
    })
}

/// The warnings of a good environment; a bad one is printed whole.
fn checked(environment: Environment) -> Result<Vec<String>, Exit> {
    environment.finish().map_err(|problems| {
        for problem in &problems {
            output::problem(problem);
        }
        output::note("The environment has mistakes; `sal reference env` explains every variable.");
        Exit::Usage
    })
}
