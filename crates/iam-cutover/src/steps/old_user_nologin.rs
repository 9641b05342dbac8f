//! The end of the move: the old user stays as the owner and can no longer log in.

use crate::{
    plan::{Extent, Way},
    sql::identifier,
    steps::{Context, LoginEffect, Part, Step},
};

pub(super) struct OldUserNologin;

impl Part for OldUserNologin {
    fn apply(&self, context: &Context<'_>) -> Vec<Step> {
        let Some(old) = context.old().filter(|old| old.login) else {
            return Vec::new();
        };
        // A master user is never switched off.
        if context.way != Way::Member {
            return Vec::new();
        }
        let (name, old) = (identifier(&old.name), &old.name);
        vec![
            Step::new(
                "old-user-nologin",
                format!("Switch the login of {old} off"),
                context.sql(vec![format!("ALTER ROLE {name} NOLOGIN")]),
            )
            .because("It stays as the owner of everything and is never dropped, so that one statement brings it back.")
            .verified_by(format!("{old} has no session, and {} logs in", context.wish.new_user))
            .undone_by(vec![format!("ALTER ROLE {name} LOGIN")])
            .deciding(LoginEffect::OldUserOff),
        ]
    }

    fn reverse(&self, context: &Context<'_>, _extent: Extent) -> Vec<Step> {
        let Some(old) = context.old().filter(|old| !old.login) else {
            return Vec::new();
        };
        let (name, old) = (identifier(&old.name), &old.name);
        vec![
            Step::new(
                "old-user-login",
                format!("Let {old} log in again"),
                context.sql(vec![format!("ALTER ROLE {name} LOGIN")]),
            )
            .because("Finalizing had switched it off; its password is still the same.")
            .verified_by(format!("a new session of {old} with its password"))
            .undone_by(vec![format!("ALTER ROLE {name} NOLOGIN")])
            .deciding(LoginEffect::OldUserBack),
        ]
    }
}
