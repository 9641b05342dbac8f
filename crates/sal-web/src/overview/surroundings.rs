//! What stands around the widgets: the units or groups next to them, the way up, and what can be made here.

use sal_http::{
    AppError,
    access::{Level, Viewer},
};
use sal_store::{
    Client,
    ids::UnitId,
    units::{list_groups, list_units},
};

use crate::{
    fleet_part::{FleetPart, group_path, unit_path},
    wording,
};

/// The units or groups that can be gone to from a page.
pub(super) struct Places {
    pub(super) heading: &'static str,
    pub(super) lines: Vec<Place>,
}

/// A unit or group.
pub(super) struct Place {
    pub(super) name: String,
    pub(super) href: String,
    /// Deployed machines, as Sal counts them.
    pub(super) deployed: String,
    /// What that number is, in words.
    pub(super) title: String,
    /// Whether this is the page it leads to.
    pub(super) is_here: bool,
}

/// A link with its text.
pub(super) struct Link {
    pub(super) href: String,
    pub(super) label: String,
}

impl Places {
    /// The units of the viewer, or the groups of the unit the page is about or lies in.
    pub(super) async fn around(
        part: &FleetPart,
        viewer: &Viewer,
        db: &Client,
    ) -> Result<Self, AppError> {
        match part {
            FleetPart::All => Self::units(viewer, db).await,
            FleetPart::Unit(unit) => Self::groups(unit.id, part, viewer, db).await,
            FleetPart::Group(group) => Self::groups(group.unit_id, part, viewer, db).await,
        }
    }

    async fn units(viewer: &Viewer, db: &Client) -> Result<Self, AppError> {
        let units = list_units(db, &viewer.scope).await?;
        let line = |unit: sal_store::units::ListedUnit| {
            Place::new(unit.name, unit_path(unit.id), unit.deployed)
        };
        Ok(Self {
            heading: "Business units",
            lines: units.into_iter().map(line).collect(),
        })
    }

    async fn groups(
        unit: UnitId,
        part: &FleetPart,
        viewer: &Viewer,
        db: &Client,
    ) -> Result<Self, AppError> {
        let groups = list_groups(db, &unit, &viewer.scope).await?;
        let here = part.path();
        let line = |group: sal_store::units::ListedGroup| {
            let mut place = Place::new(group.name, group_path(group.id), group.deployed);
            place.is_here = place.href == here;
            place
        };
        Ok(Self {
            heading: "Machine groups",
            lines: groups.into_iter().map(line).collect(),
        })
    }
}

impl Place {
    fn new(name: String, href: String, deployed: i64) -> Self {
        Self {
            name,
            href,
            deployed: wording::count(deployed),
            title: wording::count_of(deployed, "deployed machine", "deployed machines"),
            is_here: false,
        }
    }
}

/// What the page lies in, from the outside in.
pub(super) fn way_up(part: &FleetPart, viewer: &Viewer) -> Vec<Link> {
    let all = Link {
        href: "/".to_owned(),
        label: "Overview".to_owned(),
    };
    // The overview sends members of one unit back to that unit.
    let has_overview = viewer.scope.units().is_none_or(|units| units.len() != 1);
    let mut links: Vec<Link> = has_overview.then_some(all).into_iter().collect();
    match part {
        FleetPart::All => return Vec::new(),
        FleetPart::Unit(_) => {}
        FleetPart::Group(group) => links.push(Link {
            href: unit_path(group.unit_id),
            label: group.unit.clone(),
        }),
    }
    links
}

/// What the viewer can make and change here.
pub(super) fn actions(part: &FleetPart, viewer: &Viewer) -> Vec<Link> {
    let link = |href: String, label: &str| Link {
        href,
        label: label.to_owned(),
    };
    let (writes, is_admin) = (
        viewer.level >= Level::ReadWrite,
        viewer.level == Level::GlobalAdmin,
    );
    let mut links = Vec::new();
    match part {
        FleetPart::All if is_admin => {
            links.push(link("/units/".to_owned(), "Units and groups"));
            links.push(link("/new-bu/".to_owned(), "New business unit"));
        }
        FleetPart::Unit(unit) if writes => {
            let id = unit.id;
            if is_admin {
                links.push(link(format!("/business_unit/edit/{id}/"), "Edit unit"));
                links.push(link(format!("/business_unit/delete/{id}/"), "Delete…"));
            }
            links.push(link(
                format!("/new-machine-group/{id}/"),
                "New machine group",
            ));
        }
        FleetPart::Group(group) if writes => {
            let id = group.id;
            links.push(link(format!("/edit-machine-group/{id}/"), "Edit group"));
            if is_admin {
                links.push(link(format!("/machine_group/delete/{id}/"), "Delete…"));
            }
            links.push(link(format!("/machine/new/{id}/"), "New machine"));
        }
        _ => {}
    }
    links
}
