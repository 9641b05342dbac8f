//! Somebody must always be able to manage people, and nobody takes away the own account.

use sal_store::{
    ids::UserId,
    people::{Administrator, FoundPerson},
};

/// What shall happen to a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Level or activity change to these.
    Change {
        /// Whether the level is `GA` afterwards.
        stays_admin: bool,
        /// Whether the account is in use afterwards.
        stays_active: bool,
    },
    /// Staff becomes no staff.
    RemoveStaff,
    /// The account goes.
    Delete,
}

/// Why this must not happen, given everybody who can manage people now. `viewer` wants it; nobody in
/// particular for the command line.
#[must_use]
pub fn problem(
    step: Step,
    person: &FoundPerson,
    viewer: Option<UserId>,
    administrators: &[Administrator],
) -> Option<&'static str> {
    let (is_over, takes_activity) = match step {
        Step::Change {
            stays_admin,
            stays_active,
        } => (!stays_admin || !stays_active, !stays_active),
        Step::RemoveStaff | Step::Delete => (true, false),
    };
    if step == Step::Delete && Some(person.id) == viewer {
        return Some("Nobody deletes the own account. Another global admin who is staff can.");
    }
    if takes_activity && Some(person.id) == viewer {
        return Some("Nobody deactivates the own account. Another global admin who is staff can.");
    }
    let is_last = matches!(administrators, [last] if last.id == person.id);
    (is_over && is_last).then_some(
        "This is the last active global admin who is staff. Make another one first; without any, nobody could manage users.",
    )
}

#[cfg(test)]
mod tests {
    use std::slice::from_ref;

    use super::*;

    fn person(id: i32) -> FoundPerson {
        FoundPerson {
            id: UserId(id),
            username: "anna".to_owned(),
            first_name: String::new(),
            last_name: String::new(),
            email: String::new(),
            is_staff: true,
            is_superuser: false,
            is_active: true,
            date_joined: "2026-01-01T00:00:00Z".parse().unwrap(),
            last_login: None,
            has_password: true,
            level: "GA".to_owned(),
            units: Vec::new(),
        }
    }

    fn change(stays_admin: bool, stays_active: bool) -> Step {
        Step::Change {
            stays_admin,
            stays_active,
        }
    }

    #[test]
    fn the_last_administrator_stays_one() {
        let (one, other) = (
            Administrator { id: UserId(1) },
            Administrator { id: UserId(2) },
        );
        let steps = [
            change(false, true),
            change(true, false),
            Step::RemoveStaff,
            Step::Delete,
        ];
        for step in steps {
            let ask = |all: &[Administrator]| problem(step, &person(1), Some(UserId(2)), all);
            assert!(
                ask(from_ref(&one)).unwrap().contains("last active"),
                "{step:?}"
            );
            assert_eq!(ask(&[one.clone(), other.clone()]), None, "{step:?}");
            assert_eq!(ask(from_ref(&other)), None, "{step:?}");
        }
        assert_eq!(
            problem(change(true, true), &person(1), Some(UserId(1)), &[one]),
            None
        );
    }

    #[test]
    fn nobody_deletes_or_deactivates_the_own_account() {
        let all = [
            Administrator { id: UserId(1) },
            Administrator { id: UserId(2) },
        ];
        for step in [Step::Delete, change(true, false)] {
            let sentence = problem(step, &person(1), Some(UserId(1)), &all);
            assert!(sentence.unwrap().contains("own account"), "{step:?}");
        }
        for step in [Step::RemoveStaff, change(false, true)] {
            assert_eq!(
                problem(step, &person(1), Some(UserId(1)), &all),
                None,
                "{step:?}"
            );
        }
    }
}
