//! From what is there and what is wanted to the steps that lead from one to the other. Pure.
//!
//! Two ways. *Member*: the new user becomes a member of the old one and works as it, so that new
//! objects keep the old owner and the way back stays open. *Owner role*: when the old user is the
//! master user, its objects first move to a role of their own, because membership in the master
//! would hand `rds_superuser` to the application. `GRANT rds_iam` always comes last.

mod back;
mod event_triggers;
mod finalize;
mod refusals;
pub mod target;

use serde::Serialize;

use crate::{
    aws::AwsSide,
    inventory::{Inventory, RDS_SUPERUSER},
    steps::{self, Step},
    wish::{RdsSuperuser, Wish},
};

/// Where a plan leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// From password to IAM; both logins work at the end.
    ToIam,
    /// The old user's login is switched off.
    Finalize,
    /// Back to the password.
    RollBack(Extent),
}

/// How much of the move is taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Extent {
    /// The logins: enough to be where one was, and to move again at once.
    Logins,
    /// Everything that the move made, as far as it can be dropped.
    Everything,
}

/// How the new user gets what the old one has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// Membership in the old user.
    Member,
    /// Membership in a role that takes the objects over from the master user.
    OwnerRole,
}

/// What will be done, in order, and what stands in the way.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    /// Where it leads.
    pub purpose: Purpose,
    /// What is wanted.
    pub wish: Wish,
    /// How.
    pub way: Way,
    /// The role that sessions of the new user work as.
    pub works_as: String,
    /// The server's major version.
    pub major: i32,
    /// What is still to be done; empty when everything is done.
    pub steps: Vec<Step>,
    /// What must be changed by a person first; nothing is done while there is any.
    pub refusals: Vec<Finding>,
    /// What should be known.
    pub warnings: Vec<Finding>,
}

/// Something to know or to change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// A stable name of the case.
    pub code: &'static str,
    /// What was found.
    pub what: String,
    /// What to do about it.
    pub next: String,
}

impl Finding {
    pub(crate) fn new(
        code: &'static str,
        what: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        Self {
            code,
            what: what.into(),
            next: next.into(),
        }
    }
}

impl Plan {
    /// Plans; with `aws`, the AWS side too.
    #[must_use]
    pub fn new(
        purpose: Purpose,
        wish: &Wish,
        inventory: &Inventory,
        aws: Option<&AwsSide>,
    ) -> Self {
        match purpose {
            Purpose::ToIam => Self::to_iam(wish, inventory, aws),
            Purpose::Finalize => Self::finalize(wish, inventory),
            Purpose::RollBack(extent) => Self::back(wish, inventory, aws, extent),
        }
    }

    /// A plan that was refused before anything was read: by where it would have been made.
    #[must_use]
    pub fn refused(purpose: Purpose, wish: &Wish, refusals: Vec<Finding>) -> Self {
        Self {
            purpose,
            wish: wish.clone(),
            way: Way::Member,
            works_as: wish.old_user.clone(),
            major: 0,
            steps: Vec::new(),
            refusals,
            warnings: Vec::new(),
        }
    }

    fn to_iam(wish: &Wish, inventory: &Inventory, aws: Option<&AwsSide>) -> Self {
        let (way, works_as) = way(wish, inventory);
        let context = steps::Context {
            wish,
            inventory,
            way,
            works_as: &works_as,
        };
        let mut refusals = refusals::find(&context);
        refusals.extend(event_triggers::refusals(inventory));
        refusals.extend(aws.iter().flat_map(|side| side.refusals.iter().cloned()));
        let mut all: Vec<Step> = aws.map(steps::aws_side).unwrap_or_default();
        if refusals.is_empty() {
            all.extend(steps::database_side(&context));
        }
        let mut warnings = warnings(&context);
        warnings.extend(event_triggers::warnings(inventory));
        warnings.extend(aws.iter().flat_map(|side| side.warnings.iter().cloned()));
        Self {
            purpose: Purpose::ToIam,
            wish: wish.clone(),
            way,
            major: inventory.major(),
            steps: all,
            refusals,
            warnings,
            works_as,
        }
    }
}

/// How the new user gets what the old one has, and the role that its sessions work as.
fn way(wish: &Wish, inventory: &Inventory) -> (Way, String) {
    if wish.old_user == inventory.admin || inventory.is_master(&wish.old_user) {
        (Way::OwnerRole, wish.owner_role.clone())
    } else {
        (Way::Member, wish.old_user.clone())
    }
}

fn warnings(context: &steps::Context<'_>) -> Vec<Finding> {
    let (wish, inventory) = (context.wish, context.inventory);
    let mut found = Vec::new();
    if !inventory.further_databases.is_empty() {
        let names = inventory.further_databases.join(", ");
        found.push(Finding::new(
            "further_databases",
            format!("`{}` also owns objects in: {names}.", wish.old_user),
            "if the deployment uses them too, name each with --database; otherwise the new user works there with inherited rights but makes objects of its own.",
        ));
    }
    if wish.rds_superuser == RdsSuperuser::Grant {
        found.push(Finding::new(
            "rds_superuser_granted",
            format!("`{}` becomes a member of {RDS_SUPERUSER}, as the wiki page says.", wish.new_user),
            "leave it out: it does not let the user read Sal's tables, and gives a web server the rights of the master user.",
        ));
    }
    if context.way == Way::OwnerRole {
        found.push(Finding::new(
            "old_user_is_master",
            format!("`{}` is the master user; its objects move to `{}`, which cannot log in.", wish.old_user, wish.owner_role),
            "finalizing will not switch the master user off; give it a new password that the deployment does not know.",
        ));
        found.extend(unpassable_grants(context));
    }
    if inventory.major() >= 16 && inventory.role(&wish.new_user).is_none() {
        found.push(Finding::new(
            "role_without_administrator",
            format!("From Postgres 16 on, who makes a role becomes its member, and would lose its own password login with it. `{}` is therefore made by a helper role that is dropped again.", wish.new_user),
            "nothing; but only a superuser (on RDS: nobody) can alter or drop the role afterwards. Rolling back does not need that.",
        ));
    }
    found.extend(superuser_settings(context));
    found
}

fn unpassable_grants(context: &steps::Context<'_>) -> Option<Finding> {
    let lost: Vec<String> = context
        .inventory
        .databases
        .iter()
        .flat_map(|database| &database.grants_to_old)
        .filter(|grant| !grant.passable)
        .map(|grant| format!("{} on {}", grant.privilege, grant.on))
        .collect();
    (!lost.is_empty()).then(|| {
        Finding::new(
            "grants_not_passed_on",
            format!("These were granted to `{}` by others, without grant option, and `{}` will not have them: {}.", context.wish.old_user, context.wish.owner_role, lost.join(", ")),
            "let their owners grant them to the owner role, if the deployment needs them.",
        )
    })
}

/// Settings that only a superuser may give to a role; copying them would fail.
fn superuser_settings(context: &steps::Context<'_>) -> Option<Finding> {
    let inventory = context.inventory;
    let names: Vec<String> = steps::uncopyable(context)
        .map(|setting| setting.name.clone())
        .collect();
    (!names.is_empty()).then(|| {
        Finding::new(
            "settings_not_copied",
            format!(
                "`{}` may not give these settings to a role, so they are not copied: {}.",
                inventory.admin,
                names.join(", ")
            ),
            "set them in the parameter group, or leave them.",
        )
    })
}
