//! The steps: what, why, exactly how, how it is verified, how it is undone.
//!
//! One file for each part of the move, and one line in [`MOVE`]. A part says what is still to be done and what takes it
//! back: the way back is the list in reverse. A step that is done already is not made, so that a second run continues
//! the first one.

mod aws_side;
mod copy_settings;
mod create_role;
mod export_log;
mod free_old_user;
mod grant_membership;
mod grant_rds_iam;
mod old_user_nologin;
mod owner_role;
mod revoke_members;
mod set_role;

use serde::Serialize;

use crate::{
    aws::{AwsCall, AwsSide},
    inventory::{Edge, Inventory, Role, Setting},
    plan::{Extent, Finding, Way},
    wish::Wish,
};

pub(crate) use self::{
    create_role::{COMMENT as CREATED_COMMENT, limit_stays, remade, shut},
    owner_role::COMMENT as OWNER_COMMENT,
};

/// A part of the move.
pub(crate) trait Part: Sync {
    /// What is still to be done.
    fn apply(&self, _context: &Context<'_>) -> Vec<Step> {
        Vec::new()
    }

    /// What has to be altered about a new user who is not there yet, in the transaction that makes it.
    fn alterations(&self, _context: &Context<'_>) -> Vec<String> {
        Vec::new()
    }

    /// What takes it back, from whatever state there is.
    fn reverse(&self, _context: &Context<'_>, _extent: Extent) -> Vec<Step> {
        Vec::new()
    }

    /// What it made and nobody needs any more. It comes last, so that what keeps a role from being dropped keeps nothing
    /// else.
    fn dispose(&self, _context: &Context<'_>, _warnings: &mut Vec<Finding>) -> Vec<Step> {
        Vec::new()
    }
}

/// From password to IAM, in order.
const MOVE: &[&dyn Part] = &[
    &aws_side::AwsPart,
    &export_log::ExportLog,
    &owner_role::OwnerRole,
    &revoke_members::RevokeMembers,
    &create_role::CreateRole,
    &grant_membership::GrantMembership,
    &set_role::SetRole,
    &copy_settings::CopySettings,
    &grant_rds_iam::GrantRdsIam,
    &free_old_user::FreeOldUser,
];

/// The end of the move.
const FINALIZE: &[&dyn Part] = &[&old_user_nologin::OldUserNologin];

/// What leads from password to IAM.
pub(crate) fn to_iam(context: &Context<'_>) -> Vec<Step> {
    let mut steps: Vec<Step> = MOVE.iter().flat_map(|part| part.apply(context)).collect();
    // Whoever alters itself has to be able to log in first.
    steps.sort_by_key(|step| step.as_new_user());
    steps
}

/// What ends the move.
pub(crate) fn finalize(context: &Context<'_>) -> Vec<Step> {
    let parts = FINALIZE.iter();
    parts.flat_map(|part| part.apply(context)).collect()
}

/// What leads back: the parts in reverse, then what they have left.
pub(crate) fn back(
    context: &Context<'_>,
    extent: Extent,
    warnings: &mut Vec<Finding>,
) -> Vec<Step> {
    let parts = || MOVE.iter().chain(FINALIZE).rev();
    let mut steps: Vec<Step> = parts()
        .flat_map(|part| part.reverse(context, extent))
        .collect();
    if extent == Extent::Everything {
        steps.extend(parts().flat_map(|part| part.dispose(context, warnings)));
    }
    steps
}

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
    /// Statements, in one transaction.
    Sql {
        /// The database to be in.
        database: String,
        /// The statements.
        statements: Vec<String>,
        /// In whose session.
        by: By,
    },
    /// A call of an AWS API.
    Aws(AwsCall),
}

/// In whose session statements run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// The administrator's.
    Admin,
    /// The new user's own, logged in with a token: a role may give itself settings (Postgres manual, ALTER ROLE), which
    /// from Postgres 16 on is more than the administrator may without `ADMIN OPTION` on it.
    NewUser,
}

/// Whether a step can decide who logs in how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LoginEffect {
    /// It cannot; the administrator and the old user are tried all the same.
    None,
    /// From here on the new user logs in with IAM and works as it should, and is tried.
    NewUser,
    /// From here on the new user logs in with IAM; what it works as is set after that.
    NewUserLogin,
    /// The old user loses its login.
    OldUserOff,
    /// The old user gets its login back.
    OldUserBack,
    /// The new user loses its login.
    NewUserOff,
}

impl Step {
    /// A step with nothing but what it does; the rest is added.
    pub(crate) fn new(id: impl Into<String>, what: impl Into<String>, action: Action) -> Self {
        Self {
            id: id.into(),
            what: what.into(),
            why: String::new(),
            action,
            verified_by: String::new(),
            undo: Vec::new(),
            removes: Vec::new(),
            logins: LoginEffect::None,
        }
    }

    pub(crate) fn because(mut self, why: impl Into<String>) -> Self {
        self.why = why.into();
        self
    }

    pub(crate) fn verified_by(mut self, how: impl Into<String>) -> Self {
        self.verified_by = how.into();
        self
    }

    pub(crate) fn undone_by(mut self, statements: Vec<String>) -> Self {
        self.undo = statements;
        self
    }

    pub(crate) fn removing(mut self, memberships: Vec<(String, String)>) -> Self {
        self.removes = memberships;
        self
    }

    pub(crate) fn deciding(mut self, logins: LoginEffect) -> Self {
        self.logins = logins;
        self
    }

    fn as_new_user(&self) -> bool {
        matches!(
            self.action,
            Action::Sql {
                by: By::NewUser,
                ..
            }
        )
    }
}

impl Action {
    /// Statements of the administrator in a database.
    pub(crate) fn in_database(database: &str, statements: Vec<String>) -> Self {
        Self::Sql {
            database: database.to_owned(),
            statements,
            by: By::Admin,
        }
    }
}

/// What steps are made from.
pub(crate) struct Context<'a> {
    pub(crate) wish: &'a Wish,
    pub(crate) inventory: &'a Inventory,
    pub(crate) aws: Option<&'a AwsSide>,
    pub(crate) way: Way,
    pub(crate) works_as: &'a str,
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

    /// Whether the administrator may grant a role.
    pub(crate) fn may_grant(&self, role: &str) -> bool {
        self.inventory.role(role).is_some_and(|role| role.grantable)
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

    /// Whether only the new user itself can be asked to alter the new user.
    pub(crate) fn alters_itself(&self) -> bool {
        self.new_role().is_some_and(|new| !new.grantable)
    }

    /// Whether the new user is made by a helper, who alters it in the same transaction.
    pub(crate) fn is_made_by_helper(&self) -> bool {
        self.new_role().is_none() && self.needs_helper()
    }

    /// Statements of the administrator, in the first database.
    pub(crate) fn sql(&self, statements: Vec<String>) -> Action {
        Action::in_database(&self.home(), statements)
    }

    /// Statements that alter the new user, as whoever may.
    pub(crate) fn alter_new_user(&self, statements: Vec<String>) -> Action {
        Action::Sql {
            database: self.home(),
            statements,
            by: match self.alters_itself() {
                true => By::NewUser,
                false => By::Admin,
            },
        }
    }

    /// From then on a login of the new user is tried, where one is possible.
    pub(crate) fn effect_of_alteration(&self) -> LoginEffect {
        match self.alters_itself() {
            true => LoginEffect::NewUser,
            false => LoginEffect::None,
        }
    }
}
