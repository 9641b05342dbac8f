//! From what is there and what is wanted to the steps that lead from one to the other. Pure.
//!
//! Two ways. *Member*: the new user becomes a member of the old one and works as it, so that new
//! objects keep the old owner and the way back stays open. *Owner role*: when the old user is the
//! master user, its objects first move to a role of their own, because membership in the master
//! would hand `rds_superuser` to the application. `GRANT rds_iam` always comes last.

mod back;
mod event_triggers;
mod finalize;
mod owner_role;
mod refusals;
pub mod target;

use serde::Serialize;

use crate::{
    aws::AwsSide,
    inventory::{Inventory, RDS_SUPERUSER},
    steps::{self, Step},
    wish::{LostGrants, RdsSuperuser, Wish},
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
        let remade = match purpose {
            Purpose::ToIam => steps::remade(wish, inventory),
            Purpose::Finalize | Purpose::RollBack(_) => None,
        };
        // By what is there: the flag is switched on before a role is made once more.
        let flag = match purpose {
            Purpose::ToIam => refusals::flag_would_lock_out(inventory, aws),
            Purpose::Finalize | Purpose::RollBack(_) => None,
        };
        let inventory = remade.as_ref().unwrap_or(inventory);
        let (way, works_as) = way(wish, inventory);
        let context = steps::Context {
            wish,
            inventory,
            aws,
            way,
            works_as: &works_as,
        };
        let mut refusals = match purpose {
            Purpose::ToIam => refusals::find(&context),
            Purpose::Finalize => finalize::refusals(&context),
            Purpose::RollBack(_) => back::refusals(&context),
        };
        refusals.extend(flag);
        refusals.extend(event_triggers::refusals(inventory));
        refusals.extend(aws.iter().flat_map(|side| side.refusals.iter().cloned()));
        let mut warnings: Vec<Finding> = match purpose {
            Purpose::ToIam => warnings(&context),
            Purpose::Finalize => finalize::warnings(&context),
            Purpose::RollBack(_) => back::warnings(&context),
        };
        warnings.extend(event_triggers::warnings(inventory));
        let steps = match (refusals.is_empty(), purpose) {
            (false, _) => Vec::new(),
            (true, Purpose::ToIam) => steps::to_iam(&context),
            (true, Purpose::Finalize) => steps::finalize(&context),
            (true, Purpose::RollBack(extent)) => steps::back(&context, extent, &mut warnings),
        };
        Self {
            purpose,
            wish: wish.clone(),
            way,
            major: inventory.major(),
            steps,
            refusals,
            warnings,
            works_as,
        }
    }
}

impl Plan {
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
}

/// How the new user gets what the old one has, and the role that its sessions work as.
fn way(wish: &Wish, inventory: &Inventory) -> (Way, String) {
    let makes_roles = inventory
        .role(&inventory.admin)
        .is_some_and(|admin| admin.createrole || admin.superuser);
    let is_admin = wish.old_user == inventory.admin && makes_roles;
    if is_admin || inventory.is_master(&wish.old_user) {
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
        found.extend(staying(context));
        if wish.lost_grants == LostGrants::Accept {
            found.extend(owner_role::lost(context));
        }
    }
    if inventory.major() >= 16 && inventory.role(&wish.new_user).is_none() {
        found.push(Finding::new(
            "role_without_administrator",
            format!("From Postgres 16 on, who makes a role becomes its member, and would lose its own password login with it. `{}` is therefore made by a helper role that is dropped again.", wish.new_user),
            "nothing. Afterwards the role gives itself its settings; only a superuser (on RDS: nobody) can change its LOGIN or CONNECTION LIMIT or drop it. Rolling back does not need that.",
        ));
    }
    found.extend(superuser_settings(context));
    found.extend(steps::limit_stays(context));
    let side = context.aws.iter();
    found.extend(side.flat_map(|side| side.warnings.iter().cloned()));
    found
}

/// What belongs to the master user and cannot be given to the owner role.
fn staying(context: &steps::Context<'_>) -> Option<Finding> {
    let all: Vec<String> = context
        .inventory
        .databases
        .iter()
        .flat_map(|database| {
            let owned = database.owned_by_old.iter();
            owned.filter_map(|owned| {
                let why = owned.stays.as_ref()?;
                Some(format!(
                    "{} {} in {} ({why})",
                    owned.kind, owned.name, database.name
                ))
            })
        })
        .collect();
    (!all.is_empty()).then(|| {
        Finding::new(
            "objects_stay",
            format!(
                "These stay with `{}`: {}.",
                context.wish.old_user,
                shortened(&all)
            ),
            format!(
                "look whether the deployment needs them: it works as `{}` from then on.",
                context.works_as
            ),
        )
    })
}

/// As many as a person reads.
fn shortened(all: &[String]) -> String {
    const MOST: usize = 12;
    let shown: Vec<&str> = all.iter().take(MOST).map(String::as_str).collect();
    match all.len().checked_sub(MOST).filter(|more| *more > 0) {
        Some(more) => format!("{}; and {more} more", shown.join("; ")),
        None => shown.join("; "),
    }
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
