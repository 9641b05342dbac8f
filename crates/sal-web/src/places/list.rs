//! `/units/`: all business units with their groups, for those who manage them.

use askama::Template;
use axum::{extract::State, response::Response, routing::get};
use sal_http::{Access, App, AppError, Routes, access::GlobalAdmin, db::Db};
use sal_store::units::{ManagedGroup, ManagedUnit, list_all_groups, list_units_with_members};

use crate::{
    fleet_part::{group_path, unit_path},
    page::render,
    shell::{Section, Shell, Theme},
    wording,
};

pub(super) fn routes() -> Routes {
    Routes::new().route("/units/", Access::GlobalAdmin, get(show_units))
}

#[derive(Template)]
#[template(path = "places/list.html")]
struct UnitsPage {
    shell: Shell,
    total: String,
    units: Vec<UnitLine>,
}

struct UnitLine {
    id: i32,
    name: String,
    href: String,
    members: String,
    machines: String,
    groups: Vec<GroupLine>,
}

struct GroupLine {
    id: i32,
    name: String,
    href: String,
    /// `12 machines`, and how many of them are not deployed.
    machines: String,
}

async fn show_units(
    GlobalAdmin(viewer): GlobalAdmin,
    theme: Theme,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let (units, groups) = tokio::try_join!(
        list_units_with_members(&db),
        list_all_groups(&db, &viewer.scope),
    )?;
    let count = |len: usize| i64::try_from(len).unwrap_or(i64::MAX);
    let total = format!(
        "{}, {}",
        wording::count_of(count(units.len()), "business unit", "business units"),
        wording::count_of(count(groups.len()), "machine group", "machine groups")
    );
    render(&UnitsPage {
        shell: Shell::of(&viewer, theme, Section::Overview, "Units and groups", &app),
        total,
        units: units
            .into_iter()
            .map(|unit| UnitLine::new(unit, &groups))
            .collect(),
    })
}

impl UnitLine {
    fn new(unit: ManagedUnit, groups: &[ManagedGroup]) -> Self {
        let own = || groups.iter().filter(|group| group.unit_id == unit.id);
        let machines = own().map(|group| group.machines).sum();
        Self {
            groups: own().map(GroupLine::new).collect(),
            machines: wording::count(machines),
            members: wording::count(unit.members),
            href: unit_path(unit.id),
            id: unit.id.0,
            name: unit.name,
        }
    }
}

impl GroupLine {
    fn new(group: &ManagedGroup) -> Self {
        let machines = wording::count_of(group.machines, "machine", "machines");
        let undeployed = group.machines - group.deployed;
        Self {
            id: group.id.0,
            name: group.name.clone(),
            href: group_path(group.id),
            machines: if undeployed == 0 {
                machines
            } else {
                format!("{machines}, {} undeployed", wording::count(undeployed))
            },
        }
    }
}
