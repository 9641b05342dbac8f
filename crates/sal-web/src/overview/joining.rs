//! How a Mac joins a group: the address of this server and the group's key, for global admins only.
//!
//! Also decides what stands in the place of the widgets while there is no machine.

use axum::http::{HeaderMap, header};
use sal_http::{
    AppError,
    access::{Level, Viewer},
    origin::Origin,
};
use sal_store::{
    Client,
    group_keys::{Key, group_keys},
};

use crate::fleet_part::FleetPart;

/// What a client must be told to join a group.
pub(super) struct Joining {
    /// Names of the group and its unit.
    pub(super) group: String,
    pub(super) unit: String,
    /// Where clients reach this server.
    pub(super) server_url: String,
    pub(super) key: Key,
}

/// What is shown while there is no machine.
pub(super) enum Empty {
    /// No machine has checked in; these groups wait for one.
    WaitingFor { groups: Vec<Joining> },
    /// There is no group at all, so no machine can check in; the viewer may make one.
    NoGroup,
    /// The unit has no group that a machine could be in.
    NoGroupInUnit,
    /// The viewer belongs to no unit.
    NoUnit,
    /// There are groups, and the viewer may not see their keys.
    NoMachine,
}

impl Empty {
    /// Finds out why there is no machine. `places` is how many units or groups the page lists.
    pub(super) fn of(
        part: &FleetPart,
        viewer: &Viewer,
        places: usize,
        joining: Vec<Joining>,
    ) -> Self {
        let admin = viewer.level == Level::GlobalAdmin;
        match part {
            FleetPart::Unit(_) if places == 0 => Self::NoGroupInUnit,
            FleetPart::All if admin && joining.is_empty() => Self::NoGroup,
            FleetPart::All if !admin && places == 0 => Self::NoUnit,
            _ if joining.is_empty() => Self::NoMachine,
            _ => Self::WaitingFor { groups: joining },
        }
    }
}

/// The groups of a part that clients can join; none for those who may not see keys.
pub(super) async fn joining(
    part: &FleetPart,
    viewer: &Viewer,
    server_url: &str,
    db: &Client,
) -> Result<Vec<Joining>, AppError> {
    if viewer.level != Level::GlobalAdmin {
        return Ok(Vec::new());
    }
    let (unit, group) = match part {
        FleetPart::All => (None, None),
        FleetPart::Unit(unit) => (Some(unit.id), None),
        FleetPart::Group(group) => (None, Some(group.id)),
    };
    let groups = group_keys(db, &unit, &group).await?;
    Ok(groups
        .into_iter()
        .filter_map(|group| {
            Some(Joining {
                group: group.name,
                unit: group.unit,
                server_url: server_url.to_owned(),
                key: group.key?,
            })
        })
        .collect())
}

/// The address this page was asked for at, which is the best guess at what Macs can reach.
pub(super) fn server_url(headers: &HeaderMap, origin: &Origin) -> String {
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let scheme = if origin.is_https { "https" } else { "http" };
    format!("{scheme}://{}", host.unwrap_or("sal.example.com"))
}
