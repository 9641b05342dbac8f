//! `sal search`.

use clap::Subcommand;

/// `sal search`.
#[derive(Debug, Subcommand)]
pub(crate) enum Search {
    /// Say of each saved search what it means here, and whether it finds other machines than in Sal, and why.
    ///
    /// For before and after a move: nothing is changed. Exit code 3 when a search cannot be read; Sal answers most of
    /// those with an error. Numbers such as Q-163 are explained in docs/compat/quirks.md.
    #[command(after_help = "Example: sal search check --json")]
    Check {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// List the saved searches with their owners and filters.
    #[command(after_help = "Example: sal search list")]
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Print the machines that a saved search or a filter finds, in use or not.
    #[command(
        after_help = "Example: sal search run 'os_version < 15.1 and last_checkin within 14d'"
    )]
    Run {
        /// The name of a saved search, or a filter.
        #[arg(value_name = "NAME|FILTER")]
        what: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}
