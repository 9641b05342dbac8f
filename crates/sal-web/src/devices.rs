//! `/machines/`: the list behind every number, searched, sorted and paged by the database.
//!
//! What the list shows is in its URL. Sal's old addresses `/list/<plugin>/<data>/…` lead here.

mod params;
mod view;

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    response::Response,
    routing::get,
};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sal_http::{App, AppError, Routes, access::Viewer};
use sal_plugins::Filter;
use sal_query::Condition;
use sal_store::{
    Client,
    devices::{DeviceQuery, Direction, count_devices, list_devices},
};

use crate::{
    fleet_part::{FleetPart, visible_group, visible_unit},
    page::{redirect, render},
    shell::{Section, Shell, Theme},
    wording,
};
use params::ListParams;
use view::{Column, DeviceLine, Pager};

pub(crate) fn routes() -> Routes {
    Routes::new()
        .route("/machines/", get(list_machines))
        .route("/list/{plugin}/{data}/", get(redirect_from_short_list))
        .route("/list/{plugin}/{data}/{*rest}", get(redirect_from_list))
}

#[derive(Template)]
#[template(path = "devices/list.html")]
struct DeviceListPage {
    shell: Shell,
    heading: String,
    total: String,
    /// Set when a widget's segment, a unit or a group restricts the list: where the list of all is.
    all_href: Option<String>,
    search: String,
    params: ListParams,
    columns: Vec<Column>,
    lines: Vec<DeviceLine>,
    pager: Pager,
}

async fn list_machines(
    viewer: Viewer,
    theme: Theme,
    Query(params): Query<ListParams>,
    State(app): State<App>,
) -> Result<Response, AppError> {
    let filter = segment_filter(&params, &app)?;
    let now = app.now();
    let db = app.store.get().await?;
    let part = part(&params, &viewer, &db).await?;
    let scope = part.scope(&viewer);
    let title = match part.name() {
        Some(name) => format!("{} in {name}", filter.title),
        None => filter.title,
    };
    let condition = filter
        .condition
        .and(part.condition()?)
        .and(Condition::search(params.search()));
    let total = count_devices(&condition, now, &scope, &db).await?;
    let pager = Pager::new(&params, total);
    let query = DeviceQuery {
        condition,
        sort: params.sort(),
        direction: if params.is_descending() {
            Direction::Descending
        } else {
            Direction::Ascending
        },
        offset: pager.offset,
        limit: params.size(),
    };
    let rows = list_devices(&query, now, &scope, &db).await?;
    render(&DeviceListPage {
        shell: Shell::of(&viewer, theme, Section::Devices, &title, &app),
        heading: title,
        total: wording::count_of(total, "machine", "machines"),
        all_href: params.is_restricted().then(|| params.unrestricted()),
        search: params.search().to_owned(),
        columns: Column::all(&params),
        lines: rows
            .into_iter()
            .map(|row| DeviceLine::new(row, now, &app.config.time_zone))
            .collect(),
        pager,
        params,
    })
}

/// The unit or group in the URL, or all.
async fn part(params: &ListParams, viewer: &Viewer, db: &Client) -> Result<FleetPart, AppError> {
    Ok(match params.place() {
        Some(("group", id)) => FleetPart::Group(visible_group(id, viewer, db).await?),
        Some((_unit, id)) => FleetPart::Unit(visible_unit(id, viewer, db).await?),
        None => FleetPart::All,
    })
}

/// The machines of the widget's segment in the URL, or all.
fn segment_filter(params: &ListParams, app: &App) -> Result<Filter, AppError> {
    let Some((widget, data)) = params.segment() else {
        return Ok(Filter {
            condition: Condition::everything(),
            title: "All machines".to_owned(),
        });
    };
    let registry = app.registry();
    let plugin = registry.get(widget).ok_or(AppError::NotFound)?;
    plugin.filter(data).ok_or(AppError::NotFound)
}

async fn redirect_from_short_list(
    _viewer: Viewer,
    Path((plugin, data)): Path<(String, String)>,
) -> Response {
    redirect(&new_address(&plugin, &data, ""))
}

async fn redirect_from_list(
    _viewer: Viewer,
    Path((plugin, data, place)): Path<(String, String, String)>,
) -> Response {
    redirect(&new_address(&plugin, &data, &place))
}

/// Sal encoded some values twice, so that one layer is left after the router took off the other.
/// `place` is `all/0/`, `business_unit/<id>/` or `machine_group/<id>/`.
fn new_address(plugin: &str, data: &str, place: &str) -> String {
    let data = percent_decode_str(data).decode_utf8_lossy();
    let encode = |text| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let place = match place.trim_end_matches('/').split_once('/') {
        Some(("business_unit", id)) => format!("&unit={}", encode(id)),
        Some(("machine_group", id)) => format!("&group={}", encode(id)),
        _ => String::new(),
    };
    format!(
        "/machines/?widget={}&data={}{place}",
        encode(plugin),
        encode(&data)
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
            new_address("OperatingSystem", "Darwin%2614.1", ""),
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
