//! What Sal's inventory pages answer the script DataTables 1.10 with `?ajax=true` (or as `XMLHttpRequest`): the rows of
//! their tables as JSON. Scripts of administrators read it for want of anything better.

use std::collections::HashMap;

use axum::{
    Json,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use sal_http::{AppError, django::escaped};
use sal_store::{
    Client, StoreError,
    applications::{
        ApplicationOrder, ApplicationQuery, CountedApplication, Install, InstallOrder,
        InstallQuery, list_applications, list_installs,
    },
    devices::Direction,
    keyset::{ListPage, Start},
};
use serde_json::{Value, json};

use super::Shown;

/// A request of the script.
#[derive(Debug, PartialEq)]
pub(super) struct TableRequest {
    draw: Option<String>,
    start: i64,
    length: i64,
    search: String,
    column: Option<usize>,
    direction: Direction,
}

impl TableRequest {
    /// The request, if it is one of the script. What it does not say well counts as not said, as in Sal.
    pub(super) fn of(query: &HashMap<String, String>, headers: &HeaderMap) -> Option<Self> {
        let by_script = headers
            .get("x-requested-with")
            .is_some_and(|by| by == "XMLHttpRequest");
        let text = |name: &str| query.get(name).map(String::as_str);
        if !by_script && text("ajax") != Some("true") {
            return None;
        }
        let number = |name: &str| text(name).and_then(|text| text.trim().parse::<i64>().ok());
        let direction = text("order[0][dir]").filter(|way| matches!(*way, "asc" | "desc"));
        let column = number("order[0][column]").and_then(|column| usize::try_from(column).ok());
        Some(Self {
            draw: text("draw").map(str::to_owned),
            start: number("start").unwrap_or(0).max(0),
            length: match number("length") {
                Some(-1) => MOST_ROWS,
                Some(length) => length.clamp(LEAST_ROWS, MOST_ROWS),
                None => USUAL_ROWS,
            },
            search: text("search[value]").unwrap_or_default().trim().to_owned(),
            column: column.filter(|_| direction.is_some()),
            direction: match direction {
                Some("desc") => Direction::Descending,
                _ => Direction::Ascending,
            },
        })
    }

    /// `query` has everything but what the script asks for.
    pub(super) async fn applications(
        self,
        query: ApplicationQuery,
        shown: &Shown,
        with_counts: bool,
        db: &Client,
    ) -> Result<Response, AppError> {
        let order = match self.column {
            Some(1) => ApplicationOrder::BundleId,
            Some(2) => ApplicationOrder::BundleName,
            Some(3) if with_counts => ApplicationOrder::Machines,
            _ => ApplicationOrder::Name,
        };
        let query = ApplicationQuery {
            search: self.search.clone(),
            order,
            direction: self.direction,
            case_matters: true,
            start: Start::Exactly(self.start),
            limit: Some(self.length),
            ..query
        };
        let (place, scope) = (&shown.place, &shown.scope);
        let page = list_applications(&query, place, scope, db).await?;
        let whole = ApplicationQuery {
            search: String::new(),
            start: Start::First,
            limit: Some(0),
            ..query
        };
        let whole = list_applications(&whole, place, scope, db);
        let all = self.all(&page, whole).await?;
        let row = |row: &CountedApplication| {
            let application = &row.application;
            let mut cells = vec![
                link(
                    &shown.application_path(application.id),
                    &escaped(&application.name),
                ),
                escaped(&application.bundleid),
                escaped(&application.bundlename),
            ];
            if with_counts {
                let badge = format!("<span class=\"badge\">{}</span>", row.installs);
                cells.push(link(&shown.installs_path(application.id), &badge));
            }
            record(application.id.0, &cells)
        };
        let data: Vec<Value> = page.rows.iter().map(row).collect();
        Ok(self.answer(page.total, all, &data))
    }

    /// `query` has everything but what the script asks for.
    pub(super) async fn installs(
        self,
        query: InstallQuery,
        shown: &Shown,
        db: &Client,
    ) -> Result<Response, AppError> {
        let order = match self.column {
            Some(1) => InstallOrder::Serial,
            Some(2) => InstallOrder::LastCheckin,
            Some(3) => InstallOrder::User,
            _ => InstallOrder::Name,
        };
        let query = InstallQuery {
            search: self.search.clone(),
            order,
            direction: self.direction,
            case_matters: true,
            start: Start::Exactly(self.start),
            limit: self.length,
            ..query
        };
        let (place, scope) = (&shown.place, &shown.scope);
        let page = list_installs(&query, place, scope, db).await?;
        let whole = InstallQuery {
            search: String::new(),
            start: Start::First,
            limit: 0,
            ..query
        };
        let whole = list_installs(&whole, place, scope, db);
        let all = self.all(&page, whole).await?;
        let row = |row: &Install| {
            let name = escaped(row.hostname.as_deref().unwrap_or("None"));
            let seen = row.last_checkin.map_or_else(String::new, |at| {
                at.strftime("%Y-%m-%d %H:%M:%S").to_string()
            });
            let cells = [
                link(&format!("/machine_detail/{}/", row.id), &name),
                escaped(&row.serial),
                seen,
                escaped(row.console_user.as_deref().unwrap_or_default()),
                row.installs.to_string(),
            ];
            record(row.id.0, &cells)
        };
        let data: Vec<Value> = page.rows.iter().map(row).collect();
        Ok(self.answer(page.total, all, &data))
    }

    /// How many rows there are without the search. How many it leaves the page knows, behind the last one too.
    async fn all<T>(
        &self,
        page: &ListPage<T>,
        whole: impl Future<Output = Result<ListPage<T>, StoreError>>,
    ) -> Result<i64, AppError> {
        match self.search.as_str() {
            "" => Ok(page.total),
            _ => Ok(whole.await?.total),
        }
    }

    fn answer(&self, found: i64, all: i64, data: &[Value]) -> Response {
        let body = json!({
            "draw": self.draw.as_deref().map(escaped),
            "recordsFiltered": found,
            "recordsTotal": all,
            "data": data,
        });
        ([(header::CACHE_CONTROL, "private, no-cache")], Json(body)).into_response()
    }
}

fn link(path: &str, html: &str) -> String {
    format!("<a href=\"{path}\">{html}</a>")
}

/// A row as the script wants it: its cells by their places.
fn record(id: i64, cells: &[String]) -> Value {
    let mut record: serde_json::Map<String, Value> = cells
        .iter()
        .enumerate()
        .map(|(place, cell)| (place.to_string(), Value::from(cell.as_str())))
        .collect();
    record.insert("DT_RowId".to_owned(), Value::from(id));
    record.insert("DT_RowData".to_owned(), json!({}));
    Value::Object(record)
}

/// Sal's setting `datatable_page_length` where nobody changed it.
const USUAL_ROWS: i64 = 10;
/// As DataTables' module for Django has it.
const LEAST_ROWS: i64 = 5;
/// More rows than this are no page of a table; the CSV has them all.
const MOST_ROWS: i64 = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn of(query: &[(&str, &str)]) -> Option<TableRequest> {
        let query = query
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        TableRequest::of(&query.collect(), &HeaderMap::new())
    }

    #[test]
    fn only_the_script_is_answered_with_json() {
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[("ajax", "1"), ("draw", "1")]), None);
        let mut headers = HeaderMap::new();
        headers.insert("x-requested-with", "XMLHttpRequest".parse().unwrap());
        assert!(TableRequest::of(&HashMap::new(), &headers).is_some());
    }

    #[test]
    fn what_cannot_be_read_counts_as_not_said() {
        let usual = TableRequest {
            draw: None,
            start: 0,
            length: USUAL_ROWS,
            search: String::new(),
            column: None,
            direction: Direction::Ascending,
        };
        let odd = [
            ("ajax", "true"),
            ("start", "-7"),
            ("length", "ten"),
            ("order[0][column]", "1"),
            ("order[0][dir]", "sideways"),
        ];
        assert_eq!(of(&odd), Some(usual));
        let request = of(&[
            ("ajax", "true"),
            ("length", "-1"),
            ("order[0][column]", "2"),
            ("order[0][dir]", "desc"),
        ]);
        let request = request.unwrap();
        assert_eq!(
            (request.length, request.column, request.direction),
            (MOST_ROWS, Some(2), Direction::Descending)
        );
    }
}
