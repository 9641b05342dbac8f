//! A part of the fleet that pages can be about: all of it, a business unit, or a machine group.
//!
//! Looking a unit or group up checks that the viewer may see it, so that whoever holds one need not ask again.

use sal_http::{AppError, access::Viewer};
use sal_plugins::visibility::Page;
use sal_query::{Condition, Field, Operator, Value};
use sal_store::{
    Client,
    ids::{GroupId, UnitId},
    places::Place,
    scope::Scope,
    units::{FoundGroup, FoundUnit, find_group, find_unit, has_all_units},
};

/// All of the viewer's machines, or those of one place.
#[derive(Clone)]
pub(crate) enum FleetPart {
    /// Everything the viewer may see.
    All,
    /// One business unit.
    Unit(FoundUnit),
    /// One machine group.
    Group(FoundGroup),
}

/// The unit with this id, as it stands in a URL.
///
/// # Errors
/// Not found when there is none, or it is not the viewer's.
pub(crate) async fn visible_unit(
    id: &str,
    viewer: &Viewer,
    db: &Client,
) -> Result<FoundUnit, AppError> {
    let id = UnitId(number(id)?);
    let found = find_unit(db, &id).await?.into_iter().next();
    let unit = found.ok_or(AppError::NotFound)?;
    allow(unit.id, viewer)?;
    Ok(unit)
}

/// The group with this id, as it stands in a URL.
///
/// # Errors
/// As for a unit.
pub(crate) async fn visible_group(
    id: &str,
    viewer: &Viewer,
    db: &Client,
) -> Result<FoundGroup, AppError> {
    let id = GroupId(number(id)?);
    let found = find_group(db, &id).await?.into_iter().next();
    let group = found.ok_or(AppError::NotFound)?;
    allow(group.unit_id, viewer)?;
    Ok(group)
}

/// The part that one of Sal's addresses names: `all/0`, `business_unit/<id>`, `machine_group/<id>`.
///
/// # Errors
/// Not found for everything the viewer may not see, and for all machines unless the viewer may see all: so these
/// addresses answer in Sal.
pub(crate) async fn old_address(
    kind: &str,
    id: &str,
    viewer: &Viewer,
    db: &Client,
) -> Result<FleetPart, AppError> {
    match kind {
        "all" if sees_every_unit(viewer, db).await? => Ok(FleetPart::All),
        "business_unit" => visible_unit(id, viewer, db).await.map(FleetPart::Unit),
        "machine_group" => visible_group(id, viewer, db).await.map(FleetPart::Group),
        _ => Err(AppError::NotFound),
    }
}

/// Whether the viewer is a global admin, or belongs to every unit there is.
pub(crate) async fn sees_every_unit(viewer: &Viewer, db: &Client) -> Result<bool, AppError> {
    if viewer.scope == Scope::All {
        return Ok(true);
    }
    let answer = has_all_units(db, &viewer.scope).await?;
    Ok(answer.first().is_some_and(|answer| answer.all))
}

impl FleetPart {
    /// The scope of its machines: never wider than the viewer's.
    pub(crate) fn scope(&self, viewer: &Viewer) -> Scope {
        match self {
            Self::All => viewer.scope.clone(),
            _ => self.whole(),
        }
    }

    /// The scope of all its machines, whoever asks.
    pub(crate) fn whole(&self) -> Scope {
        match self {
            Self::All => Scope::All,
            Self::Unit(unit) => Scope::Units(vec![unit.id.0]),
            Self::Group(group) => Scope::Units(vec![group.unit_id.0]),
        }
    }

    /// What its machines have in common beside the scope.
    ///
    /// # Errors
    /// Never: a group's id is a whole number.
    pub(crate) fn condition(&self) -> Result<Condition, AppError> {
        let Self::Group(group) = self else {
            return Ok(Condition::everything());
        };
        let id = Value::Integer(group.id.0.into());
        Condition::compare(Field::MachineGroup, Operator::Equal, id)
            .map_err(|error| AppError::internal("narrowing to a machine group", error))
    }

    /// Its machines in use, as lists of software are about them.
    pub(crate) fn place(&self) -> Place {
        match self {
            Self::All => Place::All,
            Self::Unit(unit) => Place::Unit(unit.id),
            Self::Group(group) => Place::Group(group.id, group.unit_id),
        }
    }

    /// Where its overview is.
    pub(crate) fn path(&self) -> String {
        match self {
            Self::All => "/".to_owned(),
            Self::Unit(unit) => unit_path(unit.id),
            Self::Group(group) => group_path(group.id),
        }
    }

    /// What the URL of a list of its machines says of it.
    pub(crate) fn parameter(&self) -> Option<(&'static str, i32)> {
        match self {
            Self::All => None,
            Self::Unit(unit) => Some(("unit", unit.id.0)),
            Self::Group(group) => Some(("group", group.id.0)),
        }
    }

    /// Its page, for the rules on which widgets are left out.
    pub(crate) fn page(&self) -> Page {
        match self {
            Self::All => Page::Front,
            Self::Unit(unit) => Page::Unit(unit.id.0),
            Self::Group(group) => Page::Group(group.id.0),
        }
    }

    /// Its name; the whole has none.
    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Self::All => None,
            Self::Unit(unit) => Some(&unit.name),
            Self::Group(group) => Some(&group.name),
        }
    }
}

/// Where the overview of a unit is.
pub(crate) fn unit_path(id: UnitId) -> String {
    format!("/dashboard/{id}/")
}

/// Where the overview of a group is.
pub(crate) fn group_path(id: GroupId) -> String {
    format!("/machinegroup/{id}/")
}

/// A number of digits only, as Sal's URLs have them; one that no row can have is not found.
pub(crate) fn number(text: &str) -> Result<i32, AppError> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits
        .then(|| text.parse().ok())
        .flatten()
        .ok_or(AppError::NotFound)
}

/// Turns away a viewer who is no member of the unit.
fn allow(unit: UnitId, viewer: &Viewer) -> Result<(), AppError> {
    match &viewer.scope {
        // as if it were not there, so that ids tell nothing.
        Scope::Units(units) if !units.contains(&unit.0) => Err(AppError::NotFound),
        Scope::All | Scope::Units(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_digits_that_fit_a_row_are_an_id() {
        assert_eq!(number("17").ok(), Some(17));
        for text in ["", "+1", "-1", "1.0", "x", "2147483648"] {
            assert!(matches!(number(text), Err(AppError::NotFound)), "{text}");
        }
    }
}
