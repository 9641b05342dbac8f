//! `/mcp`: assistants ask about machines, by the Model Context Protocol over Streamable HTTP. Reading only, off unless
//! `SAL_MCP=true`, with a token and nothing else.
//!
//! Each request is answered by itself, as JSON: there are no sessions and no streams of events, so that any server can
//! answer any of them. `rpc` knows messages, `protocol` versions, `tools` what can be asked.

mod arguments;
mod protocol;
mod rpc;
mod tools;

use std::sync::Arc;

use axum::{
    Extension,
    extract::{Request, State},
    http::{Method, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use sal_http::{App, AppError, per_minute::Spent};
use serde_json::{Value as Json, json};

use crate::{
    Kept,
    access::{ApiRead, Caller},
    answer::{self, Format},
    budget,
    error::ApiError,
};
use protocol::{Era, Meant};
use rpc::{Fault, Message};

/// That a request comes from another site's page, and which: found out by whoever knows the origins of this server, where
/// assistants ask. A page that was given this server's address under a name of its own (DNS rebinding) asks as that name, so
/// `Host` proves nothing there.
#[derive(Clone, Debug)]
pub struct ForeignOrigin(pub String);

pub(crate) async fn answer(
    State(app): State<App>,
    Extension(kept): Extension<Arc<Kept>>,
    request: Request,
) -> Response {
    if !app.config.assistants {
        return answer::finish(ApiError::NotFound.into_response(), None);
    }
    if request.method() != Method::POST {
        let refused = ApiError::MethodNotAllowed(request.method().clone());
        return answer::finish(refused.into_response(), Some("POST"));
    }
    let mut spent = None;
    let answer = respond(request, &mut spent, &kept, &app).await;
    let mut response = match answer {
        Ok(response) => response,
        Err(error) => rpc::of_response(error.into_response(), &Json::Null).await,
    };
    budget::show(spent, &mut response);
    answer::finish(response, None)
}

async fn respond(
    request: Request,
    spent: &mut Option<Spent>,
    kept: &Kept,
    app: &App,
) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    if let Some(ForeignOrigin(origin)) = parts.extensions.get() {
        return Ok(refuse_origin(origin));
    }
    let caller = Caller::with_token(&parts, &kept.uses, app).await?;
    *spent = kept.budgets.spend(&caller, app);
    budget::refuse(*spent)?;
    Format::negotiate(None, false, &parts)?;
    is_json(&parts)?;
    let read = caller.read(app)?;
    let body = match app.memory().read(body, MOST_BYTES).await {
        Err(AppError::BodyTooLarge { limit_bytes }) => return Ok(too_large(limit_bytes)),
        read => read?,
    };
    let asker = Asker {
        parts: &parts,
        caller: &caller,
        read: &read,
        app,
    };
    let sent: Json = match serde_json::from_slice(&body.bytes) {
        Ok(sent) => sent,
        Err(error) => return Ok(rpc::fault(&Json::Null, &Fault::parse(&error))),
    };
    drop(body);
    match sent {
        Json::Array(messages) => batch(messages, spent, kept, &asker).await,
        message => Ok(single(message, &asker).await),
    }
}

/// Who asks, and with what.
struct Asker<'a> {
    parts: &'a Parts,
    caller: &'a Caller,
    read: &'a ApiRead,
    app: &'a App,
}

/// One message: a request is answered, anything else is taken note of.
async fn single(message: Json, asker: &Asker<'_>) -> Response {
    let (id, method, params) = match Message::read(message) {
        Ok(Message::Request { id, method, params }) => (id, method, params),
        Ok(Message::Notification | Message::Response) => return taken(asker.parts),
        Err((id, fault)) => return rpc::fault(&id, &fault),
    };
    let era = match protocol::era(&asker.parts.headers, &method, &params) {
        Ok(era) => era,
        Err(fault) => return rpc::fault(&id, &fault),
    };
    match outcome(&method, &params, era, asker).await {
        Outcome::Result(result) => rpc::result(&id, result),
        Outcome::Fault(fault) => {
            let mut response = rpc::fault(&id, &fault);
            // Before 2026-07-28 an error of the protocol was no error of HTTP.
            if era != Era::Stateless {
                *response.status_mut() = StatusCode::OK;
            }
            response
        }
        Outcome::Failed(error) => rpc::of_response(error.into_response(), &id).await,
    }
}

