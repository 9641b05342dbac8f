//! `sal key`.

use clap::Subcommand;

/// `sal key`.
#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    /// List the keys, without their private parts.
    #[command(after_help = "Example: sal key list --json")]
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Make a key and show its private part, once.
    #[command(after_help = "Example: sal key add grafana")]
    Add {
        /// What it is for.
        name: String,
        /// Programs may change things with it, too.
        #[arg(long)]
        read_write: bool,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Remove a key: programs that show it are refused from then on.
    #[command(after_help = "Example: sal key revoke grafana --yes")]
    Revoke {
        /// Its name, or its public part.
        key: String,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}
