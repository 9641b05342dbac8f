//! What every address takes and answers.

use sal_store::resources::{Kind, Resource};
use serde_json::{Map, Value as Json, json};

use super::schemas::reference;
use crate::changed;

/// The list of the lists.
pub(super) fn root() -> Json {
    let addresses =
        json!({ "type": "object", "additionalProperties": { "type": "string", "format": "uri" } });
    json!({
        "get": {
            "tags": ["api"],
            "operationId": "list_resources",
            "summary": "The addresses of all lists.",
            "responses": answers(json!({ "200": json_answer("Names and addresses.", &addresses) }), &[]),
        }
    })
}

/// The address of the document itself.
pub(super) fn description() -> Json {
    json!({
        "get": {
            "tags": ["api"],
            "operationId": "describe",
            "summary": "This description.",
            "security": [],
            "responses": { "200": json_answer("An OpenAPI document.", &json!({ "type": "object" })) },
        }
    })
}

/// A list, and where it may be changed, a new row.
pub(super) fn of_list(resource: &Resource) -> Json {
    let name = resource.name;
    let parameters = parameters_of_list(resource);
    let page = reference(&format!("{}Page", resource.object));
    let mut ok = json_answer("A page of the list, or all of it.", &page);
    add_streams(&mut ok);
    let get = json!({
        "tags": [name],
        "operationId": format!("list_{name}"),
        "summary": "The list: pages of JSON, or all rows as JSON Lines or CSV.",
        "parameters": parameters,
        "responses": answers(json!({ "200": ok }), &["304", "400", "404", "406", "410"]),
    });
    let mut path = Map::new();
    path.insert("get".to_owned(), get);
    if resource.is_writable {
        let mut made = json!({ "201": json_answer("What was made.", &reference(resource.object)) });
        if let Json::Object(made) = &mut made
            && crate::write::is_found_by_name(resource)
        {
            let found = json_answer("With `find`: what was there.", &reference(resource.object));
            made.insert("200".to_owned(), found);
        }
        let post = json!({
            "tags": [name],
            "operationId": format!("create_{name}"),
            "summary": format!("Makes a {}.", resource.object),
            "parameters": parameters_of_post(resource),
            "requestBody": body(&format!("{}New", resource.object)),
            "responses": answers(made, &["400", "409", "415", "422"]),
        });
        path.insert("post".to_owned(), post);
    }
    Json::Object(path)
}

fn parameters_of_list(resource: &Resource) -> Vec<Json> {
    let shared = [
        "page",
        "cursor",
        "page_size",
        "search",
        "ordering",
        "fields",
        "filter",
        "strict",
        "format",
        changed::NAME,
        changed::UNTIL,
    ];
    let parameters = shared
        .iter()
        .filter(|name| match **name {
            "filter" => resource.is_of_machines(),
            changed::NAME | changed::UNTIL => changed::is_known_of(resource),
            _ => true,
        })
        .map(|name| json!({ "$ref": format!("#/components/parameters/{name}") }));
    let own = resource.filters().map(|filter| {
        json!({
            "name": filter.name,
            "in": "query",
            "description": "Exactly this value.",
            "schema": of_kind(filter.kind),
        })
    });
    parameters.chain(own).collect()
}

/// One row, and where it may be, its changes.
pub(super) fn of_one(resource: &Resource) -> Json {
    let (name, object) = (resource.name, resource.object);
    let ok = |what: &str| json!({ "200": json_answer(what, &reference(object)) });
    let mut path = Map::new();
    path.insert("parameters".to_owned(), json!([id(resource.lookup.kind)]));
    let mut add = |method: &str, operation: Json| path.insert(method.to_owned(), operation);
    add(
        "get",
        json!({
            "tags": [name],
            "operationId": format!("get_{name}"),
            "summary": format!("One {object}."),
            "responses": answers(ok("The row."), &["304", "404", "406"]),
        }),
    );
    if resource.is_writable {
        for (method, verb, summary, schema) in [
            (
                "put",
                "replace",
                "Changes it; what is required has to be sent.",
                "New",
            ),
            (
                "patch",
                "change",
                "Changes what is sent; the rest stays.",
                "Change",
            ),
        ] {
            add(
                method,
                json!({
                    "tags": [name],
                    "operationId": format!("{verb}_{name}"),
                    "summary": summary,
                    "parameters": [once()],
                    "requestBody": body(&format!("{object}{schema}")),
                    "responses": answers(ok("What it is now."), &["400", "404", "409", "415", "422"]),
                }),
            );
        }
        let gone = json!({ "204": { "description": "It is gone." } });
        add(
            "delete",
            json!({
                "tags": [name],
                "operationId": format!("delete_{name}"),
                "summary": "Removes it, with all that belongs to it.",
                "parameters": [once()],
                "responses": answers(gone, &["400", "404", "409", "422"]),
            }),
        );
    }
    Json::Object(path)
}

