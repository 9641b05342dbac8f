//! A scenario and its recording, read from `/golden`.
//!
//! Unknown keys are errors: a step must not quietly be sent without what it asks for.

use std::collections::{BTreeMap, HashSet};

use serde_json::{Map, Value};

use super::{GoldenError, Start, read_json};

/// What to send.
#[derive(Clone, Debug)]
pub(super) struct Scenario {
    pub(super) name: String,
    pub(super) start: Start,
    /// Users to log in beforehand.
    pub(super) logins: Vec<String>,
    pub(super) steps: Vec<Step>,
    /// The recording: one object per step.
    pub(super) recorded: Vec<Recorded>,
    /// The tables at the end of the recording.
    pub(super) tables_end: BTreeMap<String, Vec<Value>>,
    /// All text of the scenario; UUIDs in it are known and not masked.
    pub(super) source: String,
}

/// One request of a scenario.
#[derive(Clone, Debug, Default)]
pub(super) struct Step {
    pub(super) id: String,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) title: String,
    pub(super) content: Option<Content>,
    pub(super) headers: Map<String, Value>,
    pub(super) basic: Option<String>,
    pub(super) api: Option<String>,
    pub(super) session: Option<String>,
    /// `None` where the scenario does not say.
    pub(super) csrf: Option<bool>,
    pub(super) sort: bool,
    /// How to read the answer: `auto`, `json`, `plist`, `none`.
    pub(super) read_as: String,
    pub(super) status_only: bool,
    pub(super) dump: bool,
    pub(super) scripts: bool,
    /// Variables that the answer gives.
    pub(super) captures: Vec<Capture>,
}

/// A variable and the part of the answer that it takes.
#[derive(Clone, Debug)]
pub(super) struct Capture {
    pub(super) name: String,
    pub(super) part: Part,
}

/// A part of an answer.
#[derive(Clone, Debug)]
pub(super) enum Part {
    /// The first group of a pattern in a header.
    Header { name: String, pattern: String },
    /// A value in JSON, by names and positions.
    Json(Vec<String>),
}

impl Capture {
    fn parse(name: &str, part: &Value) -> Option<Self> {
        let field = |name: &str| part.get(name).and_then(Value::as_str);
        let part = match (field("header"), field("regex"), field("json")) {
            (Some(header), Some(pattern), None) => Part::Header {
                name: header.to_lowercase(),
                pattern: pattern.to_owned(),
            },
            (None, None, Some(path)) => Part::Json(path.split('.').map(str::to_owned).collect()),
            _ => return None,
        };
        Some(Self {
            name: name.to_owned(),
            part,
        })
    }
}

/// The body of a request.
#[derive(Clone, Debug)]
pub(super) enum Content {
    /// Any JSON, written as Python writes it.
    Json(Value),
    /// An object, or a list of pairs.
    Form(Value),
    /// Text as it stands, after substitution.
    Raw(String),
    /// Bytes in base64.
    Bytes(String),
}

/// What the original answered.
#[derive(Clone, Debug)]
pub(super) struct Recorded {
    pub(super) id: String,
    pub(super) answer: Answer,
}

/// An answer with everything volatile masked; recorded or ours.
#[derive(Clone, Debug, Default)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) content_type: String,
    pub(super) headers: BTreeMap<String, String>,
    /// `{"json": …}`, `{"plist": …}`, `{"text": …}` or null.
    pub(super) body: Value,
    /// Visible text and links of an HTML page.
    pub(super) page: Option<Value>,
    pub(super) tables_changed: Option<BTreeMap<String, Vec<Value>>>,
}

impl Scenario {
    /// Reads a scenario and its recording.
    pub(super) fn load(name: &str) -> Result<Self, GoldenError> {
        let scenario = read_json(&format!("scenarios/{name}.json"))?;
        let recording = read_json(&format!("recordings/{name}.json"))?;
        let unsupported = |what: String| unsupported(name, "", what);
        let start = match text(&scenario, "start").as_str() {
            "migrated" => Start::Migrated,
            "seed" | "" => Start::Seed,
            other => return Err(unsupported(format!("the start state `{other}`"))),
        };
        let steps = array(&scenario, "steps");
        let steps: Vec<Step> = steps
            .iter()
            .map(|step| Step::parse(name, step))
            .collect::<Result<_, _>>()?;
        let recorded: Vec<Recorded> = array(&recording, "steps")
            .iter()
            .map(Recorded::parse)
            .collect();
        let matches =
            steps.len() == recorded.len() && steps.iter().zip(&recorded).all(|(s, r)| s.id == r.id);
        if !matches {
            return Err(unsupported("a recording with other steps".to_owned()));
        }
        let (steps, recorded) = without_lost(steps, recorded)?;
        Ok(Self {
            name: name.to_owned(),
            start,
            logins: array(&scenario, "logins")
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
            steps,
            recorded,
            tables_end: tables(recording.get("tables_end")).unwrap_or_default(),
            source: scenario.to_string(),
        })
    }
}

