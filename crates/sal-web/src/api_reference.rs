//! `/api/v2/docs/`: the REST API for people who write programs, read out of its OpenAPI document.
//!
//! The original loads a script from elsewhere there; this is a page like the others.

use askama::Template;
use axum::{Extension, extract::State, response::Response, routing::get};
use sal_http::{Access, App, AppError, Routes, access::Viewer};
use serde_json::Value;

use crate::{
    page::render,
    shell::{Section, Shell, Theme},
};

/// The OpenAPI document of the door next to this one.
#[derive(Clone, Copy, Debug)]
pub struct ApiDocument(pub &'static Value);

pub(crate) fn routes() -> Routes {
    Routes::new().route("/api/v2/docs/", Access::Viewer, get(show_api_reference))
}

#[derive(Template)]
#[template(path = "api_reference.html")]
struct ReferencePage<'a> {
    shell: Shell,
    about: &'a str,
    groups: Vec<Group<'a>>,
}

/// The addresses of one list.
struct Group<'a> {
    name: &'a str,
    about: &'a str,
    operations: Vec<Operation<'a>>,
}

struct Operation<'a> {
    method: String,
    path: &'a str,
    summary: &'a str,
    /// Parameters, body and answer, where there are any.
    tables: Vec<(&'static str, Vec<Line<'a>>)>,
    statuses: Vec<(&'a str, &'a str)>,
}

/// A parameter or a field.
struct Line<'a> {
    name: String,
    kind: String,
    is_required: bool,
    about: &'a str,
}

async fn show_api_reference(
    viewer: Viewer,
    theme: Theme,
    Extension(ApiDocument(document)): Extension<ApiDocument>,
    State(app): State<App>,
) -> Result<Response, AppError> {
    let document = Document(document);
    render(&ReferencePage {
        shell: Shell::of(&viewer, theme, Section::Settings, "REST API", &app),
        about: text(document.0, "/info/description"),
        groups: document.groups(),
    })
}

#[derive(Clone, Copy)]
struct Document<'a>(&'a Value);

impl<'a> Document<'a> {
    fn groups(self) -> Vec<Group<'a>> {
        let tags = self.0.get("tags").and_then(Value::as_array);
        let of_tag = |tag: &'a Value| {
            let name = text(tag, "/name");
            Group {
                name,
                about: text(tag, "/description"),
                operations: self.operations(name),
            }
        };
        tags.into_iter().flatten().map(of_tag).collect()
    }

    fn operations(self, tag: &str) -> Vec<Operation<'a>> {
        let mut all = Vec::new();
        for (path, item) in entries(self.0, "/paths") {
            let shared = item.get("parameters").and_then(Value::as_array);
            for (method, operation) in entries(item, "") {
                if text(operation, "/tags/0") != tag {
                    continue;
                }
                let own = operation.get("parameters").and_then(Value::as_array);
                let parameters = shared.into_iter().chain(own).flatten();
                let json = "/content/application~1json/schema";
                let body = operation.pointer(&format!("/requestBody{json}"));
                let answer = ["200", "201"]
                    .into_iter()
                    .find_map(|status| operation.pointer(&format!("/responses/{status}{json}")));
                let statuses = entries(operation, "/responses").map(|(status, answer)| {
                    (status.as_str(), text(self.resolved(answer), "/description"))
                });
                let fields = |schema: Option<&'a Value>| {
                    schema.map_or_else(Vec::new, |schema| self.fields(schema))
                };
                let mut tables = vec![
                    (
                        "Parameters",
                        parameters.map(|one| self.parameter(one)).collect(),
                    ),
                    ("Body", fields(body)),
                    ("Answer", fields(answer)),
                ];
                tables.retain(|(_, lines): &(_, Vec<_>)| !lines.is_empty());
                all.push(Operation {
                    method: method.to_uppercase(),
                    path,
                    summary: text(operation, "/summary"),
                    tables,
                    statuses: statuses.collect(),
                });
            }
        }
        all
    }

    fn parameter(self, parameter: &'a Value) -> Line<'a> {
        let parameter = self.resolved(parameter);
        Line {
            name: text(parameter, "/name").to_owned(),
            kind: parameter.get("schema").map(kind).unwrap_or_default(),
            is_required: parameter.get("required") == Some(&Value::Bool(true)),
            about: text(parameter, "/description"),
        }
    }

    /// The fields of an object, those of objects inside it, and the rows of a page.
    fn fields(self, schema: &'a Value) -> Vec<Line<'a>> {
        let schema = self.resolved(schema);
        let required = schema.get("required").and_then(Value::as_array);
        let mut lines = Vec::new();
        for (name, field) in entries(schema, "/properties") {
            let is_required = required.is_some_and(|names| names.iter().any(|one| one == name));
            lines.push(Line {
                name: name.clone(),
                kind: kind(field),
                is_required,
                about: text(field, "/description"),
            });
            let inside = field.get("items").unwrap_or(field);
            lines.extend(self.fields(inside).into_iter().map(|line| Line {
                name: format!("{name}.{}", line.name),
                ..line
            }));
        }
        lines
    }

    /// What a reference stands for.
    fn resolved(self, value: &'a Value) -> &'a Value {
        let pointer = text(value, "/$ref").strip_prefix('#');
        let found = pointer.and_then(|pointer| self.0.pointer(pointer));
        found.unwrap_or(value)
    }
}

/// A type in words.
fn kind(schema: &Value) -> String {
    let names = match schema.get("type") {
        Some(Value::String(name)) => name.clone(),
        Some(Value::Array(names)) => {
            let names = names.iter().filter_map(Value::as_str);
            names.collect::<Vec<_>>().join(" or ")
        }
        _ => String::new(),
    };
    let choices = schema.get("enum").and_then(Value::as_array);
    let choices = choices.into_iter().flatten().filter_map(Value::as_str);
    let choices: Vec<&str> = choices.collect();
    match (text(schema, "/format"), choices.is_empty()) {
        (_, false) => choices.join(", "),
        ("", true) => names,
        (format, true) => format!("{names} ({format})"),
    }
}

fn entries<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    let object = value.pointer(pointer).and_then(Value::as_object);
    object.into_iter().flatten()
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found.unwrap_or_default()
}