/// Several messages at once, which only the version 2025-03-26 has. Each counts as a request.
async fn batch(
    messages: Vec<Json>,
    spent: &mut Option<Spent>,
    kept: &Kept,
    asker: &Asker<'_>,
) -> Result<Response, ApiError> {
    let refuse = |why: &str| Ok(rpc::fault(&Json::Null, &Fault::invalid(why)));
    if !protocol::takes_batches(&asker.parts.headers) {
        return refuse("Send one message at a time: batches ended with the version 2025-03-26.");
    }
    if messages.is_empty() || messages.len() > MOST_MESSAGES {
        return refuse("A batch has 1 to 10 messages.");
    }
    for _ in messages.iter().skip(1) {
        *spent = kept.budgets.spend(asker.caller, asker.app);
    }
    budget::refuse(*spent)?;
    let mut answers = Vec::new();
    for message in messages {
        let answer = match Message::read(message) {
            Ok(Message::Notification | Message::Response) => continue,
            Ok(Message::Request { id, method, .. }) if method == "initialize" => {
                rpc::fault_body(&id, &Fault::invalid("`initialize` must not be in a batch."))
            }
            Ok(Message::Request { id, method, params }) => {
                match outcome(&method, &params, Era::Handshake, asker).await {
                    Outcome::Result(result) => rpc::result_body(&id, result),
                    Outcome::Fault(fault) => rpc::fault_body(&id, &fault),
                    // The database is away, or busy: the others would fail as well.
                    Outcome::Failed(error) => return Err(error),
                }
            }
            Err((id, fault)) => rpc::fault_body(&id, &fault),
        };
        answers.push(answer);
    }
    if answers.is_empty() {
        return Ok(taken(asker.parts));
    }
    Ok(answer::json(StatusCode::OK, &Json::Array(answers)))
}

/// What became of a request.
enum Outcome {
    Result(Json),
    Fault(Fault),
    Failed(ApiError),
}

async fn outcome(method: &str, params: &Json, era: Era, asker: &Asker<'_>) -> Outcome {
    match protocol::meant(method, era) {
        Some(Meant::Initialize) => Outcome::Result(protocol::initialize(params)),
        Some(Meant::Discover) => Outcome::Result(protocol::discover()),
        Some(Meant::Ping) => Outcome::Result(json!({})),
        Some(Meant::ListTools) => {
            let mut list = json!({ "tools": tools::list() });
            protocol::complete(&mut list, era, true);
            Outcome::Result(list)
        }
        Some(Meant::CallTool) => match tools::call(params, asker).await {
            Ok(Ok(mut result)) => {
                protocol::complete(&mut result, era, false);
                Outcome::Result(result)
            }
            Ok(Err(fault)) => Outcome::Fault(fault),
            Err(error) => Outcome::Failed(error),
        },
        None => Outcome::Fault(Fault::unknown_method(method)),
    }
}

/// 202 without a body; or what is wrong with the version.
fn taken(parts: &Parts) -> Response {
    if let Err(fault) = protocol::known_version(&parts.headers) {
        return rpc::fault(&Json::Null, &fault);
    }
    let mut response = Response::default();
    *response.status_mut() = StatusCode::ACCEPTED;
    response
}

fn refuse_origin(origin: &str) -> Response {
    let why = format!(
        "Pages of another site may not ask here: Origin is {origin}. If it is this server's own address, set SAL_PUBLIC_URL to it, \
         or add it to DOCKER_SAL_CSRF_TRUSTED_ORIGINS."
    );
    let mut response = rpc::fault(&Json::Null, &Fault::invalid(&why));
    *response.status_mut() = StatusCode::FORBIDDEN;
    response
}

fn too_large(limit_bytes: usize) -> Response {
    let why = format!("A message has at most {limit_bytes} bytes. Shorten the filter.");
    let mut response = rpc::fault(&Json::Null, &Fault::invalid(&why));
    *response.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
    response
}

fn is_json(parts: &Parts) -> Result<(), ApiError> {
    let said = parts.headers.get(header::CONTENT_TYPE);
    let said = said
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let media_type = said.split(';').next().unwrap_or_default().trim();
    match media_type.eq_ignore_ascii_case("application/json") {
        true => Ok(()),
        false => Err(ApiError::UnsupportedMediaType(said.to_owned())),
    }
}

/// The longest filter has a quarter of it.
const MOST_BYTES: usize = 64 * 1024;
const MOST_MESSAGES: usize = 10;
