//! Runs a scenario: send, mask, dump, compare, step by step.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use regex::Regex;
use serde_json::{Map, Value, json};
use tokio_postgres::Client;

use super::compare::{compare, row_changes, table_differences};
use super::http_client::{HttpClient, Incoming, Outgoing};
use super::mask::{Mask, mask_row_ids, uuids};
use super::names::Names;
use super::page::page;
use super::property_list;
use super::report::{Report, StepReport, TableReport, Verdict};
use super::scenario::{Answer, Content, Part, Scenario, Step, unsupported};
use super::tables::{Tables, dump, sorted};
use super::values::{Unknown, Values, form_body, form_fields, python_json};
use super::{GoldenError, canonical, maintenance, read_json};

/// Replays a scenario against the server at `base_url` (`http://host:port`), whose tables
/// `database` reads. The database must be in the state [`super::start_of`] names; its clock
/// says what "now" is.
///
/// # Errors
/// When the recording or the database cannot be read, or the scenario asks for something
/// the replay does not know. A wrong or missing answer is in the report instead.
pub async fn replay(
    base_url: &str,
    database: &Client,
    scenario: &str,
) -> Result<Report, GoldenError> {
    replay_confirmed(base_url, database, scenario, &[]).await
}

/// The same for a server that asks before it does what links to `confirmed` do in the original: they are sent as forms.
///
/// # Errors
/// As [`replay`].
pub async fn replay_confirmed(
    base_url: &str,
    database: &Client,
    scenario: &str,
    confirmed: &[&str],
) -> Result<Report, GoldenError> {
    let now = database
        .query_one("SELECT extract(epoch FROM now())::bigint", &[])
        .await?;
    let now = Timestamp::from_second(now.try_get(0)?).unwrap_or_default();
    replay_at(base_url, database, scenario, now, confirmed).await
}

async fn replay_at(
    base_url: &str,
    database: &Client,
    scenario: &str,
    now: Timestamp,
    confirmed: &[&str],
) -> Result<Report, GoldenError> {
    let mut scenario = Scenario::load(scenario)?;
    for step in &mut scenario.steps {
        if step.method == "GET" && confirmed.iter().any(|path| step.path.starts_with(path)) {
            step.method = "POST".to_owned();
            step.content = Some(Content::Form(json!({})));
        }
    }
    let mut run = Run::new(base_url, database, &scenario, now).await?;
    let mut steps = Vec::new();
    for (step, recorded) in scenario.steps.iter().zip(&scenario.recorded) {
        let mut want = recorded.answer.clone();
        if let Some(tables) = &want.tables_changed {
            want.tables_changed = Some(sorted(tables));
        }
        if let Some(body) = want.body.get_mut("json") {
            mask_row_ids(body);
        }
        mask_search_id(&mut want);
        if let Some(body) = want.body.get_mut("json").filter(|_| step.sort) {
            sort_lists(body);
        }
        steps.push(run.step(step, &want).await?);
    }
    let end = dump(database, &run.mask).await?;
    let want = sorted(&scenario.tables_end);
    let tables = match want.is_empty() {
        true => Vec::new(),
        false => final_tables(&want, &end),
    };
    Ok(Report {
        scenario: scenario.name,
        steps,
        tables,
    })
}

fn final_tables(want: &Tables, got: &Tables) -> Vec<TableReport> {
    let one = |tables: &Tables, name: &String| {
        Tables::from([(name.clone(), tables.get(name).cloned().unwrap_or_default())])
    };
    let names: BTreeSet<_> = want.keys().chain(got.keys()).collect();
    names
        .into_iter()
        .map(|name| TableReport {
            table: name.clone(),
            reasons: table_differences(&one(want, name), &one(got, name)),
        })
        .collect()
}

/// Path, headers and body of a request with everything filled in.
type Filled = (String, BTreeMap<String, String>, Option<Vec<u8>>);

