//! Chores of the house: `cargo xtask ci`, `arch`, `lines`, `docs [--check]`, `image`.
//!
//! `ci` is what every change must pass; the others are its parts that this repository
//! made for itself. Run from anywhere in the workspace. Exit code 0 is good, 1 found
//! something, 2 was called wrongly.

mod arch;
mod ci;
mod docs;
mod image;
mod lines;
mod one_connection;
mod output;
mod postgres;
mod quirks;
mod rust_strings;
mod sources;
mod sql_calls;
mod workspace;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;

const USAGE: &str = "\
Usage: cargo xtask COMMAND

  ci              format, lints, tests, and everything below; what CI runs
  arch            the directions between crates, crates nobody may use, and SQL that names no schema
  lines           files that grew too long: listed over 400 lines, refused over 600
  docs [--check]  write docs/reference/ from the program, or compare; quirks and their tests
  image [server|debug|rehearsal] [--profile NAME] [--target TRIPLE]
                  the container image; `./dev image` installs what it needs";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments.as_slice() {
        ["ci"] => ci::run(&root()),
        ["arch"] => arch::run(&root()),
        ["lines"] => lines::run(&root()),
        ["docs"] => docs::run(&root(), docs::Mode::Write),
        ["docs", "--check"] => docs::run(&root(), docs::Mode::Check),
        ["image", rest @ ..] => match image::Order::of(rest) {
            Some(order) => image::run(&root(), order),
            None => {
                output::problem(USAGE);
                return ExitCode::from(2);
            }
        },
        ["help" | "--help" | "-h"] => {
            output::line(USAGE);
            Ok(true)
        }
        _ => {
            output::problem(USAGE);
            return ExitCode::from(2);
        }
    };
    match finish(result) {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

/// Says why a chore could not be done; false when it failed or found something.
fn finish(result: Result<bool>) -> bool {
    result.unwrap_or_else(|error| {
        output::problem(&format!("error: {error:#}"));
        false
    })
}

/// The workspace's folder.
fn root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.parent().map(PathBuf::from).unwrap_or(here)
}
