//! `sal user`.

use clap::{Args, Subcommand};

/// `sal user`.
#[derive(Debug, Subcommand)]
pub(crate) enum User {
    /// List users with levels and business units.
    #[command(after_help = "Example: sal user list --json")]
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Make a user. The password is asked for at the terminal, or read from standard input; it is never an argument.
    #[command(
        after_help = "Examples: sal user add anna --level RW --unit Science\n          sal user add root --level GA --superuser    # createsuperuser of Django"
    )]
    Add(AddedUser),
    /// Give a user another password, which ends the user's sessions.
    #[command(
        after_help = "Example: sal user password anna --password-stdin < /run/secrets/annas_password"
    )]
    Password {
        /// The user's name, spelled exactly.
        name: String,
        /// Read it from standard input instead of asking.
        #[arg(long)]
        password_stdin: bool,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Give a user another level.
    #[command(after_help = "Example: sal user level anna GA")]
    Level {
        /// The user's name, spelled exactly.
        name: String,
        /// GA (global admin), RW (read and write), RO (read only) or SO (numbers only).
        #[arg(ignore_case = true)]
        level: LevelName,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Let a global admin manage users (staff), or no longer.
    #[command(after_help = "Example: sal user staff anna --remove")]
    Staff {
        /// The user's name, spelled exactly.
        name: String,
        /// Take staff away.
        #[arg(long)]
        remove: bool,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
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

/// `sal user add`.
#[derive(Debug, Args)]
pub(crate) struct AddedUser {
    /// The name to log in with.
    pub(crate) name: String,
    /// GA (global admin), RW (read and write), RO (read only) or SO (numbers only).
    #[arg(long, ignore_case = true, default_value = "RO")]
    pub(crate) level: LevelName,
    /// A business unit whose machines the user sees, by name; several times for several. Global admins see all.
    #[arg(long)]
    pub(crate) unit: Vec<String>,
    /// May manage users; for global admins.
    #[arg(long)]
    pub(crate) staff: bool,
    /// What Django calls a superuser, which counts in a Django Sal's own pages; for global admins, and makes them staff.
    #[arg(long)]
    pub(crate) superuser: bool,
    /// First name.
    #[arg(long, default_value = "")]
    pub(crate) first_name: String,
    /// Last name.
    #[arg(long, default_value = "")]
    pub(crate) last_name: String,
    /// E-mail address.
    #[arg(long, default_value = "")]
    pub(crate) email: String,
    /// Read the password from standard input instead of asking.
    #[arg(long)]
    pub(crate) password_stdin: bool,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// A level, as Sal names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LevelName {
    /// Global admin.
    #[value(name = "GA")]
    GlobalAdmin,
    /// Read and write.
    #[value(name = "RW")]
    ReadWrite,
    /// Read only.
    #[value(name = "RO")]
    ReadOnly,
    /// Numbers only.
    #[value(name = "SO")]
    StatsOnly,
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