/// A scenario under way.
struct Run<'a> {
    scenario: &'a str,
    database: &'a Client,
    http: HttpClient,
    variables: Map<String, Value>,
    mask: Mask,
    /// Our tables at the last dump, and the original's as far as the recording tells.
    ours: Tables,
    theirs: Tables,
}

impl<'a> Run<'a> {
    async fn new(
        base_url: &str,
        database: &'a Client,
        scenario: &'a Scenario,
        now: Timestamp,
    ) -> Result<Self, GoldenError> {
        let mut http = HttpClient::new(base_url)?;
        let (base, host) = http.base();
        let (base, host) = (base.to_owned(), host.to_owned());
        let mut variables = read_json("seed_vars.json")?
            .as_object()
            .cloned()
            .unwrap_or_default();
        variables
            .entry("base")
            .or_insert_with(|| base.clone().into());
        let texts = variables
            .values()
            .filter_map(Value::as_str)
            .map(str::to_owned);
        let known: HashSet<String> = uuids(&scenario.source).chain(texts).collect();
        for user in &scenario.logins {
            let password = variables
                .get("users")
                .and_then(|users| users.get(user))
                .and_then(Value::as_str);
            let password = password
                .ok_or_else(|| unsupported(&scenario.name, "", format!("the user {user}")))?;
            http.log_in(user, password).await;
        }
        let mask = Mask {
            base,
            host,
            now,
            known,
            names: Names::load(database).await?,
        };
        let ours = dump(database, &mask).await?;
        Ok(Self {
            scenario: &scenario.name,
            database,
            http,
            variables,
            mask,
            theirs: ours.clone(),
            ours,
        })
    }

    async fn step(&mut self, step: &Step, want: &Answer) -> Result<StepReport, GoldenError> {
        self.mask.names = Names::load(self.database).await?;
        let incoming = self.send(step).await?;
        for capture in &step.captures {
            // As the recorder: what is not there is 0.
            let value = captured(&capture.part, &incoming).unwrap_or_else(|| "0".into());
            self.variables.insert(capture.name.clone(), value);
        }
        self.mask.names = Names::load(self.database).await?;
        let mut got = self.read(step, &incoming)?;
        if let Some(body) = got.body.get_mut("json") {
            mask_row_ids(body);
        }
        mask_search_id(&mut got);
        let mut tables_agree = true;
        if step.dump {
            let now = dump(self.database, &self.mask).await?;
            let changed = now
                .iter()
                .filter(|(name, rows)| self.ours.get(*name) != Some(*rows));
            got.tables_changed = Some(
                changed
                    .map(|(name, rows)| (name.clone(), rows.clone()))
                    .collect(),
            );
            tables_agree = self.advance(want, now);
        }
        let compared = compare(want, &got, step.status_only);
        let inherited =
            compared.verdict == Verdict::Different && compared.answer.is_empty() && tables_agree;
        Ok(StepReport {
            id: step.id.clone(),
            request: format!("{} {}", step.method, step.path),
            title: step.title.clone(),
            status: got.status,
            expected_status: want.status,
            verdict: compared.verdict,
            reasons: compared.answer.into_iter().chain(compared.tables).collect(),
            inherited,
        })
    }

    /// Moves both states on; true when every table ended the same or changed the same rows.
    fn advance(&mut self, want: &Answer, now: Tables) -> bool {
        let mut theirs = self.theirs.clone();
        theirs.extend(want.tables_changed.clone().unwrap_or_default());
        let none = Vec::new();
        let agree = now.iter().all(|(name, ours_now)| {
            let theirs_now = theirs.get(name).unwrap_or(&none);
            let (ours_then, theirs_then) = (
                self.ours.get(name).unwrap_or(&none),
                self.theirs.get(name).unwrap_or(&none),
            );
            ours_now == theirs_now
                || row_changes(ours_then, ours_now) == row_changes(theirs_then, theirs_now)
        });
        (self.ours, self.theirs) = (now, theirs);
        agree
    }

