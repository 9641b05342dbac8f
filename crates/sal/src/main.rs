//! `sal`: arguments in, exit code out. Everything it does is in a library; this crate reads the configuration,
//! joins the libraries in `wiring.rs`, and is the only one that talks to the shell.

mod cli;
mod commands;
mod config;
mod escape;
mod exit;
mod invoked;
mod logging;
mod open_files;
mod output;
mod settings_py;
mod wiring;

use std::process::ExitCode;

use clap::Parser;

use crate::exit::Exit;

/// Gives back what a large submission took as soon as it is freed; glibc's keeps it in the arenas of its threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = match cli::Cli::try_parse_from(invoked::arguments()) {
        Ok(arguments) => arguments,
        Err(error) => return output::exit_of(exit::of_usage(&error)).into(),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            output::problem(&format!("the asynchronous runtime cannot start: {error}"));
            return Exit::Failed.into();
        }
    };
    let exit = runtime.block_on(commands::run(arguments.command));
    runtime.shutdown_timeout(std::time::Duration::from_secs(5));
    output::exit_of(exit).into()
}
