//! The Query API's answers: XML with the result, or with an error.
//!
//! The namespace is STS's for all of them: clients do not look at it.

use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};

use crate::credentials::random;

/// An error in the Query API's terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ApiError {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) message: String,
}

/// The answer of a successful action; `result` is XML already.
pub(super) fn success(action: &str, result: &str) -> Response {
    let body = format!(
        "<{action}Response xmlns=\"{NAMESPACE}\"><{action}Result>{result}</{action}Result>\
         <ResponseMetadata><RequestId>{}</RequestId></ResponseMetadata></{action}Response>",
        random(36)
    );
    (StatusCode::OK, XML, body).into_response()
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = format!(
            "<ErrorResponse xmlns=\"{NAMESPACE}\"><Error><Type>Sender</Type>{}{}</Error>\
             <RequestId>{}</RequestId></ErrorResponse>",
            element("Code", self.code),
            element("Message", &self.message),
            random(36)
        );
        (self.status, XML, body).into_response()
    }
}

/// One element with a text in it.
pub(super) fn element(name: &str, text: &str) -> String {
    let text = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    format!("<{name}>{text}</{name}>")
}

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";
const XML: [(header::HeaderName, &str); 1] = [(header::CONTENT_TYPE, "text/xml")];