    async fn send(&mut self, step: &Step) -> Result<Incoming, GoldenError> {
        if let Some(session) = &step.session
            && matches!(step.content, Some(Content::Form(_)))
            && step.csrf != Some(false)
            && self.http.cookie(session, "csrftoken").is_none()
        {
            self.http
                .send(Outgoing::get("/settings/", Some(session)))
                .await;
        }
        if step.method == maintenance::METHOD {
            maintenance::run(&step.path, self.scenario, &step.id, self.database).await?;
            return Ok(Incoming::default());
        }
        let filled = self
            .fill(step)
            .map_err(|Unknown(what)| unsupported(self.scenario, &step.id, what))?;
        let (path, headers, body) = filled;
        let session = step.session.as_deref();
        Ok(self
            .http
            .send(Outgoing {
                method: &step.method,
                path: &path,
                headers,
                body,
                session,
            })
            .await)
    }

    /// Path, headers and body of a step with everything filled in.
    fn fill(&self, step: &Step) -> Result<Filled, Unknown> {
        let values = Values {
            variables: &self.variables,
            names: &self.mask.names,
            now: self.mask.now,
        };
        let mut headers = BTreeMap::new();
        for (name, value) in &step.headers {
            headers.insert(
                name.clone(),
                values.text(value.as_str().unwrap_or_default())?,
            );
        }
        if let Some(basic) = &step.basic {
            let value = format!("Basic {}", STANDARD.encode(values.text(basic)?));
            headers.insert("Authorization".to_owned(), value);
        }
        if let Some(api) = &step.api {
            headers.insert(
                "PUBLICKEY".to_owned(),
                values.text(&format!("${{{api}_pub}}"))?,
            );
            headers.insert(
                "PRIVATEKEY".to_owned(),
                values.text(&format!("${{{api}_priv}}"))?,
            );
        }
        let (body, content_type) = self.body(step, &values)?;
        if let Some(content_type) = content_type {
            headers
                .entry("Content-Type".to_owned())
                .or_insert_with(|| content_type.to_owned());
        }
        if let Some(session) = &step.session {
            if step.csrf == Some(true) && !matches!(step.content, Some(Content::Form(_))) {
                let token = self.http.cookie(session, "csrftoken").unwrap_or_default();
                headers.insert("X-CSRFToken".to_owned(), token.to_owned());
            }
            if !["GET", "HEAD"].contains(&step.method.as_str()) {
                headers
                    .entry("Referer".to_owned())
                    .or_insert_with(|| format!("{}/", self.mask.base));
            }
        }
        Ok((values.text(&step.path)?, headers, body))
    }

    fn body(
        &self,
        step: &Step,
        values: &Values<'_>,
    ) -> Result<(Option<Vec<u8>>, Option<&'static str>), Unknown> {
        Ok(match &step.content {
            None => (None, None),
            Some(Content::Json(value)) => (
                Some(python_json(&values.value(value)?).into_bytes()),
                Some("application/json"),
            ),
            Some(Content::Form(form)) => {
                let mut fields = form_fields(&values.value(form)?);
                let session = step.session.as_deref().filter(|_| step.csrf != Some(false));
                if let Some(token) =
                    session.and_then(|session| self.http.cookie(session, "csrftoken"))
                {
                    fields.push(("csrfmiddlewaretoken".to_owned(), token.to_owned()));
                }
                (
                    Some(form_body(&fields).into_bytes()),
                    Some("application/x-www-form-urlencoded"),
                )
            }
            Some(Content::Raw(text)) => (Some(values.text(text)?.into_bytes()), None),
            Some(Content::Bytes(text)) => {
                let bytes = STANDARD
                    .decode(text)
                    .map_err(|error| Unknown(format!("raw_b64: {error}")))?;
                (Some(bytes), None)
            }
        })
    }

