//! The replay against a server that plays a recording back, right or wrong.
//!
//! It stands on a real Postgres; what it proves is that the judge sees differences.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use tokio::task::JoinSet;
use tokio_postgres::Client;

use super::scenario::{Answer, Scenario};
use super::*;
use crate::{Database, Filled};

/// A database in a state, and the tasks of the servers that play back.
struct Stage {
    database: Client,
    tasks: JoinSet<()>,
    _server: Database,
}

/// What is played back.
struct Recording {
    /// Requests of the replay's own logins that are still to come.
    logins: usize,
    answers: VecDeque<Answer>,
}

impl Stage {
    async fn set(start: Start) -> Self {
        let server = Database::new(match start {
            Start::Migrated => Filled::Migrated,
            Start::Seed => Filled::Seeded,
        })
        .await;
        Self {
            database: server.connect().await,
            tasks: JoinSet::new(),
            _server: server,
        }
    }

    /// A server that gives these answers one after the other.
    async fn serve(&mut self, answers: Vec<Answer>) -> String {
        self.serve_after_logins(0, answers).await
    }

    /// The same, after these many people have logged in: each asks for the form and sends it.
    async fn serve_after_logins(&mut self, people: usize, answers: Vec<Answer>) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(Recording {
            logins: 2 * people,
            answers: VecDeque::from(answers),
        }));
        let router = Router::new().fallback(play).with_state(state);
        self.tasks
            .spawn(async move { axum::serve(listener, router).await.unwrap() });
        url
    }
}

async fn play(State(state): State<Arc<Mutex<Recording>>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let answer = {
        let mut recording = state.lock().unwrap();
        if recording.logins > 0 && head.uri.path() == "/login/" {
            recording.logins -= 1;
            let login = Response::builder().header("Set-Cookie", "csrftoken=abc; Path=/");
            return login.body(Body::empty()).unwrap();
        }
        recording.answers.pop_front().unwrap()
    };
    let mut response = Response::builder()
        .status(answer.status)
        .header("Content-Type", &answer.content_type);
    for (name, value) in &answer.headers {
        let base = format!("http://{}", head.headers["host"].to_str().unwrap());
        response = response.header(name, value.replace("<base>", &base));
    }
    let recorded = |kind: &str| answer.body.get(kind);
    let body = match (recorded("text"), recorded("json"), recorded("plist")) {
        (Some(text), _, _) => text.as_str().unwrap().to_owned(),
        (_, Some(json), _) => json.to_string(),
        (_, _, Some(plist)) => plist_of(plist),
        _ if recorded("csv_header").is_some() => csv_of(&answer.body),
        _ => answer.page.as_ref().map(page_of).unwrap_or_default(),
    };
    response.body(Body::from(body)).unwrap()
}

/// A CSV text with these rows.
fn csv_of(body: &Value) -> String {
    let rows = ["csv_header", "csv_rows"].into_iter();
    let rows = rows.flat_map(|part| body[part].as_array().unwrap().clone());
    let cell = |cell: &Value| format!("\"{}\"", cell.as_str().unwrap().replace('"', "\"\""));
    let line = |row: Value| {
        let cells: Vec<String> = row.as_array().unwrap().iter().map(cell).collect();
        cells.join(",") + "\r\n"
    };
    rows.map(line).collect()
}

/// A property list with these values.
fn plist_of(value: &Value) -> String {
    let content = match value {
        Value::Array(values) => values.iter().map(plist_element).collect(),
        other => plist_element(other),
    };
    format!("<plist version=\"1.0\"><array>{content}</array></plist>")
}

fn plist_element(value: &Value) -> String {
    let fields = value.as_object().unwrap().iter();
    let fields: String = fields
        .map(|(name, text)| {
            format!(
                "<key>{name}</key><string>{}</string>",
                text.as_str().unwrap()
            )
        })
        .collect();
    format!("<dict>{fields}</dict>")
}

/// An HTML page with these texts and links.
fn page_of(page: &Value) -> String {
    let escaped = |text: &Value| {
        text.as_str()
            .unwrap()
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('"', "&quot;")
    };
    let texts = page["text"]
        .as_array()
        .unwrap()
        .iter()
        .map(|text| format!("<p>{}</p>", escaped(text)));
    let links = page["links"]
        .as_array()
        .unwrap()
        .iter()
        .map(|link| format!("<a href=\"{}\"></a>", escaped(link)));
    texts.chain(links).collect()
}

/// The answers to requests; commands have none.
fn recorded(name: &str) -> Vec<Answer> {
    let scenario = Scenario::load(name).unwrap();
    let steps = scenario.steps.into_iter().zip(scenario.recorded);
    steps
        .filter(|(step, _)| step.method != maintenance::METHOD)
        .map(|(_, recorded)| recorded.answer)
        .collect()
}

