//! What is there: roles, who is a member of whom, who owns what, and how roles are set.
//!
//! Plain data, so that the plan is a pure function of it. `read.rs` fills it as the administrator.
//! Only what a master user may see is read: no `pg_authid`, no passwords.

mod graph;
mod objects;
mod read;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

pub(crate) use self::read::{CLUSTER, database};
pub use self::{
    graph::{Edge, Graph, Reach},
    read::{read, read_graph},
};

/// The role whose members log in with IAM (AWS: "IAM database authentication").
pub const RDS_IAM: &str = "rds_iam";
/// The role of the master user.
pub const RDS_SUPERUSER: &str = "rds_superuser";

/// Everything the plan is made from.
#[derive(Clone, Debug, Serialize)]
pub struct Inventory {
    /// `server_version_num`, such as 150018.
    pub version: i32,
    /// The user this was read as.
    pub admin: String,
    /// Roles by name; those of the wish, the administrator, and every role that can log in.
    pub roles: BTreeMap<String, Role>,
    /// Who is a member of whom, in the whole cluster.
    pub graph: Graph,
    /// Settings of the old user that the administrator may not give to a role.
    pub uncopyable: BTreeSet<String>,
    /// The databases of the wish.
    pub databases: Vec<Database>,
    /// Where the new user owns or was granted something; databases, or `the cluster`.
    pub mentions_of_new: Vec<String>,
    /// Where the owner role does, apart from the databases of the wish.
    pub mentions_of_owner_role: Vec<String>,
    /// Other databases in which the old user owns something.
    pub further_databases: Vec<String>,
    /// Whether a new user is there and left out here, because it has to be made once more.
    pub replaces_new: bool,
}

/// A role, as `pg_roles` shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "these are the attributes of a role in Postgres"
)]
pub struct Role {
    /// Its name.
    pub name: String,
    /// `LOGIN`.
    pub login: bool,
    /// `INHERIT`.
    pub inherit: bool,
    /// `SUPERUSER`.
    pub superuser: bool,
    /// `CREATEDB`.
    pub createdb: bool,
    /// `CREATEROLE`.
    pub createrole: bool,
    /// `REPLICATION`.
    pub replication: bool,
    /// `BYPASSRLS`.
    pub bypassrls: bool,
    /// `CONNECTION LIMIT`; -1 for none.
    pub connection_limit: i32,
    /// Its comment.
    pub comment: Option<String>,
    /// Its settings, role-wide and per database.
    pub settings: Vec<Setting>,
    /// Sessions it has now, in all databases.
    pub sessions: i64,
    /// Whether the administrator may grant it (`ADMIN OPTION`, or the rules before Postgres 16).
    pub grantable: bool,
}

/// One setting of a role.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Setting {
    /// In which database; `None` for all.
    pub database: Option<String>,
    /// The setting.
    pub name: String,
    /// Its value as stored.
    pub value: String,
}

/// One database.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Database {
    /// Its name.
    pub name: String,
    /// Who owns it.
    pub owner: String,
    /// What the old user owns in it, apart from what belongs to another object.
    pub owned_by_old: Vec<Owned>,
    /// What the new user owns in it.
    pub owned_by_new: Vec<Owned>,
    /// What the owner role owns in it.
    pub owned_by_owner_role: Vec<Owned>,
    /// Default privileges that the old user has set for what it makes.
    pub default_privileges: Vec<DefaultPrivilege>,
    /// Grants to the old user itself on what others own.
    pub grants_to_old: Vec<DirectGrant>,
    /// Grants to the owner role on what others own.
    pub grants_to_owner_role: Vec<DirectGrant>,
    /// Whether anything here belongs to the owner role or was granted to it, default privileges included.
    pub mentions_owner_role: bool,
    /// Row level security policies that name the old user.
    pub policies_of_old: Vec<Policy>,
    /// Whether the administrator may make a schema in it.
    pub admin_may_create: bool,
    /// Event triggers that are on, apart from those of extensions.
    pub event_triggers: Vec<EventTrigger>,
}

/// A row level security policy that names the old user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Policy {
    /// Its name, as SQL takes it.
    pub name: String,
    /// Its table, qualified, as SQL takes it.
    pub table: String,
    /// Whom it is for, as SQL takes them.
    pub roles: Vec<String>,
    /// Whether it is for the owner role, too.
    pub is_for_owner_role: bool,
    /// Whether the administrator may alter it: the old user's or its own.
    pub alterable: bool,
}

