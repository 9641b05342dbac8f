//! A part of the fleet as SQL: which machines a list of software is about.
//!
//! Statements over a place go out unprepared, so that Postgres plans with the values: one plan for a single machine
//! and for the whole fleet would be wrong for one of them.

use tokio_postgres::{
    Row,
    types::{ToSql, Type},
};

use crate::{
    error::StoreError,
    ids::{GroupId, MachineId, UnitId},
    pool::{Executor, query_typed},
    scope::Scope,
};

crate::queries! {
    /// The machine with this id, whoever asks: the caller compares its unit with the viewer's scope.
    find_machine(id: MachineId) -> /// A machine that exists.
    FoundMachine {
        /// Its id.
        id: MachineId,
        /// Its serial number.
        serial: String,
        /// Its name.
        hostname: Option<String>,
        /// The unit it belongs to.
        unit_id: UnitId,
    } = "SELECT m.id, m.serial, m.hostname, g.business_unit_id AS unit_id
         FROM server_machine m JOIN server_machinegroup g ON g.id = m.machine_group_id WHERE m.id = $1";
}

/// A part of the fleet. Its deployed machines count; a single machine counts in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// All of it.
    All,
    /// A business unit.
    Unit(UnitId),
    /// A machine group of a unit.
    Group(GroupId, UnitId),
    /// A machine of a unit.
    Machine(MachineId, UnitId),
}

impl Place {
    /// Whether someone with this scope may see all of it.
    #[must_use]
    pub fn is_within(&self, scope: &Scope) -> bool {
        let Scope::Units(units) = scope else {
            return true;
        };
        match self {
            Self::All => false,
            Self::Unit(unit) | Self::Group(_, unit) | Self::Machine(_, unit) => {
                units.contains(&unit.0)
            }
        }
    }

    /// Its id, 0 for all; parameter 2 of statements over it.
    #[must_use]
    pub fn id(&self) -> i64 {
        match self {
            Self::All => 0,
            Self::Unit(id) => id.0.into(),
            Self::Group(id, _) => id.0.into(),
            Self::Machine(id, _) => id.0,
        }
    }

    /// Its kind, as summaries are filed under it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Unit(_) => "unit",
            Self::Group(..) => "group",
            Self::Machine(..) => "machine",
        }
    }

    /// Its machines `m` with their groups `g`, for a FROM; parameter 1 is the scope, parameter 2 its id.
    pub(crate) fn machines(&self) -> String {
        let which = match self {
            Self::All => "m.deployed AND $2::bigint = 0",
            Self::Unit(_) => "m.deployed AND g.business_unit_id = $2::bigint",
            Self::Group(..) => "m.deployed AND m.machine_group_id = $2::bigint",
            Self::Machine(..) => "m.id = $2::bigint",
        };
        format!(
            "server_machine m JOIN server_machinegroup g ON g.id = m.machine_group_id \
             AND ($1::int[] IS NULL OR g.business_unit_id = ANY($1::int[])) AND {which}"
        )
    }
}

/// Whether a place has at most so many machines.
///
/// # Errors
/// When the database cannot be asked.
pub async fn has_at_most(
    machines: i64,
    place: &Place,
    scope: &Scope,
    db: &impl Executor,
) -> Result<bool, StoreError> {
    if let Place::Machine(..) = place {
        return Ok(true);
    }
    let sql = format!(
        "SELECT count(*) FROM (SELECT FROM {} LIMIT $3::bigint + 1) found",
        place.machines()
    );
    let rows = ask(&sql, place, &[(&machines, Type::INT8)], scope, db).await?;
    let found: i64 = rows.first().map_or(Ok(0), |row| row.try_get(0))?;
    Ok(found <= machines)
}

/// Sends a statement with the scope and the place's id as parameters 1 and 2, and these after them.
pub(crate) async fn ask(
    sql: &str,
    place: &Place,
    parameters: &[(&(dyn ToSql + Sync), Type)],
    scope: &Scope,
    db: &impl Executor,
) -> Result<Vec<Row>, StoreError> {
    let (units, id) = (scope.units(), place.id());
    let mut all: Vec<(&(dyn ToSql + Sync), Type)> =
        vec![(&units, Type::INT4_ARRAY), (&id, Type::INT8)];
    all.extend(parameters.iter().cloned());
    query_typed(sql, &all, db).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_seen_by_its_unit_and_the_whole_by_those_who_see_all() {
        let mine = Scope::Units(vec![1]);
        let places = [
            Place::Unit(UnitId(1)),
            Place::Group(GroupId(7), UnitId(1)),
            Place::Machine(MachineId(9), UnitId(1)),
        ];
        for place in places {
            assert!(place.is_within(&mine) && place.is_within(&Scope::All));
            assert!(!place.is_within(&Scope::Units(vec![2, 7, 9])));
        }
        assert!(Place::All.is_within(&Scope::All) && !Place::All.is_within(&mine));
    }
}
