//! `sal compare`.

use clap::Args;

/// `sal compare`.
#[derive(Debug, Args)]
pub(crate) struct Compare {
    /// URL of the current server, such as your Django Sal.
    pub(crate) old: String,
    /// URL of the server to compare with it.
    pub(crate) new: String,
    /// Compare the numbers behind the widgets as this user, whose password at both is in `SAL_COMPARE_PASS`.
    #[arg(long)]
    pub(crate) user: Option<String>,
    /// Which machines' numbers: `all`, `business_unit/ID` or `machine_group/ID`.
    #[arg(long, default_value = "all", requires = "user")]
    pub(crate) place: String,
    /// Ask for the inventories of this many machines with the key in `SAL_COMPARE_KEY`.
    #[arg(long, default_value_t = 20)]
    pub(crate) machines: usize,
    /// Compare the tables: of this database (the old server's), and of DB_NAME (the new server's), both at DB_HOST.
    #[arg(long)]
    pub(crate) old_database: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}
