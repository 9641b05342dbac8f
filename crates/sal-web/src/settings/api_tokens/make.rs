//! `/settings/api-tokens/new/`: the form for a new token. Its secret is made when it is shown.

use askama::Template;
use axum::{Form, extract::State, http::StatusCode, response::Response, routing::get};
use sal_http::{
    Access, App, AppError, Routes,
    access::GlobalAdmin,
    api_token::{USUAL_DAYS, end_of, may},
    db::Db,
};
use sal_store::{
    api_tokens::{InsertToken, insert_token},
    scope::Scope,
    units::{UnitChoice, units_in_scope},
};

use super::KIND;
use crate::{
    audit::{self, Object},
    given_name::{API_KEY_NAME, given_name},
    page::{redirect, render_with_status},
    shell::{Section, Shell, Theme},
};

pub(super) fn routes() -> Routes {
    Routes::new().route(
        "/settings/api-tokens/new/",
        Access::GlobalAdmin,
        get(show_new_token).post(create_token),
    )
}

#[derive(Template)]
#[template(path = "settings/new_api_token.html")]
struct NewTokenPage {
    shell: Shell,
    form: TokenForm,
    units: Vec<UnitChoice>,
    /// 0 where a token may be without an end.
    most_days: u16,
    problem: Option<String>,
}

/// What was typed.
#[derive(Default)]
struct TokenForm {
    name: String,
    days: String,
    is_endless: bool,
    can_write: bool,
    sees_keys: bool,
    has_some_units: bool,
    units: Vec<i32>,
}

impl TokenForm {
    fn read(pairs: Vec<(String, String)>) -> Self {
        let mut form = Self::default();
        for (name, value) in pairs {
            match name.as_str() {
                "name" => form.name = value,
                "days" => form.days = value,
                "endless" => form.is_endless = true,
                "write" => form.can_write = true,
                "keys" => form.sees_keys = true,
                "units" => form.has_some_units = value == "some",
                "unit" => form.units.extend(value.parse::<i32>().ok()),
                _ => {}
            }
        }
        form
    }

    fn has(&self, unit: &UnitChoice) -> bool {
        self.units.contains(&unit.id.0)
    }

    /// The business units; none for all.
    fn chosen(&self, known: &[UnitChoice]) -> Result<Option<Vec<i32>>, String> {
        if !self.has_some_units {
            return Ok(None);
        }
        let units: Vec<i32> = known
            .iter()
            .filter(|unit| self.has(unit))
            .map(|unit| unit.id.0)
            .collect();
        match units.is_empty() || units.len() < self.units.len() {
            true => Err("Choose the business units from the list, or all.".to_owned()),
            false => Ok(Some(units)),
        }
    }

    fn days(&self) -> Option<u16> {
        // What is no number is as wrong as zero.
        (!self.is_endless).then(|| self.days.trim().parse().unwrap_or(0))
    }
}

async fn show_new_token(
    GlobalAdmin(viewer): GlobalAdmin,
    theme: Theme,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let most_days = app.config.token_days;
    let days = match most_days {
        0 => USUAL_DAYS,
        most => USUAL_DAYS.min(most),
    };
    let page = NewTokenPage {
        shell: Shell::of(&viewer, theme, Section::Settings, TITLE, &app),
        form: TokenForm {
            days: days.to_string(),
            ..TokenForm::default()
        },
        units: units_in_scope(&db, &Scope::All).await?,
        most_days,
        problem: None,
    };
    render_with_status(StatusCode::OK, &page)
}

async fn create_token(
    GlobalAdmin(viewer): GlobalAdmin,
    theme: Theme,
    State(app): State<App>,
    Db(db): Db,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, AppError> {
    let (form, now) = (TokenForm::read(pairs), app.now());
    let units = units_in_scope(&db, &Scope::All).await?;
    let wanted = given_name(&form.name, API_KEY_NAME).and_then(|name| {
        let expires = end_of(form.days(), app.config.token_days, now)?;
        Ok((name, expires, form.chosen(&units)?))
    });
    let problem = match wanted {
        Ok((name, expires, chosen)) => {
            let tx = db.begin().await?;
            let token = InsertToken {
                name,
                user: &viewer.id,
                created: &now,
                expires: &expires,
                can_write: &form.can_write,
                sees_keys: &form.sees_keys,
                units: &chosen,
            };
            let made = insert_token(&tx, token).await?;
            if let Some(token) = made.first() {
                let detail = may(form.can_write, form.sees_keys);
                let object = Object::new(KIND, token.id, name);
                audit::note(&viewer, "made", &object, detail, &app, &tx).await?;
                tx.commit().await?;
                return Ok(redirect(&format!(
                    "/settings/api-tokens/secret/{}/",
                    token.id
                )));
            }
            tx.rollback().await?;
            format!("There is a token {name} already. Choose another name, or revoke that one.")
        }
        Err(problem) => problem,
    };
    let page = NewTokenPage {
        shell: Shell::of(&viewer, theme, Section::Settings, TITLE, &app),
        most_days: app.config.token_days,
        form,
        units,
        problem: Some(problem),
    };
    render_with_status(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

const TITLE: &str = "New API token";
