//! From here on the new user logs in with IAM, and with nothing else.

use crate::{
    inventory::RDS_IAM,
    plan::Extent,
    sql::identifier,
    steps::{Context, LoginEffect, Part, Step, set_role},
};

pub(super) struct GrantRdsIam;

impl Part for GrantRdsIam {
    fn apply(&self, context: &Context<'_>) -> Vec<Step> {
        if is_member(context) {
            return Vec::new();
        }
        let (new, old) = (&context.wish.new_user, &context.wish.old_user);
        let alters_itself = context.alters_itself() && set_role::missing(context).next().is_some();
        vec![
            Step::new(
                "grant-rds-iam",
                format!("Let {new} log in with IAM"),
                context.sql(vec![grant(new)]),
            )
            .because("RDS asks every member of rds_iam, direct or not, for a token and for nothing else. It comes last, so that nothing half-made can log in.")
            .verified_by(format!("in the transaction: no other role got a new chain to {RDS_IAM}; after it: new sessions of the administrator, of {old} and of {new}"))
            .undone_by(vec![revoke(new)])
            .deciding(match alters_itself {
                true => LoginEffect::NewUserLogin,
                false => LoginEffect::NewUser,
            }),
        ]
    }

    fn reverse(&self, context: &Context<'_>, _extent: Extent) -> Vec<Step> {
        if !is_member(context) {
            return Vec::new();
        }
        let (new, old) = (&context.wish.new_user, &context.wish.old_user);
        vec![
            Step::new(
                "revoke-rds-iam",
                format!("Switch the login of {new} off"),
                context.sql(vec![revoke(new)]),
            )
            .because(format!("{new} has no password; without rds_iam nothing logs it in. Sessions that are open go on."))
            .verified_by(format!("a new session of {old} with its password, before and after"))
            .undone_by(vec![grant(new)])
            .removing(vec![(new.clone(), RDS_IAM.to_owned())])
            .deciding(LoginEffect::NewUserOff),
        ]
    }
}

fn is_member(context: &Context<'_>) -> bool {
    let mut members = context.inventory.graph.members(RDS_IAM);
    members.any(|edge| edge.member == context.wish.new_user)
}

fn grant(user: &str) -> String {
    format!("GRANT {RDS_IAM} TO {}", identifier(user))
}

fn revoke(user: &str) -> String {
    format!("REVOKE {RDS_IAM} FROM {}", identifier(user))
}
