//! How the program was called. Deployments of the original call other programs, which are this one here or nothing.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use clap::error::{ContextKind, ContextValue};

/// The arguments. Sal's image is started by `/run.sh`, which in ours is this program and means the server; Compose's
/// `command: /run.sh` arrives as an argument, as ours has an entry point.
pub(crate) fn arguments() -> Vec<OsString> {
    understood(std::env::args_os().collect())
}

fn understood(mut arguments: Vec<OsString>) -> Vec<OsString> {
    let is_run_sh =
        |program: &OsString| Path::new(program).file_name() == Some(OsStr::new("run.sh"));
    let serve = OsString::from("serve");
    match arguments.as_mut_slice() {
        [_, only] if is_run_sh(only) => *only = serve,
        [program] if is_run_sh(program) => arguments.push(serve),
        _ => {}
    }
    arguments
}

/// What to say of a command that is not there, beside that.
pub(crate) fn hint(error: &clap::Error) -> Option<String> {
    let ContextValue::String(asked) = error.get(ContextKind::InvalidSubcommand)? else {
        return None;
    };
    let name = Path::new(asked).file_name().and_then(OsStr::to_str);
    match name? {
        "lab" | "demo" | "simulate" | "bench" => Some(format!(
            "`sal {asked}` is left out of this build, so that nothing in it can fill or fake a database in use. The image with the tag `rehearsal`, and the program that `cargo build` makes, have it."
        )),
        "python" | "python3" | "manage.py" => Some(
            "This server has no Python. The guide `Switch from Django Sal` has a table of what replaces each manage.py command; `sal user` and `sal key` manage accounts and API keys, `sal db` the database.".to_owned(),
        ),
        "bash" | "sh" | "ash" => Some(
            "This image has no shell. The one with the tag `debug` has: start it with `--entrypoint /bin/sh`.".to_owned(),
        ),
        "run.sh" => Some("`/run.sh` takes no arguments here; it starts the server.".to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn the_command_of_sals_image_is_the_server() {
        for called in [&["/run.sh"][..], &["/sal", "/run.sh"], &["sal", "run.sh"]] {
            let arguments = called.iter().map(OsString::from).collect();
            assert_eq!(
                understood(arguments).last(),
                Some(&"serve".into()),
                "{called:?}"
            );
        }
        for called in [
            &["sal"][..],
            &["/run.sh", "db", "check"],
            &["sal", "db", "run.sh"],
        ] {
            let arguments: Vec<_> = called.iter().map(OsString::from).collect();
            assert_eq!(understood(arguments.clone()), arguments);
        }
    }

    #[test]
    fn other_commands_of_it_are_answered_with_what_replaces_them() {
        for (called, said) in [
            (
                &["sal", "python", "manage.py", "createsuperuser"][..],
                "manage.py",
            ),
            (&["sal", "/bin/bash"], "no shell"),
            (&["sal", "./manage.py"], "no Python"),
            (&["sal", "run.sh", "x"], "no arguments"),
        ] {
            let error = Cli::try_parse_from(called).unwrap_err();
            let hint = hint(&error).unwrap();
            assert!(hint.contains(said), "{hint}");
        }
        let error = Cli::try_parse_from(["sal", "sevre"]).unwrap_err();
        assert_eq!(hint(&error), None);
    }
}