#[test]
fn every_scenario_of_the_repository_can_be_read() {
    let names = scenarios().unwrap();
    assert!(names.len() >= 6, "{names:?}");
    for name in names {
        start_of(&name).unwrap();
    }
    assert_eq!(start_of("first_run").unwrap(), Start::Migrated);
    assert_eq!(seed_value("key1").unwrap().unwrap().len(), 128);
}

#[tokio::test]
async fn a_recording_played_back_is_the_same_and_a_change_is_seen() {
    let mut stage = Stage::set(Start::Seed).await;
    let url = stage.serve(recorded("preflight")).await;
    let report = replay(&url, &stage.database, "preflight").await.unwrap();
    let counts = report.counts();
    assert_eq!(
        (counts.same, counts.soft, counts.different),
        (27, 0, 0),
        "{report}"
    );
    assert_eq!(
        (counts.tables_same, counts.tables_different),
        (26, 0),
        "{report}"
    );
    assert_eq!(report.unexplained(&[]), Vec::<String>::new());

    let mut answers = recorded("preflight");
    answers[3].status = 404;
    answers[5]
        .headers
        .insert("location".to_owned(), "/elsewhere/".to_owned());
    let url = stage.serve(answers).await;
    stage
        .database
        .batch_execute("DELETE FROM public.server_report WHERE name = 'MunkiInfo'")
        .await
        .unwrap();
    let report = replay(&url, &stage.database, "preflight").await.unwrap();
    let unexplained = report.unexplained(&[]);
    assert_eq!(unexplained.len(), 4, "{unexplained:#?}");
    assert!(
        unexplained[0].ends_with("status 404, expected 200"),
        "{unexplained:#?}"
    );
    assert!(
        unexplained[1].contains("location Some(\"/elsewhere/\")"),
        "{unexplained:#?}"
    );
    assert!(unexplained[2].contains("tables/report"), "{unexplained:#?}");
}

#[tokio::test]
async fn every_recorded_answer_played_back_is_the_same() {
    for name in scenarios().unwrap() {
        let scenario = Scenario::load(&name).unwrap();
        // Ids are masked in what was recorded: addresses that are made of them lead nowhere.
        if scenario.steps.iter().any(|step| !step.captures.is_empty()) {
            continue;
        }
        let mut stage = Stage::set(start_of(&name).unwrap()).await;
        let people = scenario.logins.len();
        let url = stage.serve_after_logins(people, recorded(&name)).await;
        let report = replay(&url, &stage.database, &name).await.unwrap();
        let steps = report
            .steps
            .iter()
            .filter(|step| !matches!(step.verdict, Verdict::Same | Verdict::PeerErrorSame));
        let reasons =
            steps.flat_map(|step| step.reasons.iter().map(move |reason| (&step.id, reason)));
        // The player writes no rows.
        let wrong: Vec<_> = reasons
            .filter(|(_, reason)| !reason.starts_with("tables/"))
            .collect();
        assert!(wrong.is_empty(), "{name}: {wrong:#?}");
    }
}

#[tokio::test]
async fn right_answers_without_the_rows_are_different() {
    let mut stage = Stage::set(Start::Seed).await;
    let url = stage.serve(recorded("checkin_valid")).await;
    let report = replay(&url, &stage.database, "checkin_valid")
        .await
        .unwrap();
    let counts = report.counts();
    assert_eq!(
        (counts.peer_error_same, counts.peer_error_different),
        (1, 0),
        "{report}"
    );
    assert!(counts.different > 30 && counts.same > 0, "{counts:?}");
    // Without any row, a step that changes nothing in the original differs in nothing.
    assert_eq!(counts.inherited, 0, "{report}");
    let different: Vec<_> = report
        .tables
        .iter()
        .filter(|t| !t.reasons.is_empty())
        .map(|t| t.table.as_str())
        .collect();
    let expected = [
        "fact",
        "machine",
        "manageditem",
        "manageditemhistory",
        "managementsource",
        "message",
        "pluginscript",
    ];
    assert_eq!(different, expected);
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_in_the_report() {
    let stage = Stage::set(Start::Seed).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let report = replay(&url, &stage.database, "broken_client")
        .await
        .unwrap();
    assert!(
        report
            .steps
            .iter()
            .all(|step| step.status == 0 && step.verdict == Verdict::Different),
        "{report}"
    );
    let error = replay("sal.example.com", &stage.database, "broken_client")
        .await
        .unwrap_err();
    assert!(matches!(error, GoldenError::Address(_)), "{error}");
}
