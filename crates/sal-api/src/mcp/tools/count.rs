//! `count_machines`: how many there are, and how many of each.

use sal_query::By;
use sal_store::devices::{count_by, count_devices};
use serde_json::{Value as Json, json};

use super::{
    Asking, Failure, Refusal, Tool, Which, filter, filter_argument, limit_argument,
    listing::{self, Room},
    notes, object, rows, strict, text, whole,
};
use crate::mcp::arguments::{Arguments, MOST_ROWS};

pub(super) const TOOL: Tool = Tool {
    which: Which::Count,
    name: "count_machines",
    title: "Count machines",
    about: "Counts the machines that a filter finds, and with `by` how many of them have which value, the most frequent first.",
    arguments: &["filter", "by", "limit"],
    input: || {
        strict(
            json!({
                "filter": filter_argument(),
                "by": text("A field, such as `os_version`, `model`, `unit` or `last_checkin` (by day), `fact \"Source/name\"`, or `plugin \"Plugin/name\"`."),
                "limit": limit_argument(USUAL),
            }),
            &[],
        )
    },
    output: || {
        object(
            json!({
                "machines": whole("How many machines there are."),
                "values": rows("A value (empty for machines without one) and how many machines have it."),
                "notes": notes(),
            }),
            &["machines", "values", "notes"],
        )
    },
};

pub(super) async fn run(arguments: &Arguments, asking: &Asking<'_>) -> Result<Json, Failure> {
    let by = arguments.text("by")?.map(By::parse).transpose();
    let by =
        by.map_err(|error| Refusal::new(format!("`by`: {error}. list_fields has all names.")))?;
    let limit = arguments.limit(USUAL)?;
    let condition = filter::read(arguments.text("filter")?, asking).await?;
    let (scope, db, now) = (asking.scope(), asking.db, asking.app.now());
    let Some(by) = by else {
        let machines = count_devices(&condition, now, scope, db).await?;
        return Ok(json!({ "machines": machines, "values": [], "notes": [] }));
    };
    let found = count_by(&by, &condition, limit, now, scope, db).await?;
    let mut room = Room::new();
    let values = found
        .values
        .iter()
        .map(|one| json!({ "value": listing::short(&one.value), "machines": one.count }));
    let values = room.take("values", values.collect(), MOST_ROWS, "Lower `limit`.");
    let shown = i64::from(limit);
    if found.all_values > shown {
        room.note(format!(
            "There are {} values; the {limit} most frequent are shown. Raise `limit` up to 100, or narrow the filter.",
            found.all_values
        ));
    }
    Ok(json!({ "machines": found.machines, "values": values, "notes": room.notes() }))
}

const USUAL: u16 = 50;
