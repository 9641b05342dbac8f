//! Looks at all chains to `rds_iam` before a step is committed.

use crate::{error::CutoverError, inventory::Graph, sql::identifier};

/// Refuses a graph in which somebody other than the new user got a new chain to `rds_iam`.
///
/// # Errors
/// [`CutoverError::LockOut`] names who and by which chain.
pub fn guard(before: &Graph, after: &Graph, new_user: &str) -> Result<(), CutoverError> {
    let reached = after.newly_reaching(before, new_user);
    if reached.is_empty() {
        return Ok(());
    }
    Err(CutoverError::LockOut(reached))
}

/// A REVOKE of what somebody else granted is only a warning from Postgres 16 on, and changes nothing.
pub(super) fn gone(removes: &[(String, String)], after: &Graph) -> Result<(), CutoverError> {
    for (member, role) in removes {
        if let Some(edge) = after.members(role).find(|edge| edge.member == *member) {
            let (role, member) = (identifier(role), identifier(member));
            return Err(CutoverError::State(format!(
                "REVOKE {role} FROM {member} had no effect: it was granted by `{grantor}`; as that role, or a superuser: REVOKE {role} FROM {member} GRANTED BY {}",
                identifier(&edge.grantor),
                grantor = edge.grantor
            )));
        }
    }
    Ok(())
}
