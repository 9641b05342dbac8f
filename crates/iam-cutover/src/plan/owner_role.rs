//! What the deployment would lose when the master user's objects move to a role of their own.

use super::{Finding, shortened};
use crate::{
    inventory::{DirectGrant, Edge, Policy},
    sql::identifier,
    steps::Context,
};

/// Grants of others and memberships that the administrator cannot pass on.
pub(super) fn lost(context: &Context<'_>) -> Option<Finding> {
    let (wish, inventory) = (context.wish, context.inventory);
    let grants: Vec<&DirectGrant> = inventory
        .databases
        .iter()
        .flat_map(|database| database.not_passed_on(&wish.owner_role))
        .filter(|grant| !grant.passable)
        .collect();
    let memberships: Vec<&Edge> = inventory
        .graph
        .memberships_of(wish)
        .filter(|edge| !context.is_member(&wish.owner_role, &edge.role))
        .filter(|edge| !context.may_grant(&edge.role))
        .collect();
    let mut lines: Vec<String> = grants
        .iter()
        .map(|grant| format!("{} ON {} of `{}`", grant.privilege, grant.on, grant.owner))
        .collect();
    lines.extend(
        memberships
            .iter()
            .map(|edge| format!("membership in `{}`", edge.role)),
    );
    let policies: Vec<&Policy> = inventory
        .databases
        .iter()
        .flat_map(|database| database.policies_to_pass_on())
        .filter(|policy| !policy.alterable)
        .collect();
    lines.extend(
        policies
            .iter()
            .map(|policy| format!("the policy {}", policy.shown())),
    );
    let first = helps(
        grants.first(),
        memberships.first(),
        policies.first(),
        context,
    )?;
    Some(Finding::new(
        "grants_not_passed_on",
        format!(
            "These were granted to `{}` by others who did not allow it to pass them on, so that `{}`, as which the deployment works from then on, would not have them: {}.",
            wish.old_user,
            wish.owner_role,
            shortened(&lines)
        ),
        format!(
            "as whoever granted each: {first}; or, if the deployment needs none of it, go on with --leave-grants."
        ),
    ))
}

/// The statement that helps with the first of what is lost; `None` where nothing is.
fn helps(
    grant: Option<&&DirectGrant>,
    membership: Option<&&Edge>,
    policy: Option<&&Policy>,
    context: &Context<'_>,
) -> Option<String> {
    let to = identifier(&context.wish.old_user);
    if let Some(grant) = grant {
        return Some(format!(
            "GRANT {} ON {} TO {to} WITH GRANT OPTION",
            grant.privilege, grant.on
        ));
    }
    if let Some(edge) = membership {
        let role = identifier(&edge.role);
        return Some(format!("GRANT {role} TO {to} WITH ADMIN OPTION"));
    }
    policy.map(|policy| {
        format!(
            "ALTER POLICY {} ON {} TO {}, {} (once that role is there)",
            policy.name,
            policy.table,
            policy.roles.join(", "),
            identifier(&context.wish.owner_role)
        )
    })
}
