//! Whether a step in the database has had its effect: a plan made of what is there now has nothing left of it.
//!
//! This is what the `verified` lines of steps in the database promise: settings, memberships, owners and attributes are
//! read from the catalogs again, by whoever planned the step because they were not so.

use super::{Prepared, ground::read};
use crate::{
    inventory::Inventory,
    plan::{Plan, Purpose},
    steps::{Action, Step},
};

impl Prepared<'_> {
    /// Reads the catalogs anew.
    pub(super) async fn has_effect(&self, step: &Step) -> Result<(), String> {
        if matches!(step.action, Action::Aws(_)) {
            return Ok(()); // Read back where it is made.
        }
        let inventory = read(&self.stage, &self.admin.client, &self.further).await;
        let inventory = inventory.map_err(|error| error.to_string())?;
        if let (Purpose::RollBack(_), Some(database)) =
            (self.plan.purpose, step.id.strip_prefix("give-back@"))
        {
            return is_given_back(database, &inventory);
        }
        // The other steps back are checked by what they remove, or by a role that could not be dropped otherwise.
        if matches!(self.plan.purpose, Purpose::RollBack(_)) {
            return Ok(());
        }
        let aws = self.stage.aws.map(|(_, side)| side);
        let plan = Plan::new(self.plan.purpose, self.stage.wish, &inventory, aws);
        let Some(left) = plan.steps.into_iter().find(|left| left.id == step.id) else {
            return Ok(());
        };
        let statements = match left.action {
            Action::Sql { statements, .. } => statements.join("; "),
            Action::Aws(call) => call.cli(),
        };
        Err(format!(
            "the catalogs do not show what was done ({}); still to do: {statements}",
            step.verified_by
        ))
    }
}

/// It is planned as long as the owner role is there, whether or not that owns anything.
fn is_given_back(database: &str, inventory: &Inventory) -> Result<(), String> {
    let mut all = inventory.databases.iter();
    let left = all
        .find(|found| found.name == database)
        .and_then(|found| found.owned_by_owner_role.first());
    left.map_or(Ok(()), |left| {
        Err(format!(
            "{} {} in {database} still belongs to the owner role",
            left.kind, left.name
        ))
    })
}
