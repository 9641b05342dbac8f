//! The way back, from whatever state there is: the old password works again before anything else is taken away.

use super::{Extent, Finding, Plan, Purpose, Way, event_triggers, way};
use crate::{
    aws::{AwsCall, AwsSide},
    inventory::{Database, Edge, Inventory, RDS_IAM},
    sql::identifier,
    steps::{Action, CREATED_COMMENT, LoginEffect, OWNER_COMMENT, Step},
    wish::Wish,
};

struct Back<'a> {
    wish: &'a Wish,
    inventory: &'a Inventory,
}

impl Plan {
    pub(super) fn back(
        wish: &Wish,
        inventory: &Inventory,
        aws: Option<&AwsSide>,
        extent: Extent,
    ) -> Self {
        let (way, works_as) = way(wish, inventory);
        let back = Back { wish, inventory };
        let mut refusals = back.refusals();
        refusals.extend(event_triggers::refusals(inventory));
        let mut steps = Vec::new();
        let mut warnings: Vec<Finding> = event_triggers::warnings(inventory).into_iter().collect();
        if refusals.is_empty() {
            steps.extend(back.old_user_login());
            steps.extend(back.free_old_user());
            steps.extend(back.revoke_rds_iam());
            if extent == Extent::Everything {
                steps.extend(back.take_out(way));
                steps.extend(back.dissolve_owner_role(way));
            }
            steps.extend(aws.into_iter().flat_map(aws_back));
            // What can be in the way of dropping a role must not be in the way of anything else.
            if extent == Extent::Everything {
                steps.extend(back.drop_owner_role(way, &mut warnings));
                steps.extend(back.drop_new_user(&mut warnings));
            }
        }
        Self {
            purpose: Purpose::RollBack(extent),
            wish: wish.clone(),
            way,
            works_as,
            major: inventory.major(),
            steps,
            refusals,
            warnings,
        }
    }
}

