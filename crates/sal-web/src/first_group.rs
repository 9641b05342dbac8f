//! `POST /first-group/`: the first business unit and machine group of an empty server, with a key for clients.
//!
//! Offered by the overview while there is no group. Later groups are made on the settings pages.

use axum::{Form, Router, extract::State, response::Response, routing::post};
use rand::RngExt;
use sal_http::{App, AppError, access::GlobalAdmin};
use sal_store::{
    group_keys::group_keys,
    groups::{insert_group, insert_unit},
};
use serde::Deserialize;

use crate::page::redirect;

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/first-group/", post(create_first_group))
}

#[derive(Deserialize)]
struct FirstGroupForm {
    unit: String,
    group: String,
}

async fn create_first_group(
    _admin: GlobalAdmin,
    State(app): State<App>,
    Form(form): Form<FirstGroupForm>,
) -> Result<Response, AppError> {
    let (unit, group) = (name(&form.unit)?, name(&form.group)?);
    let db = app.store.get().await?;
    let tx = db.begin().await?;
    // Pressed twice, the button must not make two.
    if group_keys(&tx).await?.is_empty() {
        let made = insert_unit(&tx, unit).await?;
        if let Some(made) = made.first() {
            insert_group(&tx, &made.id, group, new_key().as_str()).await?;
        }
    }
    tx.commit().await?;
    Ok(redirect("/"))
}

fn name(text: &str) -> Result<&str, AppError> {
    let name = text.trim();
    if name.is_empty() || name.chars().count() > MAX_NAME_CHARACTERS || name.contains('\0') {
        let message = "A name has 1 to 100 characters.".to_owned();
        return Err(AppError::BadRequest(message));
    }
    Ok(name)
}

/// A key as Sal makes them: 128 lower-case letters and digits.
fn new_key() -> String {
    let mut random = rand::rng();
    let letter = |_| {
        KEY_CHARACTERS
            .get(random.random_range(0..KEY_CHARACTERS.len()))
            .copied()
    };
    (0..KEY_LENGTH).filter_map(letter).map(char::from).collect()
}

const MAX_NAME_CHARACTERS: usize = 100;
const KEY_LENGTH: usize = 128;
const KEY_CHARACTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_as_long_as_sals_and_never_the_same() {
        let (one, other) = (new_key(), new_key());
        assert_eq!(one.len(), 128);
        assert_ne!(one, other);
        assert!(one.bytes().all(|byte| KEY_CHARACTERS.contains(&byte)));
    }

    #[test]
    fn a_name_needs_a_character() {
        assert_eq!(name(" Labs ").unwrap(), "Labs");
        assert!(name("  ").is_err());
        assert!(name(&"a".repeat(101)).is_err());
    }
}
