//! The place in the address of an inventory page, and whether the viewer may see it.

use sal_http::{AppError, access::Viewer};
use sal_store::{
    Client,
    ids::{MachineId, UnitId},
    places::{Place, find_machine},
    scope::Scope,
    units::list_groups,
};

use super::units_of;
use crate::{
    fleet_part::{sees_every_unit, visible_group, visible_unit},
    wording,
};

/// A place that the viewer may see.
pub(super) struct Shown {
    pub(super) place: Place,
    /// Never wider than the viewer's.
    pub(super) scope: Scope,
    /// As in the address: `machine_group/7`.
    pub(super) segments: String,
    /// Its name.
    pub(super) name: String,
    /// What it belongs to.
    pub(super) way_up: Vec<Neighbour>,
}

/// A place that a page leads to.
pub(super) struct Neighbour {
    pub(super) name: String,
    pub(super) href: String,
    /// `12 machines`
    pub(super) size: String,
}

impl Neighbour {
    pub(super) fn new(name: String, href: String, deployed: i64) -> Self {
        Self {
            name,
            href,
            size: wording::count_of(deployed, "machine", "machines"),
        }
    }
}

impl Shown {
    /// The place of an address. Q-080: another kind of place is not found, where Sal failed.
    ///
    /// # Errors
    /// Not found when there is none, forbidden when it is not the viewer's.
    pub(super) async fn find(
        (kind, id): (&str, &str),
        viewer: &Viewer,
        db: &Client,
    ) -> Result<Self, AppError> {
        match kind {
            "all" => Self::all(id, viewer, db).await,
            "business_unit" => {
                let unit = visible_unit(id, viewer, db).await?;
                let place = Place::Unit(unit.id);
                Ok(Self::new(place, kind, unit.id, unit.name, viewer))
            }
            "machine_group" => {
                let group = visible_group(id, viewer, db).await?;
                let place = Place::Group(group.id, group.unit_id);
                let shown = Self::new(place, kind, group.id, group.name, viewer);
                Ok(shown.below(group.unit_id, group.unit))
            }
            "machine" => Self::machine(id, viewer, db).await,
            _ => Err(AppError::NotFound),
        }
    }

    /// Everything, for global admins and, as in Sal, for who belongs to every unit.
    async fn all(id: &str, viewer: &Viewer, db: &Client) -> Result<Self, AppError> {
        row_id(id)?;
        if !sees_every_unit(viewer, db).await? {
            return Err(AppError::Forbidden);
        }
        let mut shown = Self::new(Place::All, "all", 0, "All machines".to_owned(), viewer);
        shown.scope = Scope::All;
        Ok(shown)
    }

    async fn machine(id: &str, viewer: &Viewer, db: &Client) -> Result<Self, AppError> {
        let found = find_machine(db, &MachineId(row_id(id)?)).await?;
        let machine = found.into_iter().next().ok_or(AppError::NotFound)?;
        let place = Place::Machine(machine.id, machine.unit_id);
        if !place.is_within(&viewer.scope) {
            return Err(AppError::NotFound);
        }
        let name = wording::filled(machine.hostname.as_deref()).unwrap_or(machine.serial);
        Ok(Self::new(place, "machine", machine.id, name, viewer))
    }

    fn new(
        place: Place,
        kind: &str,
        id: impl std::fmt::Display,
        name: String,
        viewer: &Viewer,
    ) -> Self {
        Self {
            place,
            scope: viewer.scope.clone(),
            segments: format!("{kind}/{id}"),
            name,
            way_up: Vec::new(),
        }
    }

    fn below(mut self, unit: UnitId, name: String) -> Self {
        let href = format!("/inventory/business_unit/{unit}/");
        self.way_up.push(Neighbour::new(name, href, 0));
        self
    }

    /// The list of its applications.
    pub(super) fn path(&self) -> String {
        format!("/inventory/{}/", self.segments)
    }

    /// The page of one of them.
    pub(super) fn application_path(&self, application: impl std::fmt::Display) -> String {
        format!("/inventory/application/{}/{application}/", self.segments)
    }

    /// The machines that have one of them.
    pub(super) fn installs_path(&self, application: impl std::fmt::Display) -> String {
        format!("/inventory/list/{}/{application}/", self.segments)
    }

    /// The file of its applications, or of the machines that have one.
    pub(super) fn export_path(&self) -> String {
        format!("/inventory/csv_export/{}/", self.segments)
    }

    /// The units or groups that it consists of.
    pub(super) async fn inside(
        &self,
        viewer: &Viewer,
        db: &Client,
    ) -> Result<Vec<Neighbour>, AppError> {
        match self.place {
            Place::All => Ok(units_of(viewer, db).await?),
            Place::Unit(unit) => {
                let groups = list_groups(db, &unit, &viewer.scope).await?;
                let line = |group: sal_store::units::ListedGroup| {
                    let href = format!("/inventory/machine_group/{}/", group.id);
                    Neighbour::new(group.name, href, group.deployed)
                };
                Ok(groups.into_iter().map(line).collect())
            }
            Place::Group(..) | Place::Machine(..) => Ok(Vec::new()),
        }
    }
}

/// A number of digits only; one that no row can have is not found.
pub(super) fn row_id(text: &str) -> Result<i64, AppError> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits
        .then(|| text.parse().ok())
        .flatten()
        .ok_or(AppError::NotFound)
}