impl Back<'_> {
    fn refusals(&self) -> Vec<Finding> {
        let Some(old) = self.inventory.role(&self.wish.old_user) else {
            return vec![Finding::new(
                "no_old_user",
                format!(
                    "There is no role `{}`: there is nothing to go back to.",
                    self.wish.old_user
                ),
                "name the old user with --old-user; if it was dropped, restore it from a snapshot.",
            )];
        };
        if !old.login && !old.grantable {
            let (name, admin) = (identifier(&old.name), identifier(&self.inventory.admin));
            return vec![Finding::new(
                "no_admin_option",
                format!("`{}` may not alter `{}`.", self.inventory.admin, old.name),
                format!(
                    "as a superuser or whoever made it: GRANT {name} TO {admin} WITH ADMIN TRUE."
                ),
            )];
        }
        Vec::new()
    }

    fn old_user_login(&self) -> Option<Step> {
        let old = self.inventory.role(&self.wish.old_user)?;
        let name = identifier(&old.name);
        (!old.login).then(|| Step {
            id: "old-user-login".to_owned(),
            what: format!("Let {} log in again", old.name),
            why: "Finalizing had switched it off; its password is still the same.".to_owned(),
            action: self.sql(vec![format!("ALTER ROLE {name} LOGIN")]),
            verified_by: format!("a new session of {} with its password", old.name),
            undo: vec![format!("ALTER ROLE {name} NOLOGIN")],
            removes: Vec::new(),
            logins: LoginEffect::OldUserBack,
        })
    }

    /// Memberships that make the old user an IAM user: granted by hand, or in the wrong direction.
    fn free_old_user(&self) -> Option<Step> {
        let old = &self.wish.old_user;
        let counts = |edge: &&Edge| {
            edge.role == RDS_IAM || self.inventory.graph.iam_chain(&edge.role).is_some()
        };
        let leads = |edge: &&Edge| edge.member == *old && counts(edge);
        let edges: Vec<&Edge> = self.inventory.graph.edges.iter().filter(leads).collect();
        if edges.is_empty() {
            return None;
        }
        let each = |verb: &str, word: &str| -> Vec<String> {
            let line = |edge: &&Edge| {
                format!(
                    "{verb} {} {word} {}",
                    identifier(&edge.role),
                    identifier(old)
                )
            };
            edges.iter().map(line).collect()
        };
        Some(Step {
            id: "free-old-user".to_owned(),
            what: format!("Take {old} out of rds_iam"),
            why: format!(
                "{old} is a member of {}, which makes RDS refuse its password.",
                edges
                    .iter()
                    .map(|edge| edge.role.as_str())
                    .collect::<Vec<_>>()
                    .join(" and of ")
            ),
            action: self.sql(each("REVOKE", "FROM")),
            verified_by: format!("a new session of {old} with its password"),
            undo: each("GRANT", "TO"),
            removes: edges
                .iter()
                .map(|edge| (old.clone(), edge.role.clone()))
                .collect(),
            logins: LoginEffect::OldUserBack,
        })
    }

    fn revoke_rds_iam(&self) -> Option<Step> {
        let new = &self.wish.new_user;
        let direct = self
            .inventory
            .graph
            .members(RDS_IAM)
            .any(|edge| edge.member == *new);
        let name = identifier(new);
        direct.then(|| Step {
            id: "revoke-rds-iam".to_owned(),
            what: format!("Switch the login of {new} off"),
            why: format!("{new} has no password; without rds_iam nothing logs it in. Sessions that are open go on."),
            action: self.sql(vec![format!("REVOKE {RDS_IAM} FROM {name}")]),
            verified_by: format!("a new session of {} with its password, before and after", self.wish.old_user),
            undo: vec![format!("GRANT {RDS_IAM} TO {name}")],
            removes: vec![(new.clone(), RDS_IAM.to_owned())],
            logins: LoginEffect::NewUserOff,
        })
    }

    fn take_out(&self, way: Way) -> Option<Step> {
        let new = &self.wish.new_user;
        let role = match way {
            Way::Member => &self.wish.old_user,
            Way::OwnerRole => &self.wish.owner_role,
        };
        let member = self
            .inventory
            .graph
            .members(role)
            .any(|edge| edge.member == *new);
        member.then(|| Step {
            id: "revoke-membership".to_owned(),
            what: format!("Take {new} out of {role}"),
            why: "It needs nothing any more.".to_owned(),
            action: self.sql(vec![format!(
                "REVOKE {} FROM {}",
                identifier(role),
                identifier(new)
            )]),
            verified_by: format!("pg_auth_members has no {new}"),
            undo: vec![format!("GRANT {} TO {}", identifier(role), identifier(new))],
            removes: vec![(new.clone(), role.clone())],
            logins: LoginEffect::None,
        })
    }

    /// Only a role that this tool made, that the administrator may drop, and that nobody uses.
    fn drop_new_user(&self, warnings: &mut Vec<Finding>) -> Option<Step> {
        let new = self.inventory.role(&self.wish.new_user)?;
        let ours = new
            .comment
            .as_deref()
            .is_some_and(|comment| comment.starts_with(CREATED_COMMENT));
        let mentioned;
        let why_not = if !ours {
            "it was there before"
        } else if !new.grantable {
            "nobody but a superuser may"
        } else if new.sessions > 0 {
            "it still has sessions"
        } else if let Some(place) = self.inventory.mentions_of_new.first() {
            mentioned = format!("something in {place} belongs or was granted to it");
            &mentioned
        } else {
            let name = identifier(&new.name);
            return Some(Step {
                id: "drop-role".to_owned(),
                what: format!("Drop {}", new.name),
                why: "The move made it, and it owns nothing.".to_owned(),
                action: self.sql(vec![format!("DROP ROLE {name}")]),
                verified_by: format!("pg_roles has no {}", new.name),
                undo: Vec::new(),
                removes: Vec::new(),
                logins: LoginEffect::None,
            });
        };
        warnings.push(Finding::new(
            "role_stays",
            format!("`{}` is not dropped: {why_not}.", new.name),
            "it cannot log in and does no harm.",
        ));
        None
    }

    /// Gives the objects back to the master user.
    fn dissolve_owner_role(&self, way: Way) -> Vec<Step> {
        if !self.owner_role_is_ours(way) {
            return Vec::new();
        }
        self.inventory
            .databases
            .iter()
            .map(|database| self.give_back(database))
            .collect()
    }

    /// A role of that name that somebody else made is nobody's to dissolve.
    fn owner_role_is_ours(&self, way: Way) -> bool {
        let role = self.inventory.role(&self.wish.owner_role);
        let comment = role.and_then(|role| role.comment.as_deref());
        way == Way::OwnerRole && comment.is_some_and(|comment| comment.starts_with(OWNER_COMMENT))
    }

    fn drop_owner_role(&self, way: Way, warnings: &mut Vec<Finding>) -> Option<Step> {
        let owner = &self.wish.owner_role;
        if !self.owner_role_is_ours(way) {
            return None;
        }
        if let Some(place) = self.inventory.mentions_of_owner_role.first() {
            warnings.push(Finding::new(
                "role_stays",
                format!(
                    "`{owner}` is not dropped: something in {place} belongs or was granted to it."
                ),
                "name that database with --database, too, and roll back again.",
            ));
            return None;
        }
        Some(Step {
            id: "drop-owner-role".to_owned(),
            what: format!("Drop {owner}"),
            why: "It owns nothing any more.".to_owned(),
            action: self.sql(vec![format!("DROP ROLE {}", identifier(owner))]),
            verified_by: format!("pg_roles has no {owner}"),
            undo: Vec::new(),
            removes: Vec::new(),
            logins: LoginEffect::None,
        })
    }

    fn give_back(&self, database: &Database) -> Step {
        let (owner, old) = (
            identifier(&self.wish.owner_role),
            identifier(&self.wish.old_user),
        );
        let alter = |to: &str| -> Vec<String> {
            let owned = database.owned_by_owner_role.iter();
            owned
                .map(|owned| format!("ALTER {} {} OWNER TO {to}", owned.kind, owned.name))
                .collect()
        };
        // Everything, also what was made since this was read, and what no list of kinds names; only then the privileges.
        let statements = vec![
            format!("REASSIGN OWNED BY {owner} TO {old}"),
            format!(
                "ALTER ROLE {old} IN DATABASE {} RESET role",
                identifier(&database.name)
            ),
            format!("DROP OWNED BY {owner}"),
        ];
        Step {
            id: format!("give-back@{}", database.name),
            what: format!(
                "Give {} objects in {} back to {}",
                database.owned_by_owner_role.len(),
                database.name,
                self.wish.old_user
            ),
            why: "As it was before the move.".to_owned(),
            action: Action::Sql {
                database: database.name.clone(),
                statements,
            },
            verified_by: format!(
                "{} owns nothing in {} any more",
                self.wish.owner_role, database.name
            ),
            undo: alter(&owner),
            removes: Vec::new(),
            logins: LoginEffect::None,
        }
    }

    fn sql(&self, statements: Vec<String>) -> Action {
        Action::Sql {
            database: self.wish.databases.first().cloned().unwrap_or_default(),
            statements,
        }
    }
}

