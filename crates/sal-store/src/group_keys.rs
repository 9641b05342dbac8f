//! The keys of machine groups, for the pages that show them to global admins.
//!
//! A key lets any machine check in, so it never appears in a log: [`Key`] does not print itself.

use std::{error::Error, fmt};

use tokio_postgres::types::{FromSql, Type};

use crate::ids::{GroupId, UnitId};

/// A machine group's key.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(String);

impl Key {
    /// The text, for the page that shows it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl<'a> FromSql<'a> for Key {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        String::from_sql(ty, raw).map(Self)
    }

    fn accepts(ty: &Type) -> bool {
        <String as FromSql<'_>>::accepts(ty)
    }
}

crate::queries! {
    /// The oldest groups that have a key, at most five: of one unit, or one group, where these are given.
    group_keys(unit: Option<UnitId>, group: Option<GroupId>) -> /// A machine group that clients can join.
    GroupKey {
        /// Name of the business unit.
        unit: String,
        /// Name of the group.
        name: String,
        /// What clients send.
        key: Option<Key>,
    } = "SELECT u.name AS unit, g.name, g.key
         FROM server_machinegroup g JOIN server_businessunit u ON u.id = g.business_unit_id
         WHERE g.key IS NOT NULL AND ($1::int IS NULL OR u.id = $1::int) AND ($2::int IS NULL OR g.id = $2::int)
         ORDER BY g.id LIMIT 5";
}
