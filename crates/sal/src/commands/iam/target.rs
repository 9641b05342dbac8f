//! Whether a move can be made at the endpoint at all, before anybody logs in there.

use iam_cutover::aws::{AwsSide, look_at_place};
use iam_cutover::plan::{Finding, Plan, Purpose, target};

use crate::wiring::cutover::Cutover;

/// The plan that says why not, where there is a reason. AWS is asked where the name alone does not say what to use
/// instead, and was asked already where its side is a part of the plan.
pub(super) async fn refused(
    cutover: &Cutover,
    side: Option<&AwsSide>,
    purpose: Purpose,
) -> Option<Plan> {
    let refusals = match side {
        Some(side) => side.refusals.clone(),
        None => asked(cutover).await,
    };
    (!refusals.is_empty()).then(|| Plan::refused(purpose, &cutover.wish, refusals))
}

async fn asked(cutover: &Cutover) -> Vec<Finding> {
    let Ok(endpoint) = cutover.endpoint() else {
        return Vec::new();
    };
    let facts = match &cutover.aws {
        Some(api) if target::is_worth_asking(endpoint) => Some(look_at_place(api, endpoint).await),
        _ => None,
    };
    target::refusals(endpoint, facts.as_ref())
}

/// What the name alone gives reason to say, where AWS was not asked.
pub(super) fn warnings(cutover: &Cutover, side: Option<&AwsSide>) -> Vec<Finding> {
    match (side, cutover.endpoint()) {
        (None, Ok(endpoint)) => target::warnings(endpoint, None),
        _ => Vec::new(),
    }
}
