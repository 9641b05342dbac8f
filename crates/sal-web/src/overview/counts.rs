//! The numbers of a page: every tile and line of all widgets by one statement, and one more per grouped panel.

use sal_http::{App, AppError, access::Viewer};
use sal_plugins::{Panel, Plugin};
use sal_query::Condition;
use sal_store::{
    Client,
    overview::{GroupCount, count_groups, count_machines},
};

use crate::fleet_part::FleetPart;

/// The numbers of a page.
pub(super) struct Counts {
    /// All machines of the part.
    pub(super) machines: i64,
    /// What the links to lists say of the part: `&unit=1`, `&group=1`, or nothing.
    pub(super) list_parameter: String,
    /// One per bucket, in the order of plugins, panels and buckets.
    pub(super) buckets: std::vec::IntoIter<i64>,
    /// One per grouped panel, in the same order.
    pub(super) groups: std::vec::IntoIter<Vec<GroupCount>>,
}

impl Counts {
    /// Counts the machines of a part of the fleet.
    pub(super) async fn read(
        part: &FleetPart,
        plugins: &[&Plugin],
        viewer: &Viewer,
        app: &App,
        db: &Client,
    ) -> Result<Self, AppError> {
        let (now, scope) = (app.now(), part.scope(viewer));
        let whole = part.condition()?;
        let inside = |condition: &Condition| whole.clone().and(condition.clone());
        let mut conditions = vec![whole.clone()];
        let mut groups = Vec::new();
        for panel in plugins.iter().flat_map(|plugin| &plugin.panels) {
            match panel {
                Panel::Buckets { buckets, .. } => {
                    conditions.extend(buckets.iter().map(|bucket| inside(&bucket.condition)));
                }
                // One statement per grouped panel: each has its own grouping.
                Panel::Groups(by) => groups.push(
                    count_groups(
                        (by.field, by.then_by),
                        &inside(&by.condition),
                        now,
                        &scope,
                        db,
                    )
                    .await?,
                ),
            }
        }
        let mut buckets = count_machines(&conditions, now, &scope, db)
            .await?
            .into_iter();
        let parameter = part.parameter();
        Ok(Self {
            machines: buckets.next().unwrap_or(0),
            list_parameter: parameter
                .map_or_else(String::new, |(name, id)| format!("&{name}={id}")),
            buckets,
            groups: groups.into_iter(),
        })
    }
}
