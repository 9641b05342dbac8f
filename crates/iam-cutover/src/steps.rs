//! The steps: what, why, exactly how, how it is verified, how it is undone. One file for each.
//!
//! A step that is done already is not made, so that a second run continues the first one.

mod aws_side;
mod copy_settings;
mod create_role;
mod grant_membership;
mod grant_rds_iam;
mod owner_role;
mod revoke_members;
mod set_role;

use serde::Serialize;

use crate::{
    aws::AwsCall,
    inventory::{Edge, Inventory, Role, Setting},
    plan::Way,
    wish::Wish,
};

pub(crate) use self::{
    aws_side::aws_side, create_role::COMMENT as CREATED_COMMENT,
    owner_role::COMMENT as OWNER_COMMENT,
};

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// A stable name, such as `grant-rds-iam`.
    pub id: String,
    /// What is done.
    pub what: String,
    /// Why.
    pub why: String,
    /// Exactly how.
    pub action: Action,
    /// How it is verified.
    pub verified_by: String,
    /// How it is undone; empty when there is nothing to undo.
    pub undo: Vec<String>,
    /// Memberships (member, role) that must be gone afterwards: a REVOKE of somebody else's grant is only a warning.
    pub removes: Vec<(String, String)>,
    /// Whether it can decide who logs in how.
    pub logins: LoginEffect,
}

/// How a step is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Statements, in one transaction, as the administrator.
    Sql {
        /// The database to be in.
        database: String,
        /// The statements.
        statements: Vec<String>,
    },
    /// A call of an AWS API.
    Aws(AwsCall),
}

/// Whether a step can decide who logs in how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LoginEffect {
    /// It cannot; the administrator and the old user are tried all the same.
    None,
    /// From here on the new user logs in with IAM, and is tried.
    NewUser,
    /// The old user loses its login.
    OldUserOff,
    /// The old user gets its login back.
    OldUserBack,
    /// The new user loses its login.
    NewUserOff,
}

/// What a step is made from.
pub(crate) struct Context<'a> {
    pub(crate) wish: &'a Wish,
    pub(crate) inventory: &'a Inventory,
    pub(crate) way: Way,
    pub(crate) works_as: &'a str,
}

/// The steps in the database, in order.
pub(crate) fn database_side(context: &Context<'_>) -> Vec<Step> {
    let mut steps = owner_role::steps(context);
    steps.extend(revoke_members::step(context));
    steps.extend(create_role::step(context));
    steps.extend(grant_membership::steps(context));
    steps.extend(set_role::steps(context));
    steps.extend(copy_settings::step(context));
    steps.extend(grant_rds_iam::step(context));
    steps
}

/// Whether an existing new user has to be altered.
pub(crate) fn needs_change(context: &Context<'_>, new: &Role) -> bool {
    !create_role::alterations(context, new).is_empty()
        || set_role::missing(context).next().is_some()
        || copy_settings::missing(context).next().is_some()
}

/// Settings that cannot be copied.
pub(crate) fn uncopyable<'a>(context: &'a Context<'_>) -> impl Iterator<Item = &'a Setting> {
    copy_settings::all(context).filter(|setting| !copy_settings::may_copy(context, setting))
}

impl Context<'_> {
    pub(crate) fn old(&self) -> Option<&Role> {
        self.inventory.role(&self.wish.old_user)
    }

    pub(crate) fn new_role(&self) -> Option<&Role> {
        self.inventory.role(&self.wish.new_user)
    }

    /// The first database: where statements run that do not care.
    pub(crate) fn home(&self) -> String {
        self.wish.databases.first().cloned().unwrap_or_default()
    }

    /// Whether `member` is a direct member of `role`, in a way that lets it work as it.
    pub(crate) fn is_member(&self, member: &str, role: &str) -> bool {
        self.inventory
            .graph
            .members(role)
            .any(|edge| edge.member == member && edge.set && edge.inherit)
    }

    /// Whether the administrator can take a membership back.
    pub(crate) fn can_revoke(&self, edge: &Edge) -> bool {
        let admin = &self.inventory.admin;
        let is_superuser = self
            .inventory
            .role(admin)
            .is_some_and(|role| role.superuser);
        let may = self
            .inventory
            .role(&edge.role)
            .is_some_and(|role| role.grantable);
        is_superuser || (may && (self.inventory.major() < 16 || edge.grantor == *admin))
    }

    /// Whether the new user has to be made by a helper, so that nobody becomes its member.
    pub(crate) fn needs_helper(&self) -> bool {
        let admin = self.inventory.role(&self.inventory.admin);
        self.inventory.major() >= 16 && !admin.is_some_and(|role| role.superuser)
    }

    pub(crate) fn sql(&self, statements: Vec<String>) -> Action {
        Action::Sql {
            database: self.home(),
            statements,
        }
    }
}
