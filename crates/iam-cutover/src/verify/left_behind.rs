//! Where the old user was the master user: what still belongs to it or was granted to it alone.
//!
//! The owner role is compared with what the master user had, not with itself: an object that did not move, or a grant
//! that was not passed on, is gone for the deployment, although new user and owner role are alike.

use tokio_postgres::{Client, Error};

use crate::{
    check::Check,
    compare::Difference,
    inventory::{self, Database, Graph},
    wish::{LostGrants, Wish},
};

/// What the deployment had as the master user and does not have as the owner role, in the session's own database.
pub(super) async fn differences(
    database: &str,
    wish: &Wish,
    graph: &Graph,
    db: &Client,
) -> Result<(Vec<Difference>, Option<Check>), Error> {
    let row = db.query_one(VERSION, &[]).await?;
    let facts = inventory::database(database, wish, row.try_get(0)?, db).await?;
    let missing = |kind: &str, object: String, privilege: &str| Difference {
        kind: kind.to_owned(),
        object,
        privilege: privilege.to_owned(),
        old: Some(wish.old_user.clone()),
        new: None,
    };
    let mut found: Vec<Difference> = facts
        .movable()
        .map(|owned| {
            missing(
                "ownership",
                format!("{} {}", owned.kind, owned.name),
                "OWNER",
            )
        })
        .collect();
    if wish.lost_grants == LostGrants::Refuse {
        found.extend(
            facts
                .not_passed_on(&wish.owner_role)
                .map(|grant| missing("grant", grant.on.clone(), &grant.privilege)),
        );
        found.extend(
            facts
                .policies_to_pass_on()
                .map(|policy| missing("policy", policy.shown(), "TO")),
        );
        let memberships = graph.memberships_of(wish);
        let lost = memberships.filter(|edge| {
            let mut members = graph.members(&edge.role);
            !members.any(|member| member.member == wish.owner_role)
        });
        found.extend(lost.map(|edge| missing("membership", edge.role.clone(), "MEMBER")));
    }
    Ok((found, staying(database, wish, &facts)))
}

/// What cannot be moved is no difference that this tool could take away, and should be known.
fn staying(database: &str, wish: &Wish, facts: &Database) -> Option<Check> {
    let owned = facts.owned_by_old.iter();
    let all: Vec<String> = owned
        .filter_map(|owned| {
            let why = owned.stays.as_ref()?;
            Some(format!("{} {} ({why})", owned.kind, owned.name))
        })
        .collect();
    (!all.is_empty()).then(|| {
        Check::attention(
            "stays",
            format!("Objects in {database} that stay with {}", wish.old_user),
            all.join("; "),
            "look whether the deployment needs them",
        )
    })
}

const VERSION: &str = "SELECT pg_catalog.current_setting('server_version_num')::int";
