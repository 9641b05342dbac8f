//! Exit codes, the same for every command. A reader that goes early (`sal … | head`) changes none of them: what was done
//! was done. Data that was lost otherwise (a full disk) is [`Exit::Failed`].

use std::process::ExitCode;

use crate::{invoked, output};

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Done,
    /// It failed.
    Failed,
    /// The command line or the configuration is wrong.
    Usage,
    /// It worked, and found problems.
    FoundProblems,
    /// Somebody has to say yes: `--yes`, or an answer on a terminal.
    NeedsConfirmation,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::FoundProblems => 3,
            Exit::NeedsConfirmation => 4,
        })
    }
}

/// Prints what the parser has to say: help is an answer, anything else is wrong usage.
pub(crate) fn of_usage(error: &clap::Error) -> Exit {
    let text = error.to_string();
    if error.use_stderr() {
        output::note(text.trim_end());
        if let Some(hint) = invoked::hint(error) {
            output::note(&format!("\n{hint}"));
        }
        return Exit::Usage;
    }
    output::data(text.trim_end());
    Exit::Done
}
