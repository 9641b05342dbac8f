//! What assistants can ask. Each tool reads its arguments, asks the store in the scope of the token and answers with an
//! object, which is text as well for those who read no objects. No tool reads a machine group's key.

mod changes;
mod checkin;
mod columns;
mod count;
mod fields;
mod filter;
mod listing;
mod machine;
mod search;

use sal_http::{App, AppError, db::program_client};
use sal_store::{Client, StoreError, device, ids::MachineId, scope::Scope};
use serde_json::{Map, Value as Json, json};

use super::{Asker, arguments::Arguments, rpc::Fault};
use crate::{access::ApiRead, error::ApiError};

/// A tool as assistants see it.
struct Tool {
    which: Which,
    name: &'static str,
    title: &'static str,
    about: &'static str,
    arguments: &'static [&'static str],
    input: fn() -> Json,
    output: fn() -> Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    Search,
    Machine,
    Count,
    Changes,
    Checkin,
    Fields,
}

const TOOLS: [&Tool; 6] = [
    &search::TOOL,
    &machine::TOOL,
    &count::TOOL,
    &changes::TOOL,
    &checkin::TOOL,
    &fields::TOOL,
];

/// All of them.
pub(super) fn list() -> Vec<Json> {
    let shown = TOOLS.into_iter().map(|tool| {
        json!({
            "name": tool.name,
            "title": tool.title,
            "description": tool.about,
            "inputSchema": (tool.input)(),
            "outputSchema": (tool.output)(),
            "annotations": { "readOnlyHint": true, "openWorldHint": false },
        })
    });
    shown.collect()
}

/// Why a tool gives no answer: a sentence for the assistant.
#[derive(Debug)]
pub(super) struct Refusal(pub(super) String);

impl Refusal {
    pub(super) fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

/// Why a call has no result.
enum Failure {
    /// The assistant can do better.
    Refused(Refusal),
    /// The server could not.
    Failed(ApiError),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<AppError> for Failure {
    fn from(error: AppError) -> Self {
        Self::Failed(error.into())
    }
}

/// What a tool asks with.
struct Asking<'a> {
    read: &'a ApiRead,
    db: &'a Client,
    app: &'a App,
}

impl Asking<'_> {
    fn scope(&self) -> &Scope {
        &self.read.scope
    }

    /// The machine with this serial number, as it is written or in upper case, as machines that checked in have it.
    async fn machine(&self, serial: &str) -> Result<Option<MachineId>, Failure> {
        let upper = serial.to_uppercase();
        for serial in [upper.as_str(), serial] {
            let found = device::device_id_by_serial(self.db, &serial, self.scope()).await?;
            if let Some(found) = found.into_iter().next() {
                return Ok(Some(found.id));
            }
        }
        Ok(None)
    }

    /// As [`Self::machine`], where there has to be one.
    async fn known_machine(&self, serial: &str) -> Result<MachineId, Failure> {
        let found = self.machine(serial).await?;
        found.ok_or_else(|| no_machine(serial).into())
    }
}

/// What is in other business units is as good as not there.
fn no_machine(serial: &str) -> Refusal {
    let shown: String = serial.chars().take(100).collect();
    Refusal::new(format!(
        "There is no machine with the serial number `{shown}` that this token may see. search_machines finds machines by name, \
         user or a part of the serial number: filter `{shown}`."
    ))
}

/// Calls a tool. A sentence for the assistant is a result like any other.
///
/// # Errors
/// [`Fault`] for a tool that there is not, [`ApiError`] when the database cannot be asked.
pub(super) async fn call(
    params: &Json,
    asker: &Asker<'_>,
) -> Result<Result<Json, Fault>, ApiError> {
    let name = params
        .get("name")
        .and_then(Json::as_str)
        .unwrap_or_default();
    let Some(tool) = TOOLS.into_iter().find(|tool| tool.name == name) else {
        let name: String = name.chars().take(100).collect();
        let known = TOOLS.map(|tool| tool.name).join(", ");
        let why = format!("Unknown tool: `{name}`. There are: {known}.");
        return Ok(Err(Fault::params(why)));
    };
    let (token, called) = asker.caller.called();
    // Arguments may name people; they are not logged.
    tracing::info!(
        caller = token,
        tool = tool.name,
        "the API {token} ({called}) calls the tool {}",
        tool.name
    );
    let result = match run(tool, params, asker).await {
        Ok(answer) => {
            let text = answer.to_string();
            json!({
                "content": [{ "type": "text", "text": text }],
                "structuredContent": answer,
                "isError": false,
            })
        }
        Err(Failure::Refused(Refusal(why))) => json!({
            "content": [{ "type": "text", "text": why }],
            "isError": true,
        }),
        Err(Failure::Failed(error)) => return Err(error),
    };
    Ok(Ok(result))
}

async fn run(tool: &Tool, params: &Json, asker: &Asker<'_>) -> Result<Json, Failure> {
    let arguments = Arguments::read(params, tool.arguments)?;
    if tool.which == Which::Fields {
        return fields::run(&arguments);
    }
    let db = program_client(asker.app).await?;
    let asking = Asking {
        read: asker.read,
        db: &db,
        app: asker.app,
    };
    match tool.which {
        Which::Search => search::run(&arguments, &asking).await,
        Which::Machine => machine::run(&arguments, &asking).await,
        Which::Count => count::run(&arguments, &asking).await,
        Which::Changes => changes::run(&arguments, &asking).await,
        Which::Checkin => checkin::run(&arguments, &asking).await,
        Which::Fields => fields::run(&arguments),
    }
}

/// The schema of an object with these members.
fn object(properties: Json, required: &[&str]) -> Json {
    let mut schema = Map::new();
    schema.insert("type".to_owned(), json!("object"));
    schema.insert("properties".to_owned(), properties);
    schema.insert("required".to_owned(), json!(required));
    Json::Object(schema)
}

/// The schema of an object that takes nothing else.
fn strict(properties: Json, required: &[&str]) -> Json {
    let mut schema = object(properties, required);
    if let Json::Object(schema) = &mut schema {
        schema.insert("additionalProperties".to_owned(), json!(false));
    }
    schema
}

fn text(about: &str) -> Json {
    json!({ "type": "string", "description": about })
}

fn whole(about: &str) -> Json {
    json!({ "type": "integer", "description": about })
}

fn rows(about: &str) -> Json {
    json!({ "type": "array", "items": { "type": "object" }, "description": about })
}

fn notes() -> Json {
    json!({ "type": "array", "items": { "type": "string" }, "description": "What was left out, and how to get it." })
}

fn filter_argument() -> Json {
    text(
        "Which machines, in Sal's filter language: `os_version < 15.1 and last_checkin within 14d`, `unit = \"Studio\"`, \
         `has error`, `application \"Firefox\" < 130`, `fact \"Source/name\" = \"x\"`, or plain words to look for. Without it, all.",
    )
}

fn limit_argument(usual: u16) -> Json {
    json!({ "type": "integer", "minimum": 1, "maximum": 100, "default": usual, "description": "How many rows at most." })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tool_describes_its_arguments_and_no_other() {
        for tool in TOOLS {
            let input = (tool.input)();
            let mut described: Vec<&String> = input
                .pointer("/properties")
                .and_then(Json::as_object)
                .unwrap()
                .keys()
                .collect();
            let mut known = tool.arguments.to_vec();
            described.sort();
            known.sort_unstable();
            assert_eq!(described, known, "{}", tool.name);
            assert!(tool.about.len() < 600, "{}", tool.name);
        }
    }
}
