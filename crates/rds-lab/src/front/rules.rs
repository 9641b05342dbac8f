//! RDS's `pg_hba.conf`, as a pure function.
//!
//! In this order: `hostssl all +rds_iam pam`, `host all +rds_iam reject`, then the line for
//! everybody else, which is `hostssl` when `rds.force_ssl` is on. `rdsadmin` is AWS's own.

use pg_frames::ErrorResponse;

use super::greeting::Encryption;
use super::refusal::{self, Attempt};
use crate::database::SUPERUSER;
use crate::options::ForceSsl;

/// What the first matching line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// `pam`: ask for the token.
    AskForToken,
    /// The backend asks for the password.
    PassOn,
    /// Refuse.
    Refuse(ErrorResponse),
}

/// Whether a role is in `rds_iam`, directly or through other roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Membership {
    Iam,
    Other,
}

/// Finds the line that counts.
pub(super) fn rule(
    attempt: &Attempt<'_>,
    membership: Membership,
    encryption: Encryption,
    force_ssl: ForceSsl,
) -> Rule {
    if attempt.user == SUPERUSER {
        return Rule::Refuse(refusal::rejected(attempt, encryption));
    }
    if attempt.is_replication {
        return Rule::Refuse(refusal::no_replication_entry(attempt, encryption));
    }
    match (membership, encryption, force_ssl) {
        (Membership::Iam, Encryption::Tls, _) => Rule::AskForToken,
        (Membership::Iam, Encryption::None, _) => {
            Rule::Refuse(refusal::rejected(attempt, encryption))
        }
        (Membership::Other, Encryption::None, ForceSsl::On) => {
            Rule::Refuse(refusal::no_entry(attempt, encryption))
        }
        (Membership::Other, ..) => Rule::PassOn,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(user: &str) -> Attempt<'_> {
        Attempt {
            peer: "127.0.0.1".parse().unwrap(),
            user,
            database: "sal",
            is_replication: false,
        }
    }

    fn refused(rule: Rule) -> (String, String) {
        let Rule::Refuse(error) = rule else {
            panic!("{rule:?}")
        };
        (
            error.code().unwrap().to_owned(),
            error.message().unwrap().to_owned(),
        )
    }

    #[test]
    fn a_member_of_rds_iam_needs_tls_whatever_force_ssl_says() {
        let user = attempt("salawsiam");
        for force in [ForceSsl::On, ForceSsl::Off] {
            let with = rule(&user, Membership::Iam, Encryption::Tls, force);
            assert_eq!(with, Rule::AskForToken);
            let without = rule(&user, Membership::Iam, Encryption::None, force);
            let text = "pg_hba.conf rejects connection for host \"127.0.0.1\", user \"salawsiam\", database \"sal\", no encryption";
            assert_eq!(refused(without), ("28000".to_owned(), text.to_owned()));
        }
    }

    #[test]
    fn others_need_tls_only_with_force_ssl() {
        let user = attempt("sal");
        for (encryption, force) in [
            (Encryption::Tls, ForceSsl::On),
            (Encryption::Tls, ForceSsl::Off),
            (Encryption::None, ForceSsl::Off),
        ] {
            assert_eq!(
                rule(&user, Membership::Other, encryption, force),
                Rule::PassOn
            );
        }
        let (code, text) = refused(rule(
            &user,
            Membership::Other,
            Encryption::None,
            ForceSsl::On,
        ));
        assert_eq!(code, "28000");
        assert_eq!(
            text,
            "no pg_hba.conf entry for host \"127.0.0.1\", user \"sal\", database \"sal\", no encryption"
        );
    }

    #[test]
    fn the_superuser_never_gets_through_the_gate() {
        let admin = attempt(SUPERUSER);
        let answer = rule(&admin, Membership::Other, Encryption::Tls, ForceSsl::Off);
        assert!(
            refused(answer)
                .1
                .ends_with("database \"sal\", SSL encryption")
        );
    }
}
