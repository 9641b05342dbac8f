//! `search_machines`: which machines there are.

use sal_query::{Field, catalogue, catalogue::Subject};
use sal_store::devices::{
    Count, Direction, PageQuery, SortBy, Start, count_up_to, machine_values, read_page,
};
use serde_json::{Value as Json, json};

use super::{
    Asking, Failure, Refusal, Tool, Which, columns::Columns, filter, filter_argument,
    limit_argument, listing::Room, notes, object, rows, strict, text, whole,
};
use crate::mcp::arguments::{Arguments, MOST_ROWS};

pub(super) const TOOL: Tool = Tool {
    which: Which::Search,
    name: "search_machines",
    title: "Search machines",
    about: "Lists machines that a filter finds, a row each, and says how many there are in all. For numbers only, count_machines \
        is cheaper.",
    arguments: &["filter", "columns", "sort", "limit"],
    input: || {
        strict(
            json!({
                "filter": filter_argument(),
                "columns": {
                    "type": "array",
                    "items": { "type": "string" },
                    "maxItems": 20,
                    "description": "What to show: names of fields such as `serial`, `disk_free`, `unit`, `errors`, also `fact \"Source/name\"` \
                        and `plugin \"Plugin/name\"`. Without it the usual ones.",
                },
                "sort": text("A field of the machine, such as `hostname`; with a minus in front the largest or newest first: `-last_checkin`."),
                "limit": limit_argument(USUAL),
            }),
            &[],
        )
    },
    output: || {
        object(
            json!({
                "total": whole("How many machines there are."),
                "is_total_exact": { "type": "boolean", "description": "False where the database was asked for an estimate." },
                "machines": rows("The machines."),
                "notes": notes(),
            }),
            &["total", "is_total_exact", "machines", "notes"],
        )
    },
};

pub(super) async fn run(arguments: &Arguments, asking: &Asking<'_>) -> Result<Json, Failure> {
    let columns = Columns::read(arguments.texts("columns")?)?;
    let (sort, direction) = sorted(arguments.text("sort")?)?;
    let limit = arguments.limit(USUAL)?;
    let condition = filter::read(arguments.text("filter")?, asking).await?;
    let (scope, db, now) = (asking.scope(), asking.db, asking.app.now());
    let total = count_up_to(COUNTED, &condition, now, scope, db).await?;
    let query = PageQuery {
        filter: condition,
        sort,
        direction,
        start: Start::First,
        limit: usize::from(limit),
    };
    let page = read_page(&query, now, scope, db).await?;
    let ids: Vec<_> = page.rows.iter().map(|row| row.id).collect();
    let values = machine_values(&ids, &columns.values, scope, db).await?;
    let found = page.rows.iter().map(|row| {
        let beside = values.get(&row.id).map(Vec::as_slice).unwrap_or_default();
        columns.object(row, beside, asking.app)
    });
    let mut room = Room::new();
    let found = room.take(
        "machines",
        found.collect(),
        MOST_ROWS,
        "Ask for fewer columns.",
    );
    if page.has_more {
        room.note(format!(
            "There are more machines than the {limit} of `limit`. Narrow the filter, raise `limit` up to 100, or count."
        ));
    }
    Ok(json!({
        "total": total.number(),
        "is_total_exact": matches!(total, Count::Exact(_)),
        "machines": found,
        "notes": room.notes(),
    }))
}

fn sorted(text: Option<&str>) -> Result<(SortBy, Direction), Refusal> {
    let Some(text) = text else {
        return Ok((Field::Hostname.into(), Direction::Ascending));
    };
    let (name, direction) = match text.strip_prefix('-') {
        Some(name) => (name, Direction::Descending),
        None => (text, Direction::Ascending),
    };
    let field = match catalogue::find(name.trim()) {
        Some(Subject::Column(column)) => Field::parse(column.name),
        _ => None,
    };
    match field {
        Some(field) => Ok((field.into(), direction)),
        None => Err(Refusal::new(
            "`sort` is a field of the machine, such as `hostname` or `-last_checkin`. list_fields has them.",
        )),
    }
}

const USUAL: u16 = 25;
/// More machines are estimated.
const COUNTED: i64 = 10_000;
