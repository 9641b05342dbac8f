//! `sal import-settings`.

use clap::Args;

/// `sal import-settings`.
#[derive(Debug, Args)]
pub(crate) struct ImportSettings {
    /// The settings.py; `-` for standard input.
    pub(crate) file: std::path::PathBuf,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}