    /// Masks an answer.
    fn read(&self, step: &Step, incoming: &Incoming) -> Result<Answer, GoldenError> {
        let kept = [
            "location",
            "www-authenticate",
            "allow",
            "content-disposition",
            "vary",
            "x-harness-error",
        ];
        let headers = incoming
            .headers
            .iter()
            .filter(|(name, _)| kept.contains(&name.as_str()));
        let mut answer = Answer {
            status: incoming.status,
            content_type: incoming
                .headers
                .get("content-type")
                .cloned()
                .unwrap_or_default(),
            headers: headers
                .map(|(name, value)| (name.clone(), self.mask.text(value)))
                .collect(),
            ..Answer::default()
        };
        let is_command = step.method == maintenance::METHOD;
        if step.read_as == "none" || incoming.status >= 500 || is_command {
            return Ok(answer);
        }
        let text = String::from_utf8_lossy(&incoming.body);
        let media_type = answer
            .content_type
            .split(';')
            .next()
            .unwrap_or_default()
            .to_owned();
        let shown = |limit: usize| json!({"text": self.mask.text(&text).chars().take(limit).collect::<String>()});
        if step.read_as == "plist" && incoming.status == 200 {
            answer.body = match property_list::to_json(&incoming.body) {
                Some(value) => json!({"plist": self.json(step, &value)}),
                None => shown(2000),
            };
        } else if media_type.contains("json") || step.read_as == "json" {
            answer.body = match serde_json::from_slice::<Value>(&incoming.body) {
                Ok(value) => json!({"json": self.json(step, &value)}),
                Err(_) => shown(2000),
            };
        } else if media_type == "text/csv" {
            answer.body = self.csv(&text);
        } else if media_type == "text/html"
            && text.chars().take(400).any(|character| character == '<')
        {
            answer.page = Some(page(&text, &self.mask));
        } else {
            answer.body = shown(4000);
        }
        Ok(answer)
    }

    fn csv(&self, text: &str) -> Value {
        let mut rows = csv_rows(text);
        for cell in rows.iter_mut().flatten() {
            *cell = self.mask.text(cell);
        }
        let mut rest = rows.split_off(rows.len().min(1));
        rest.sort();
        json!({"csv_header": rows, "csv_rows": rest})
    }

    fn json(&self, step: &Step, value: &Value) -> Value {
        let mut masked = self.mask.json(value, "", step.scripts);
        if step.sort {
            sort_lists(&mut masked);
        }
        masked
    }
}

/// The records of a CSV text (RFC 4180).
fn csv_rows(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
    let mut quoted = false;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                cell.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\r' if !quoted => {}
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            other => cell.push(other),
        }
    }
    rows
}

/// Ids of searches are those of the order in which they were made, of which half a recording has half.
fn mask_search_id(answer: &mut Answer) {
    let Some(location) = answer.headers.get_mut("location") else {
        return;
    };
    if location.starts_with("/search/build_search/") {
        "/search/build_search/<id>/".clone_into(location);
    }
}

fn captured(part: &Part, answer: &Incoming) -> Option<Value> {
    match part {
        Part::Header { name, pattern } => {
            let found = Regex::new(pattern).ok()?;
            let found = found.captures(answer.headers.get(name)?)?;
            Some(found.get(1)?.as_str().into())
        }
        Part::Json(path) => {
            let whole: Value = serde_json::from_slice(&answer.body).ok()?;
            let step = |value: &Value, name: &String| match name.parse::<usize>() {
                Ok(position) => value.get(position).cloned(),
                Err(_name) => value.get(name).cloned(),
            };
            path.iter()
                .try_fold(whole, |value, name| step(&value, name))
        }
    }
}

/// Sorts a list, or the `results` of a page of the API.
fn sort_lists(value: &mut Value) {
    let list = match value {
        Value::Array(values) => Some(values),
        value => value.get_mut("results").and_then(Value::as_array_mut),
    };
    if let Some(values) = list {
        canonical::sort(values);
    }
}
