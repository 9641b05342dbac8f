//! Row ids as types of their own, and the time-ordered UUIDs that Sal's tables use as keys.

use bytes::BytesMut;
use jiff::Timestamp;
use rand::Rng;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type};
use uuid::Uuid;

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident($inner:ty);)*) => { $(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub $inner);

        impl<'a> FromSql<'a> for $name {
            fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
                <$inner>::from_sql(ty, raw).map(Self)
            }
            fn accepts(ty: &Type) -> bool {
                <$inner as FromSql<'_>>::accepts(ty)
            }
        }

        impl ToSql for $name {
            fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
                self.0.to_sql(ty, out)
            }
            fn accepts(ty: &Type) -> bool {
                <$inner as ToSql>::accepts(ty)
            }
            tokio_postgres::types::to_sql_checked!();
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    )* };
}

id! {
    /// A row of `server_machine`.
    MachineId(i64);
    /// A row of `server_machinegroup`.
    GroupId(i32);
    /// A row of `server_businessunit`.
    UnitId(i32);
    /// A row of `server_managementsource`.
    SourceId(Uuid);
    /// A row of `server_manageditem`.
    ItemId(Uuid);
    /// A row of `auth_user`.
    UserId(i32);
    /// A row of `server_apikey`.
    ApiKeyId(i32);
    /// A row of `salrs_api_token`.
    TokenId(i64);
    /// A row of `inventory_application`.
    ApplicationId(i64);
    /// A row of `search_savedsearch`.
    SearchId(i64);
    /// A row of `search_searchgroup`.
    SearchGroupId(i64);
    /// A row of `search_searchrow`.
    SearchRowId(i64);
}

impl ItemId {
    /// Reads the usual spelling of a UUID; anything else is no id.
    pub fn parse(text: &str) -> Option<Self> {
        Uuid::try_parse(text).ok().map(Self)
    }
}

/// Makes a key for `server_managementsource`, `server_manageditem` and `server_manageditemhistory`.
///
/// Django Sal stores the 128 bits of a ULID: 48 bits of Unix milliseconds, then 80 random bits, so that
/// ordering by id is ordering by creation, which is the default order of managed items.
pub fn time_ordered_uuid(now: Timestamp, rng: &mut impl Rng) -> Uuid {
    let milliseconds = u64::try_from(now.as_millisecond()).unwrap_or(0);
    let mut bytes = [0_u8; 16];
    rng.fill_bytes(&mut bytes);
    for (byte, stamp) in bytes
        .iter_mut()
        .zip(milliseconds.to_be_bytes().into_iter().skip(2))
    {
        *byte = stamp;
    }
    Uuid::from_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_ordered_uuids_sort_by_creation() {
        let mut rng = rand::rng();
        let at = |ms| Timestamp::from_millisecond(ms).unwrap();
        let early = time_ordered_uuid(at(1_700_000_000_000), &mut rng);
        let late = time_ordered_uuid(at(1_700_000_000_001), &mut rng);
        assert!(early < late);
        assert_eq!(
            &early.as_bytes()[..6],
            &1_700_000_000_000_u64.to_be_bytes()[2..]
        );
    }
}
