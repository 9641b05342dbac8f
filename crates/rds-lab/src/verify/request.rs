//! Judges a signed HTTP request: the `Authorization` header of Signature Version 4.
//!
//! The stand-in for STS uses it, so that a caller's signing is tried by code it does not share.

use http::{HeaderMap, Method, Uri};
use jiff::{SignedDuration, Timestamp};

use crate::credentials::{Credential, Identity};
use crate::verify::query::Query;
use crate::verify::signature::{Scope, parse_stamp, payload_hash};

/// A request as it arrived.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The method.
    pub method: &'a Method,
    /// Path and query.
    pub uri: &'a Uri,
    /// All headers.
    pub headers: &'a HeaderMap,
    /// The whole body.
    pub body: &'a [u8],
}

/// Why a signed request is refused, in AWS's terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestRefusal {
    /// There is no signature.
    MissingAuthenticationToken,
    /// The `Authorization` header cannot be read or lacks what it needs.
    IncompleteSignature,
    /// The key or its session token is unknown.
    InvalidClientTokenId,
    /// The signature, its scope or its time is wrong.
    SignatureDoesNotMatch,
    /// The temporary credentials have expired.
    ExpiredToken,
}

/// Judges `request` for `service`; `find` looks up a key by its id. Returns who signed it.
///
/// # Errors
/// [`RequestRefusal`] with the first rule the request breaks.
pub fn judge(
    request: &Request<'_>,
    service: &str,
    now: Timestamp,
    find: impl Fn(&str) -> Option<Credential>,
) -> Result<Identity, RequestRefusal> {
    let authorization =
        header(request, "authorization").ok_or(RequestRefusal::MissingAuthenticationToken)?;
    let parts = Authorization::parse(authorization).ok_or(RequestRefusal::IncompleteSignature)?;
    let stamp = header(request, "x-amz-date").ok_or(RequestRefusal::IncompleteSignature)?;
    let made = parse_stamp(stamp).ok_or(RequestRefusal::IncompleteSignature)?;
    let credential =
        find(&parts.scope.access_key_id).ok_or(RequestRefusal::InvalidClientTokenId)?;
    if header(request, "x-amz-security-token") != credential.session_token.as_deref() {
        return Err(RequestRefusal::InvalidClientTokenId);
    }
    let canonical =
        canonical_request(request, &parts).ok_or(RequestRefusal::IncompleteSignature)?;
    let secret = &credential.secret_access_key;
    let fits = parts.scope.service == service
        && stamp.starts_with(&parts.scope.date)
        && now.duration_since(made).abs() <= SKEW_TOLERANCE
        && parts
            .scope
            .signed(secret, stamp, &canonical, parts.signature);
    if !fits {
        return Err(RequestRefusal::SignatureDoesNotMatch);
    }
    if credential.expires.is_some_and(|expires| expires <= now) {
        return Err(RequestRefusal::ExpiredToken);
    }
    Ok(credential.identity)
}

struct Authorization<'a> {
    scope: Scope,
    signed_headers: Vec<&'a str>,
    signature: &'a str,
}

impl<'a> Authorization<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let fields = text.strip_prefix("AWS4-HMAC-SHA256 ")?;
        let field = |name: &str| {
            let mut fields = fields.split(',').map(str::trim);
            fields.find_map(|field| field.strip_prefix(name)?.strip_prefix('='))
        };
        let signed_headers: Vec<&str> = field("SignedHeaders")?.split(';').collect();
        let must = ["host", "x-amz-date"];
        must.iter()
            .all(|name| signed_headers.contains(name))
            .then_some(())?;
        signed_headers.is_sorted().then_some(())?;
        Some(Self {
            scope: Scope::parse(field("Credential")?)?,
            signed_headers,
            signature: field("Signature")?,
        })
    }
}

fn canonical_request(request: &Request<'_>, parts: &Authorization<'_>) -> Option<String> {
    let query = Query::parse(request.uri.query().unwrap_or_default())?;
    let mut headers = String::new();
    for name in &parts.signed_headers {
        let values: Option<Vec<&str>> = request
            .headers
            .get_all(*name)
            .iter()
            .map(|value| value.to_str().ok())
            .collect();
        let values: Vec<String> = values?.into_iter().map(single_spaced).collect();
        if values.is_empty() {
            return None;
        }
        headers.push_str(&format!("{name}:{}\n", values.join(",")));
    }
    Some(format!(
        "{method}\n{path}\n{query}\n{headers}\n{names}\n{hash}",
        method = request.method,
        path = request.uri.path(),
        query = query.canonical(""),
        names = parts.signed_headers.join(";"),
        hash = payload_hash(request.body),
    ))
}

fn single_spaced(value: &str) -> String {
    value.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

fn header<'a>(request: &Request<'a>, name: &str) -> Option<&'a str> {
    request.headers.get(name)?.to_str().ok()
}

const SKEW_TOLERANCE: SignedDuration = SignedDuration::from_mins(5);