/// A function that runs whenever somebody logs in to a database or changes something in it, as whoever does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EventTrigger {
    /// Its name.
    pub name: String,
    /// At what, such as `ddl_command_end`.
    pub event: String,
    /// The function, qualified.
    pub function: String,
    /// Who owns the function, and can replace it.
    pub owner: String,
    /// Whether that is an administrator: it may what the administrator may.
    pub is_administrators: bool,
}

/// An object with an owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Owned {
    /// The word after `ALTER`, such as `TABLE`.
    pub kind: String,
    /// Its name, quoted and qualified, as SQL takes it.
    pub name: String,
    /// The schema that it is in or is, if there is one; as a bare name.
    pub in_schema: Option<String>,
    /// Why it cannot be given to another role; `None` where it can.
    pub stays: Option<String>,
}

/// One privilege in `ALTER DEFAULT PRIVILEGES`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DefaultPrivilege {
    /// `IN SCHEMA`; `None` for all schemas.
    pub schema: Option<String>,
    /// `TABLES`, `SEQUENCES`, `FUNCTIONS`, `TYPES` or `SCHEMAS`.
    pub objects: String,
    /// To whom; `None` for `PUBLIC`.
    pub grantee: Option<String>,
    /// The privilege.
    pub privilege: String,
    /// `WITH GRANT OPTION`.
    pub grantable: bool,
}

/// A privilege that was granted to a role by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DirectGrant {
    /// What comes after `ON`, such as `TABLE public.x`.
    pub on: String,
    /// The privilege, with the column if it is about one.
    pub privilege: String,
    /// Who owns the object.
    pub owner: String,
    /// Whether the administrator could pass it on.
    pub passable: bool,
}

impl Policy {
    /// The policy and its table.
    #[must_use]
    pub fn shown(&self) -> String {
        format!("{} on {}", self.name, self.table)
    }
}

impl Database {
    /// Row level security policies for the old user that the owner role is not under.
    pub fn policies_to_pass_on(&self) -> impl Iterator<Item = &Policy> {
        let policies = self.policies_of_old.iter();
        policies.filter(|policy| !policy.is_for_owner_role)
    }

    /// What the old user owns and can be given to another role.
    pub fn movable(&self) -> impl Iterator<Item = &Owned> {
        self.owned_by_old
            .iter()
            .filter(|owned| owned.stays.is_none())
    }

    /// What was granted to the old user on what belongs to neither it nor `owner_role`, and not to that role.
    pub fn not_passed_on<'a>(
        &'a self,
        owner_role: &'a str,
    ) -> impl Iterator<Item = &'a DirectGrant> {
        self.grants_to_old.iter().filter(move |grant| {
            let has = |had: &DirectGrant| had.on == grant.on && had.privilege == grant.privilege;
            grant.owner != owner_role && !self.grants_to_owner_role.iter().any(has)
        })
    }
}

impl Inventory {
    /// The major version, such as 15.
    #[must_use]
    pub fn major(&self) -> i32 {
        self.version / 10_000
    }

    /// A role, if it exists.
    #[must_use]
    pub fn role(&self, name: &str) -> Option<&Role> {
        self.roles.get(name)
    }

    /// Whether a role is a master user: a member of `rds_superuser`, or a superuser outside RDS.
    #[must_use]
    pub fn is_master(&self, name: &str) -> bool {
        let superuser = self.role(name).is_some_and(|role| role.superuser);
        superuser || self.graph.path(name, RDS_SUPERUSER).is_some()
    }

    /// Every role that can log in, by name.
    pub fn logins(&self) -> impl Iterator<Item = &Role> {
        self.roles.values().filter(|role| role.login)
    }
}

impl Role {
    /// Its value of a setting in a database, the one that counts there.
    #[must_use]
    pub fn setting(&self, database: &str, name: &str) -> Option<&str> {
        let of = |wanted: Option<&str>| {
            self.settings
                .iter()
                .find(|setting| setting.database.as_deref() == wanted && setting.name == name)
                .map(|setting| setting.value.as_str())
        };
        of(Some(database)).or_else(|| of(None))
    }
}
