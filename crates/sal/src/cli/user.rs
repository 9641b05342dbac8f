//! `sal user`.

use clap::{Args, Subcommand};

/// `sal user`.
#[derive(Debug, Subcommand)]
pub(crate) enum User {
    /// Link an account of the provider to a user: whoever logs in with it is that user from now on.
    ///
    /// The page that refuses a person's login shows issuer and subject. Nobody becomes a user by having the same name.
    #[command(
        after_help = "Example: sal user link anna --issuer https://login.example.org/realms/staff --subject 0f3c77aa"
    )]
    Link(LinkedAccount),
    /// Take an account of the provider from a user, and end the user's sessions.
    #[command(after_help = "Example: sal user unlink anna --subject 0f3c77aa")]
    Unlink(LinkedAccount),
    /// List the accounts that are linked to a user.
    #[command(after_help = "Example: sal user links anna --json")]
    Links {
        /// The user's name, spelled exactly.
        name: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

/// An account, and whose it is.
#[derive(Debug, Args)]
pub(crate) struct LinkedAccount {
    /// The user's name, spelled exactly.
    pub(crate) name: String,
    /// The provider, as it calls itself; by default SAL_OIDC_ISSUER.
    #[arg(long)]
    pub(crate) issuer: Option<String>,
    /// The account's id at the provider (the claim `sub`).
    #[arg(long)]
    pub(crate) subject: String,
    /// Do not ask.
    #[arg(long)]
    pub(crate) yes: bool,
}
