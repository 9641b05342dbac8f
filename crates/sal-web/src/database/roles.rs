//! The session of this server and the roles around it, as the database sees them.

use sal_http::database_status::LoginMode;
use sal_store::database::{Role, Session};

/// The session, worded.
pub(super) struct SessionView {
    pub(super) session: Session,
    /// Whether statements run as another role than the one that logged in.
    pub(super) works_as: Option<String>,
    pub(super) load_tone: &'static str,
    /// What an operator should look at.
    pub(super) warnings: Vec<String>,
}

/// A role and what it is here.
pub(super) struct RoleLine {
    pub(super) role: Role,
    pub(super) part: String,
}

impl SessionView {
    pub(super) fn new(session: Session) -> Self {
        let mut warnings = Vec::new();
        if session.in_recovery || session.read_only {
            warnings.push(
                "The database takes no writes: it is a standby, or it was demoted by a failover."
                    .to_owned(),
            );
        }
        if !session.acts_as_owner {
            warnings.push(format!(
                "This login has not the rights of {}, which owns Sal's tables: `sal iam doctor` says what is missing.",
                session.owner.as_deref().unwrap_or("the role")
            ));
        }
        let usable = i64::from(session.max_connections - session.reserved).max(1);
        let is_full = session.connections * 10 >= usable * 8;
        Self {
            works_as: (session.current_user != session.session_user)
                .then(|| session.current_user.clone()),
            load_tone: if is_full { "warn" } else { "ok" },
            warnings,
            session,
        }
    }
}

/// Which roles there are around a session, and what each is.
pub(super) fn names(session: &Session, administrator: Option<&str>) -> Vec<(String, String)> {
    let mut names: Vec<(String, String)> = Vec::new();
    let parts = [
        (
            Some(session.session_user.as_str()),
            "logs in for this server",
        ),
        (
            Some(session.current_user.as_str()),
            "its statements run as it",
        ),
        (session.owner.as_deref(), "owns Sal's tables"),
        (administrator, "ran the last command of the move"),
    ];
    for (name, part) in parts {
        let Some(name) = name else { continue };
        match names.iter_mut().find(|(known, _)| known == name) {
            Some((_, said)) => {
                said.push_str(", ");
                said.push_str(part);
            }
            None => names.push((name.to_owned(), part.to_owned())),
        }
    }
    names
}

/// The roles in the order of their names' list.
pub(super) fn lines(roles: Vec<Role>, names: &[(String, String)]) -> Vec<RoleLine> {
    let part = |role: &Role| {
        let found = names.iter().find(|(name, _)| *name == role.name);
        found.map(|(_, part)| part.clone()).unwrap_or_default()
    };
    let line = |role: Role| RoleLine {
        part: part(&role),
        role,
    };
    roles.into_iter().map(line).collect()
}

/// What does not fit together.
pub(super) fn contradiction(mode: LoginMode, login: &Role) -> Option<String> {
    match (mode, login.uses_iam) {
        (LoginMode::Password, true) => Some(format!(
            "{} is a member of rds_iam, so RDS takes no password from it any more; this connection is older than that, or does not come from RDS.",
            login.name
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> Session {
        Session {
            session_user: "salawsiam".to_owned(),
            current_user: "sal".to_owned(),
            role_setting: "sal".to_owned(),
            server_version: "16.4".to_owned(),
            in_recovery: false,
            read_only: false,
            encrypted: true,
            tls_version: Some("TLSv1.3".to_owned()),
            cipher: None,
            connections: 10,
            max_connections: 100,
            reserved: 3,
            owner: Some("sal".to_owned()),
            acts_as_owner: true,
        }
    }

    #[test]
    fn a_role_with_two_parts_is_one_line() {
        let names = names(&session(), Some("postgres"));
        let texts: Vec<_> = names
            .iter()
            .map(|(name, part)| format!("{name}: {part}"))
            .collect();
        assert_eq!(
            texts,
            [
                "salawsiam: logs in for this server",
                "sal: its statements run as it, owns Sal's tables",
                "postgres: ran the last command of the move"
            ]
        );
    }

    #[test]
    fn what_an_operator_should_look_at_is_said() {
        let fine = SessionView::new(session());
        assert_eq!((fine.warnings.len(), fine.load_tone), (0, "ok"));
        assert_eq!(fine.works_as.as_deref(), Some("sal"));
        let bad = SessionView::new(Session {
            read_only: true,
            acts_as_owner: false,
            connections: 80,
            ..session()
        });
        assert_eq!((bad.warnings.len(), bad.load_tone), (2, "warn"));
    }
}
