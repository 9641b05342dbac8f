//! `/tableajax/<plugin>/<data>/<place>/<id>/?args=<JSON>`: the rows of Sal's machine table, as the script DataTables 1.10
//! asks for them.

use axum::{
    Json,
    extract::{Path, Query, State},
};
use jiff::tz::TimeZone;
use sal_http::{App, AppError, access::SeesMachines, db::Db, django::escaped};
use sal_query::Field;
use sal_store::devices::{
    Direction, count_devices,
    data_table::{DataTable, DataTableRow, data_table},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{OldList, old_list};

#[derive(Deserialize)]
pub(crate) struct TableQuery {
    args: Option<String>,
}

/// What the script asks for.
#[derive(Debug, PartialEq)]
struct Args {
    draw: i64,
    start: i64,
    length: i64,
    search: String,
    order: Field,
    direction: Direction,
}

pub(crate) async fn show_data_table(
    SeesMachines(viewer): SeesMachines,
    Path(list): Path<OldList>,
    Query(TableQuery { args }): Query<TableQuery>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Json<Value>, AppError> {
    let now = app.now();
    let (filter, part) = old_list(&list, &viewer, &app, &db).await?;
    let args = Args::parse(args.as_deref()).map_err(|what| {
        AppError::BadRequest(format!(
            "`args` must be the JSON of a DataTables request: {what}."
        ))
    })?;
    let scope = part.scope(&viewer);
    let condition = filter.condition.and(part.condition()?);
    let table = DataTable {
        condition: condition.clone(),
        search: args.search,
        order: args.order,
        direction: args.direction,
        start: args.start,
        length: args.length,
    };
    let (total, rows) = tokio::try_join!(
        count_devices(&condition, now, &scope, &db),
        data_table(&table, now, &scope, &db),
    )?;
    let zone = &app.config.time_zone;
    let data: Vec<Value> = rows.iter().map(|row| line(row, zone)).collect();
    // Sal never says how many rows the search left; its table shows the total.
    Ok(Json(json!({
        "draw": args.draw,
        "recordsTotal": total,
        "recordsFiltered": total,
        "data": data,
        "title": filter.title,
    })))
}

/// A row; what is missing reads `None`, as Python writes it, but for the date.
fn line(row: &DataTableRow, zone: &TimeZone) -> Value {
    let python = |text: &Option<String>| escaped(text.as_deref().unwrap_or("None"));
    let date = row.last_checkin.map_or_else(String::new, |at| {
        at.to_zoned(zone.clone())
            .strftime("%Y-%m-%d %H:%M %Z")
            .to_string()
    });
    json!([
        format!(
            "<a href=\"/machine_detail/{}/\">{}</a>",
            row.id,
            python(&row.hostname)
        ),
        python(&row.console_user),
        date,
    ])
}

impl Args {
    /// Reads the script's request; says what is wrong with another.
    fn parse(text: Option<&str>) -> Result<Self, &'static str> {
        let text = text.ok_or("there is none")?;
        let args: Value = serde_json::from_str(text).map_err(|_error| "it is no JSON")?;
        let number = |name: &str| match args.get(name) {
            None => Some(0),
            Some(value) => integer(value),
        };
        let length = number("length").filter(|length| *length >= 0);
        let order = args.pointer("/order/0");
        let column = order.map_or(Some(DEFAULT_COLUMN), |order| {
            order.get("column").and_then(integer)
        });
        let is_descending = order.is_none_or(|order| order.get("dir") == Some(&json!("desc")));
        let search = args
            .pointer("/search/value")
            .map_or(Some(""), Value::as_str);
        Ok(Self {
            draw: number("draw").ok_or("`draw` is no number")?,
            start: number("start")
                .filter(|start| *start >= 0)
                .ok_or("`start` is no number of rows")?,
            length: length
                .ok_or("`length` is no number of rows")?
                .min(MOST_ROWS),
            search: search.ok_or("`search.value` is no text")?.to_owned(),
            order: column
                .and_then(|column| named_column(&args, column))
                .ok_or("`order` names no column of a machine in `columns`")?,
            direction: if is_descending {
                Direction::Descending
            } else {
                Direction::Ascending
            },
        })
    }
}

/// The field that `columns` names at this place.
fn named_column(args: &Value, place: i64) -> Option<Field> {
    let columns = args.get("columns")?.as_array()?;
    let is_it = |column: &&Value| column.get("data").and_then(integer) == Some(place);
    let column = columns.iter().find(is_it)?;
    Field::parse(column.get("name")?.as_str()?)
}

/// A whole number, or a text that spells one: Python's `int()` takes both.
fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => text.trim().parse().ok(),
        other => other.as_i64(),
    }
}

/// The column that Sal orders by when the request does not say.
const DEFAULT_COLUMN: i64 = 2;
/// More rows than this are no page of a table; `/csv/` has them all.
const MOST_ROWS: i64 = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &str = r#""columns":[{"data":0,"name":"hostname"},{"data":1,"name":"console_user"},{"data":2,"name":"last_checkin"},{"data":3,"name":"id"}]"#;

    fn parse(rest: &str) -> Result<Args, &'static str> {
        Args::parse(Some(&format!("{{{COLUMNS}{rest}}}")))
    }

    #[test]
    fn what_the_script_sends_is_understood() {
        let args = parse(
            r#","draw":"7","start":5,"length":"20","order":[{"column":0,"dir":"asc"}],"search":{"value":"ACME"}"#,
        );
        let wanted = Args {
            draw: 7,
            start: 5,
            length: 20,
            search: "ACME".to_owned(),
            order: Field::Hostname,
            direction: Direction::Ascending,
        };
        assert_eq!(args, Ok(wanted));
        let least = parse("").unwrap();
        assert_eq!(
            (least.order, least.direction),
            (Field::LastCheckin, Direction::Descending)
        );
        assert_eq!(
            (least.draw, least.length, least.search.as_str()),
            (0, 0, "")
        );
    }

    #[test]
    fn anything_else_is_refused() {
        for rest in [
            r#","length":-1"#,
            r#","start":-5"#,
            r#","start":1.5"#,
            r#","draw":[]"#,
            r#","order":[{"column":9,"dir":"desc"}]"#,
            r#","order":[{"column":3,"dir":"desc"}]"#,
            r#","order":[{}]"#,
            r#","search":{"value":7}"#,
            r#","draw":99999999999999999999"#,
        ] {
            assert!(parse(rest).is_err(), "{rest}");
        }
        for text in [None, Some(""), Some("x"), Some("{}"), Some("[]"), Some("7")] {
            assert!(Args::parse(text).is_err(), "{text:?}");
        }
    }
}
