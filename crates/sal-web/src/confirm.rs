//! The page that asks before something is changed. Sal's old links, which changed things when they were opened, lead
//! here; the form's POST to the same address does it.

use askama::Template;
use axum::response::Response;
use sal_http::AppError;

use crate::{page::render, shell::Shell};

/// A question with two answers.
#[derive(Template)]
#[template(path = "parts/confirm.html")]
pub(crate) struct Confirm {
    pub(crate) shell: Shell,
    /// The question: `Delete machine anna-mbp?`
    pub(crate) heading: String,
    /// What it means, and what is lost.
    pub(crate) sentences: Vec<String>,
    /// The word on the button that does it: `Delete it`.
    pub(crate) button: &'static str,
    /// Whether what is done cannot be undone.
    pub(crate) is_final: bool,
    /// Where the other answer leads.
    pub(crate) back: String,
}

impl Confirm {
    pub(crate) fn answer(&self) -> Result<Response, AppError> {
        render(self)
    }
}