/// One change to many machines.
pub(super) fn bulk() -> Json {
    json!({
        "post": {
            "tags": ["machines"],
            "operationId": "bulk_machines",
            "summary": "One change to up to 1,000 machines: all of it happens, or nothing.",
            "parameters": [once()],
            "requestBody": {
                "required": true,
                "content": { "application/json": { "schema": reference("BulkChange") } },
            },
            "responses": answers(
                json!({ "200": json_answer("What became of each machine.", &reference("BulkOutcome")) }),
                &["400", "409", "415", "422"],
            ),
        }
    })
}

/// What makes a new row takes beside it.
fn parameters_of_post(resource: &Resource) -> Vec<Json> {
    let mut all = vec![once()];
    if crate::write::is_found_by_name(resource) {
        all.push(json!({
            "name": "find",
            "in": "query",
            "description": "Only makes one where there is none of this name; 200 and the oldest where there is.",
            "schema": { "const": "name" },
        }));
    }
    all
}

fn once() -> Json {
    json!({ "$ref": "#/components/parameters/Idempotency-Key" })
}

/// The machines of a saved search.
pub(super) fn execute() -> Json {
    let one_of = json!({ "anyOf": [reference("FoundMachine"), reference("Machine")] });
    let mut ok = json_answer(
        "The machines; with `full`, all of their fields.",
        &json!({ "type": "array", "items": one_of }),
    );
    add_streams(&mut ok);
    json!({
        "parameters": [id(Kind::Integer)],
        "get": {
            "tags": ["saved_searches"],
            "operationId": "execute_saved_searches",
            "summary": "The machines that a saved search finds, all in one array.",
            "parameters": [
                { "name": "full", "in": "query", "description": "All fields of each machine, whatever the value.", "schema": { "type": "string" } },
                { "$ref": "#/components/parameters/format" },
            ],
            "responses": answers(json!({ "200": ok }), &["400", "404", "406"]),
        }
    })
}

/// Parameters that every list has.
pub(super) fn shared_parameters() -> Json {
    let whole =
        |least: i64, most: i64| json!({ "type": "integer", "minimum": least, "maximum": most });
    let string = || json!({ "type": "string" });
    let all = [
        (
            "page",
            "The number of a page, or `last`. Not with JSON Lines and CSV.",
            json!({ "anyOf": [{ "type": "integer", "minimum": 1 }, { "const": "last" }], "default": 1 }),
        ),
        (
            "cursor",
            "Where a walk in the order of ids goes on: empty at first, then from `next`. Without `count`; not with `page` or `ordering`.",
            string(),
        ),
        (
            "page_size",
            "Rows on a page. Not with JSON Lines and CSV.",
            whole(1, 1000),
        ),
        (
            "search",
            "Words that must all occur in one of the searched texts each.",
            json!({ "type": "string", "maxLength": 500 }),
        ),
        (
            "ordering",
            "Fields to sort by, with commas between; a minus turns the order round.",
            string(),
        ),
        (
            "fields",
            "Only these fields, with commas between.",
            string(),
        ),
        (
            "filter",
            "A filter in Sal's filter language, about the machines of the rows.",
            string(),
        ),
        (
            "strict",
            "With `1`, an unknown parameter is an error.",
            json!({ "enum": ["1", "true", "True", "0", "false", "False"] }),
        ),
        (
            "format",
            "Instead of the header `Accept`.",
            json!({ "enum": ["json", "jsonl", "csv", "api"] }),
        ),
    ];
    let changes = CHANGES.map(|(name, what)| (name, what, string()));
    let all = all.into_iter().chain(changes);
    let all = all.map(|(name, description, schema)| {
        let parameter =
            json!({ "name": name, "in": "query", "description": description, "schema": schema });
        (name.to_owned(), parameter)
    });
    let mut all: Map<String, Json> = all.collect();
    all.insert("Idempotency-Key".to_owned(), once_header());
    Json::Object(all)
}

const CHANGES: [(&str, &str); 2] = [
    (
        changed::NAME,
        "What changed since an answer gave this: `start` at first, then `changed_since` of the last answer. Not with `filter` or `search`, nor as CSV.",
    ),
    (
        changed::UNTIL,
        "On pages that follow: the cursor that the first page gave. It is in `next`.",
    ),
];

fn once_header() -> Json {
    json!({
        "name": "Idempotency-Key",
        "in": "header",
        "description": "A name for this one change: sent again within a day, it is answered as the first time.",
        "schema": { "type": "string", "pattern": "^[ -~]{1,255}$" },
    })
}