/// Takes the policy off the role and away. IAM authentication stays on: others may use it, and it harms nobody.
fn aws_back(side: &AwsSide) -> Vec<Step> {
    let Some(role) = &side.role else {
        return Vec::new();
    };
    // By what it says, not by its name alone: another deployment may have taken the name.
    let exact = side.policy.document();
    let same = |document: &str| {
        serde_json::from_str(document).is_ok_and(|found: serde_json::Value| found == exact)
    };
    let ours = role
        .policies
        .iter()
        .filter(|policy| policy.name == side.wish.policy_name && same(&policy.document));
    let step = |id: &str, what: String, call: AwsCall| Step {
        id: id.to_owned(),
        what,
        why: "The deployment logs in with its password again.".to_owned(),
        action: Action::Aws(call),
        verified_by: "IAM has it no more".to_owned(),
        undo: Vec::new(),
        removes: Vec::new(),
        logins: LoginEffect::None,
    };
    ours.filter_map(|policy| policy.arn.clone())
        .flat_map(|arn| {
            let detach = AwsCall::DetachRolePolicy {
                role: role.name.clone(),
                arn: arn.clone(),
            };
            let delete = AwsCall::DeletePolicy { arn: arn.clone() };
            [
                step(
                    "detach-policy",
                    format!("Detach {} from {}", side.wish.policy_name, role.name),
                    detach,
                ),
                step(
                    "delete-policy",
                    format!(
                        "Delete the policy {}, unless something else uses it",
                        side.wish.policy_name
                    ),
                    delete,
                ),
            ]
        })
        .collect()
}
