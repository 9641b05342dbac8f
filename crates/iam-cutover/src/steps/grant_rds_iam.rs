//! The last step: from here on the new user logs in with IAM, and with nothing else.

use crate::{
    inventory::RDS_IAM,
    sql::identifier,
    steps::{Context, LoginEffect, Step},
};

pub(super) fn step(context: &Context<'_>) -> Option<Step> {
    let new = &context.wish.new_user;
    let done = context
        .inventory
        .graph
        .members(RDS_IAM)
        .any(|edge| edge.member == *new);
    if done {
        return None;
    }
    Some(Step {
        id: "grant-rds-iam".to_owned(),
        what: format!("Let {new} log in with IAM"),
        why: "RDS asks every member of rds_iam, direct or not, for a token and for nothing else. It comes last, so that nothing half-made can log in.".to_owned(),
        action: context.sql(vec![format!("GRANT {RDS_IAM} TO {}", identifier(new))]),
        verified_by: format!("in the transaction: no other role got a new chain to {RDS_IAM}; after it: new sessions of the administrator, of {} and of {new}", context.wish.old_user),
        undo: vec![format!("REVOKE {RDS_IAM} FROM {}", identifier(new))],
        removes: Vec::new(),
        logins: LoginEffect::NewUser,
    })
}