/// Errors, by status.
pub(super) fn shared_responses() -> Json {
    let all = [
        (
            "400",
            "A value that cannot be read, or is not allowed.",
            "FieldErrors",
        ),
        ("401", "A token that does not count.", "Detail"),
        (
            "403",
            "No key, a wrong one, or one that may not do that.",
            "Detail",
        ),
        ("404", "There is no such row or page.", "Detail"),
        ("406", "No media type that is known here.", "Detail"),
        (
            "409",
            "A request with this Idempotency-Key is being worked on.",
            "Detail",
        ),
        (
            "410",
            "The cursor of `changed_since` means nothing here any more: begin again with `start`.",
            "Detail",
        ),
        ("415", "A body of a kind that nobody reads.", "Detail"),
        (
            "422",
            "The Idempotency-Key was another request's.",
            "Detail",
        ),
        (
            "429",
            "Too many requests; `Retry-After` says how long to wait.",
            "Detail",
        ),
        (
            "500",
            "The request failed here; the log has the reason.",
            "Detail",
        ),
        (
            "503",
            "The server or its database is busy; `Retry-After` says how long to wait.",
            "Detail",
        ),
    ];
    let all = all
        .map(|(status, what, schema)| (status.to_owned(), json_answer(what, &reference(schema))));
    let mut all: Map<String, Json> = all.into_iter().collect();
    for (status, names) in [
        ("429", &["Retry-After", "RateLimit", "RateLimit-Policy"][..]),
        ("503", &["Retry-After"]),
    ] {
        if let Some(answer) = all.get_mut(status).and_then(Json::as_object_mut) {
            answer.insert("headers".to_owned(), headers(names));
        }
    }
    let unchanged = "It is what `If-None-Match` says.";
    all.insert("304".to_owned(), json!({ "description": unchanged }));
    Json::Object(all)
}

fn headers(names: &[&str]) -> Json {
    let header = |name: &&str| {
        let header = json!({ "$ref": format!("#/components/headers/{name}") });
        ((*name).to_owned(), header)
    };
    Json::Object(names.iter().map(header).collect())
}

/// What answers say of how often one may ask.
pub(super) fn shared_headers() -> Json {
    let text = |what: &str| json!({ "description": what, "schema": { "type": "string" } });
    json!({
        "Retry-After": { "description": "Seconds to wait.", "schema": { "type": "integer", "minimum": 1 } },
        "RateLimit": text("Requests that are left (`r`), and seconds until all are there again (`t`). On every answer to a token or a pair of keys."),
        "RateLimit-Policy": text("Requests (`q`) in so many seconds (`w`). On every answer to a token or a pair of keys."),
    })
}

/// These answers, these errors, and those that every address has.
fn answers(own: Json, errors: &[&str]) -> Json {
    let mut all = match own {
        Json::Object(own) => own,
        _ => Map::new(),
    };
    for status in errors.iter().chain(&["401", "403", "429", "500", "503"]) {
        let shared = json!({ "$ref": format!("#/components/responses/{status}") });
        all.insert((*status).to_owned(), shared);
    }
    Json::Object(all)
}

fn json_answer(description: &str, schema: &Json) -> Json {
    let mut answer = json!({ "description": description, "content": { "application/json": {} } });
    if let Some(kind) = answer.pointer_mut("/content/application~1json") {
        *kind = json!({ "schema": schema });
    }
    answer
}

/// The other kinds that a list is sent as.
fn add_streams(answer: &mut Json) {
    if let Some(Json::Object(kinds)) = answer.get_mut("content") {
        let lines = "A row in each line; the last line is {\"end\":true,\"rows\":N}.";
        kinds.insert("application/jsonl".to_owned(), text(lines));
        kinds.insert("application/x-ndjson".to_owned(), text(lines));
        let records = "A record for each row; the last one has their number in the column _end.";
        kinds.insert("text/csv".to_owned(), text(records));
    }
}

fn text(description: &str) -> Json {
    json!({ "schema": { "type": "string", "description": description } })
}

fn body(schema: &str) -> Json {
    let content = || json!({ "schema": reference(schema) });
    json!({
        "required": true,
        "content": {
            "application/json": content(),
            "application/x-www-form-urlencoded": content(),
            "multipart/form-data": content(),
        },
    })
}

fn id(kind: Kind) -> Json {
    let what = match kind {
        Kind::Text => "The serial number.",
        Kind::Uuid => "The UUID.",
        _ => "The number.",
    };
    json!({ "name": "id", "in": "path", "required": true, "description": what, "schema": of_kind(kind) })
}

fn of_kind(kind: Kind) -> Json {
    match kind {
        Kind::Integer => json!({ "type": "integer", "format": "int64" }),
        Kind::Text | Kind::Json => json!({ "type": "string" }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Time => json!({ "type": "string", "format": "date-time" }),
        Kind::Uuid => json!({ "type": "string", "format": "uuid" }),
    }
}
