//! Sal's addresses of lists: `/list/…` leads to `/machines/`; `/tableajax/…` answers the table's script, `/csv/…` is the
//! list as a file. Scripts of administrators read the latter two, so they answer as Sal does, byte for byte where that
//! was recorded.

mod csv;
mod data_table;

use axum::{
    extract::{Path, State},
    response::Response,
    routing::get,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sal_http::{
    Access, App, AppError, Routes,
    access::{SeesMachines, Viewer},
};
use sal_plugins::Filter;
use sal_store::Client;

pub(crate) use csv::sals_csv_of;

use super::list::segment_filter;
use crate::{
    fleet_part::{FleetPart, sees_every_unit, visible_group, visible_unit},
    page::redirect,
};

pub(crate) fn routes() -> Routes {
    Routes::new()
        .route(
            "/list/{plugin}/{data}/",
            Access::SeesMachines,
            get(redirect_from_short_list),
        )
        .route(
            "/list/{plugin}/{data}/{*rest}",
            Access::SeesMachines,
            get(redirect_from_list),
        )
        .route(
            "/tableajax/{plugin}/{data}/{place}/{id}/",
            Access::SeesMachines,
            get(data_table::show_data_table),
        )
        .route(
            "/csv/{plugin}/{data}/{place}/{id}/",
            Access::SeesMachines,
            get(csv::send_csv),
        )
}

/// A list of Sal's: plugin, segment, kind of place, id of the place.
type OldList = (String, String, String, String);

/// The machines of an old list, if the viewer may see them.
///
/// # Errors
/// Not found for what there is not, and, as Sal has it here, for what is another's.
async fn old_list(
    (plugin, data, place, id): &OldList,
    viewer: &Viewer,
    app: &App,
    db: &Client,
) -> Result<(Filter, FleetPart), AppError> {
    let data = data_of_link(plugin, data, app);
    // Postgres has no text with a NUL, so no machine has one.
    if data.contains('\0') {
        return Err(AppError::NotFound);
    }
    let filter = segment_filter(Some((plugin, &data)), app)?;
    let part = match place.as_str() {
        "all" if sees_every_unit(viewer, db).await? => Ok(FleetPart::All),
        "business_unit" => visible_unit(id, viewer, db).await.map(FleetPart::Unit),
        "machine_group" => visible_group(id, viewer, db).await.map(FleetPart::Group),
        _ => Err(AppError::NotFound),
    };
    Ok((filter, part?))
}

async fn redirect_from_short_list(
    SeesMachines(_viewer): SeesMachines,
    Path((plugin, data)): Path<(String, String)>,
    State(app): State<App>,
) -> Response {
    let data = data_of_link(&plugin, &data, &app);
    redirect(&new_address(&plugin, &data, ""))
}

async fn redirect_from_list(
    SeesMachines(_viewer): SeesMachines,
    Path((plugin, data, place)): Path<(String, String, String)>,
    State(app): State<App>,
) -> Response {
    let data = data_of_link(&plugin, &data, &app);
    redirect(&new_address(&plugin, &data, &place))
}

/// What a segment's address means once the router took off one layer; Sal's links have another, which depends on the
/// plugin.
fn data_of_link(plugin: &str, link: &str, app: &App) -> String {
    match app.registry().get(plugin) {
        Some(plugin) => plugin.data_of_link(link),
        None => link.to_owned(),
    }
}

/// `place` is `all/0/`, `business_unit/<id>/` or `machine_group/<id>/`.
fn new_address(plugin: &str, data: &str, place: &str) -> String {
    let encode = |text| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let place = match place.trim_end_matches('/').split_once('/') {
        Some(("business_unit", id)) => format!("&unit={}", encode(id)),
        Some(("machine_group", id)) => format!("&group={}", encode(id)),
        _ => String::new(),
    };
    format!(
        "/machines/?widget={}&data={}{place}",
        encode(plugin),
        encode(data)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_addresses_lead_to_the_same_list() {
        assert_eq!(
            new_address("Activity", "hour", "all/0/"),
            "/machines/?widget=Activity&data=hour"
        );
        assert_eq!(
            new_address("OperatingSystem", "Darwin&14.1", ""),
            "/machines/?widget=OperatingSystem&data=Darwin%2614%2E1"
        );
        assert_eq!(
            new_address("Activity", "hour", "machine_group/7/"),
            "/machines/?widget=Activity&data=hour&group=7"
        );
        assert_eq!(
            new_address("Activity", "hour", "business_unit/7"),
            "/machines/?widget=Activity&data=hour&unit=7"
        );
    }
}
