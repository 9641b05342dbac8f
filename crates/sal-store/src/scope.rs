//! Which machines a viewer may see.
//!
//! Every read of machine data takes a [`Scope`]; there is no unscoped variant. As SQL it is one array
//! parameter: `($n::int[] IS NULL OR g.business_unit_id = ANY($n))`, where NULL means all units.

use std::error::Error;

use tokio_postgres::types::{IsNull, ToSql, Type, private::BytesMut, to_sql_checked};

/// The business units a viewer may see, by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Every machine: global administrators, and the check-in door itself.
    All,
    /// The machines of these units. Empty means none.
    Units(Vec<i32>),
}

impl Scope {
    /// The value for the scope parameter of a query: `None` becomes NULL, which means all units.
    pub fn units(&self) -> Option<&[i32]> {
        match self {
            Self::All => None,
            Self::Units(units) => Some(units),
        }
    }
}

impl ToSql for Scope {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        self.units().to_sql(ty, out)
    }

    fn accepts(ty: &Type) -> bool {
        <Option<&[i32]> as ToSql>::accepts(ty)
    }

    to_sql_checked!();
}
