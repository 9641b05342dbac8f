//! What the administrator wants: who logs in by password today, who by IAM tomorrow, and where.
//!
//! Plain values; what is possible is decided by `plan.rs` on the inventory.

use serde::Serialize;

/// Whose password login becomes whose IAM login.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Wish {
    /// The user of the present deployment (`DB_USER`), who logs in with a password.
    pub old_user: String,
    /// The user to log in with IAM; `salawsiam` on Sal's wiki page.
    pub new_user: String,
    /// The role that owns the objects when the old user is the master user.
    pub owner_role: String,
    /// The databases of the deployment, the first one first.
    pub databases: Vec<String>,
    /// Also grant `rds_superuser`, as the wiki page does; never needed.
    pub rds_superuser: RdsSuperuser,
    /// What to do where the owner role cannot have everything that was granted to the master user.
    pub lost_grants: LostGrants,
}

/// What was granted to the master user by others and cannot be passed on to the owner role.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LostGrants {
    /// The plan is refused: the running deployment would lose it.
    #[default]
    Refuse,
    /// Somebody looked, and the deployment needs none of it.
    Accept,
}

/// Whether the new user is to become a member of `rds_superuser`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RdsSuperuser {
    /// It is not: membership in the old role is all it needs.
    #[default]
    Leave,
    /// The wiki page's own way, on explicit request.
    Grant,
}

impl Wish {
    /// A wish with the usual names for one database.
    #[must_use]
    pub fn new(old_user: &str, new_user: &str, database: &str) -> Self {
        Self {
            old_user: old_user.to_owned(),
            new_user: new_user.to_owned(),
            owner_role: format!("{database}_owner"),
            databases: vec![database.to_owned()],
            rds_superuser: RdsSuperuser::Leave,
            lost_grants: LostGrants::Refuse,
        }
    }
}
