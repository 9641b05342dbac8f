//! `OPTIONS`: what an address is and takes.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use crate::{address::Address, answer};

/// As Django REST framework describes an address to who may read.
pub(crate) fn options(address: &Address) -> Response {
    let words = |name: &str| -> String {
        // Its names of classes, with blanks in front of capitals.
        let mut words = String::new();
        for letter in name.chars() {
            if letter.is_uppercase() && !words.is_empty() {
                words.push(' ');
            }
            words.push(letter);
        }
        words
    };
    let (name, description) = match address {
        Address::Root => (
            "Api Root".to_owned(),
            "The default basic root view for DefaultRouter",
        ),
        Address::List(resource) => (format!("{} List", words(view(resource.object))), ""),
        Address::One(resource, _) => (format!("{} Instance", words(view(resource.object))), ""),
        Address::Execute(_) => ("Execute".to_owned(), ""),
    };
    let body = json!({
        "name": name,
        "description": description,
        "renders": ["application/json", "text/html"],
        "parses": ["application/json", "application/x-www-form-urlencoded", "multipart/form-data"],
    });
    answer::json(StatusCode::OK, &body)
}

/// Its view is not always called as the thing itself.
fn view(object: &'static str) -> &'static str {
    match object {
        "InventoryItem" => "Inventory",
        other => other,
    }
}