/// Without the steps whose addresses need what a step answered that is not here: half of a recording has such.
fn without_lost(
    steps: Vec<Step>,
    recorded: Vec<Recorded>,
) -> Result<(Vec<Step>, Vec<Recorded>), GoldenError> {
    let seed = read_json("seed_vars.json")?;
    let mut known: HashSet<String> = seed
        .as_object()
        .into_iter()
        .flat_map(|variables| variables.keys().cloned())
        .collect();
    let mut kept = (Vec::new(), Vec::new());
    for (step, recorded) in steps.into_iter().zip(recorded) {
        let mut names = step.path.split("${").skip(1);
        let is_lost = names.any(|rest| {
            let name = rest.split('}').next().unwrap_or_default();
            !name.contains(':') && !known.contains(name)
        });
        known.extend(step.captures.iter().map(|capture| capture.name.clone()));
        if !is_lost {
            kept.0.push(step);
            kept.1.push(recorded);
        }
    }
    Ok(kept)
}

impl Step {
    fn parse(scenario: &str, step: &Value) -> Result<Self, GoldenError> {
        let mut parsed = Self {
            read_as: "auto".to_owned(),
            ..Self::default()
        };
        let id = text(step, "id");
        for (name, value) in step.as_object().into_iter().flatten() {
            if !parsed.set(name, value) {
                return Err(unsupported(scenario, &id, format!("`{name}`: {value}")));
            }
        }
        let method = parsed.method.as_str();
        let known = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"];
        if !known.contains(&method) && method != super::maintenance::METHOD {
            return Err(unsupported(scenario, &id, format!("the method {method}")));
        }
        Ok(parsed)
    }

    /// Takes one key of a step; false when it is unknown.
    fn set(&mut self, name: &str, value: &Value) -> bool {
        let text = || value.as_str().unwrap_or_default().to_owned();
        match name {
            "id" => self.id = text(),
            "method" => self.method = text(),
            "path" => self.path = text(),
            "title" => self.title = text(),
            "json" => self.content = Some(Content::Json(value.clone())),
            "form" => self.content = Some(Content::Form(value.clone())),
            "raw" => self.content = Some(Content::Raw(text())),
            "raw_b64" => self.content = Some(Content::Bytes(text())),
            "headers" => self.headers = value.as_object().cloned().unwrap_or_default(),
            "basic" => self.basic = Some(text()),
            "api" => self.api = Some(text()),
            "session" => self.session = Some(text()),
            "csrf" => self.csrf = value.as_bool(),
            "sort" => self.sort = value.as_bool().unwrap_or(false),
            "dump" => self.dump = value.as_bool().unwrap_or(false),
            "scripts" => self.scripts = value.as_bool().unwrap_or(false),
            "capture" => {
                for (name, part) in value.as_object().into_iter().flatten() {
                    let Some(capture) = Capture::parse(name, part) else {
                        return false;
                    };
                    self.captures.push(capture);
                }
            }
            "body" if ["auto", "json", "plist", "none"].contains(&text().as_str()) => {
                self.read_as = text();
            }
            "compare" if ["full", "status"].contains(&text().as_str()) => {
                self.status_only = text() == "status"
            }
            _ => return false,
        }
        true
    }
}

impl Recorded {
    fn parse(step: &Value) -> Self {
        let headers = step
            .get("headers")
            .and_then(Value::as_object)
            .into_iter()
            .flatten();
        let status = step.get("status").and_then(Value::as_u64).unwrap_or(0);
        Self {
            id: text(step, "id"),
            answer: Answer {
                status: u16::try_from(status).unwrap_or(0),
                content_type: text(step, "ctype"),
                headers: headers
                    .map(|(name, value)| {
                        (name.clone(), value.as_str().unwrap_or_default().to_owned())
                    })
                    .collect(),
                body: step.get("body").cloned().unwrap_or(Value::Null),
                page: step.get("page").cloned(),
                tables_changed: tables(step.get("tables_changed")),
            },
        }
    }
}

pub(super) fn unsupported(scenario: &str, step: &str, what: String) -> GoldenError {
    GoldenError::Unsupported {
        scenario: scenario.to_owned(),
        step: step.to_owned(),
        what,
    }
}

fn text(value: &Value, key: &str) -> String {
    value
        .get(key)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

fn array<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value
        .get(key)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn tables(value: Option<&Value>) -> Option<BTreeMap<String, Vec<Value>>> {
    let tables = value?.as_object()?;
    let rows = |rows: &Value| rows.as_array().cloned().unwrap_or_default();
    Some(
        tables
            .iter()
            .map(|(name, value)| (name.clone(), rows(value)))
            .collect(),
    )
}
