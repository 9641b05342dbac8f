//! `sal key`.

use clap::{Args, Subcommand};

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
    /// Tokens: as keys, with an end, for some business units, for reading or writing.
    #[command(
        subcommand,
        after_help = "Example: sal key token create imaging --owner admin --write --keys --unit Labs"
    )]
    Token(ApiToken),
    /// Keys of machine groups: what Macs check in with.
    #[command(
        subcommand,
        after_help = "Example: sal key group rotate Labs --overlap-days 30"
    )]
    Group(GroupKey),
}

/// `sal key group`.
#[derive(Debug, Subcommand)]
pub(crate) enum GroupKey {
    /// List the machine groups, and how many machines still use a previous key. Keys are not shown.
    #[command(after_help = "Example: sal key group list --json")]
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Give a group a new key and print it; the present one goes on working for a while.
    #[command(after_help = "Example: sal key group rotate Labs --overlap-days 30")]
    Rotate {
        /// The group's name, or its number where several have that name.
        group: String,
        /// Days that the present key goes on working; 0 ends it now, and those before it.
        #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u16).range(..=365))]
        overlap_days: u16,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// End the previous keys of a group: machines that still use one are refused.
    #[command(after_help = "Example: sal key group end Labs --yes")]
    End {
        /// The group's name, or its number where several have that name.
        group: String,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
}

/// `sal key token`.
#[derive(Debug, Subcommand)]
pub(crate) enum ApiToken {
    /// List the tokens, those that were revoked last.
    #[command(after_help = "Example: sal key token list --json")]
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Make a token and print its secret, once.
    #[command(
        after_help = "Example: sal key token create imaging --owner admin --write --keys --unit Labs"
    )]
    Create(NewToken),
    /// Print a new secret of a token, once; the present one goes on working for a while.
    #[command(after_help = "Example: sal key token rotate imaging --overlap-days 1")]
    Rotate {
        /// Its name.
        name: String,
        /// Days that the present secret goes on working; 0 ends it now.
        #[arg(long, default_value_t = sal_http::api_token::USUAL_OVERLAP_DAYS, value_parser = clap::value_parser!(u16).range(..=90))]
        overlap_days: u16,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Refuse a token from now on.
    #[command(after_help = "Example: sal key token revoke imaging --yes")]
    Revoke {
        /// Its name.
        name: String,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
}

/// `sal key token create`.
#[derive(Debug, Args)]
pub(crate) struct NewToken {
    /// What it is for.
    pub(crate) name: String,
    /// The user name of a global admin. The token never does what its owner may not.
    #[arg(long)]
    pub(crate) owner: String,
    /// Days that it lasts; 0 for as long as nobody revokes it.
    #[arg(long, default_value_t = sal_http::api_token::USUAL_DAYS)]
    pub(crate) days: u16,
    /// It may also change things.
    #[arg(long)]
    pub(crate) write: bool,
    /// It sees the keys of machine groups.
    #[arg(long)]
    pub(crate) keys: bool,
    /// Only this business unit, by its name; can be given several times.
    #[arg(long)]
    pub(crate) unit: Vec<String>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}
