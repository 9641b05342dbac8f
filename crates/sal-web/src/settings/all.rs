//! `/settings/all/`: every setting of the database, with what it means; and `/settings/forget/<id>/` for rows that
//! nothing here knows.
//!
//! In Sal most of them can be set in Django's administration only, where nothing is checked.

use std::collections::HashMap;

use askama::Template;
use axum::{
    Form,
    extract::{Path, State},
    http::StatusCode,
    response::Response,
    routing::get,
};
use jiff::Timestamp;
use sal_http::{
    Access, App, AppError, Routes,
    access::{GlobalAdmin, Viewer},
    app::Setting,
    db::Db,
    sal_settings::{Declared, Kind, SETTINGS},
};
use sal_store::{
    Client,
    settings::{
        SettingRow, delete_setting, fault_of_pattern, list_settings, set_setting, setting_by_id,
    },
};

use crate::{
    audit::{self, Object},
    confirm::Confirm,
    fleet_part::number,
    page::{redirect, render_with_status},
    shell::{Section, Shell, Theme},
    wording::Moment,
};

pub(crate) fn routes() -> Routes {
    Routes::new()
        .route(PATH, Access::GlobalAdmin, get(show_all).post(save_all))
        .route(
            "/settings/forget/{id}/",
            Access::GlobalAdmin,
            get(ask_forget).post(forget),
        )
}

/// What a person wrote: texts by names of settings.
pub(super) type Written = HashMap<String, String>;

#[derive(Template)]
#[template(path = "settings/all.html")]
struct AllPage {
    shell: Shell,
    fields: Vec<Field>,
    bookkeeping: Vec<Line>,
    unknown: Vec<Line>,
    environment: Vec<Setting>,
    has_problems: bool,
}

/// A setting as a field of the form.
struct Field {
    name: &'static str,
    title: &'static str,
    meaning: &'static str,
    default: &'static str,
    value: String,
    /// Words to choose from; empty for a field to write in.
    choices: Vec<Choice>,
    /// The type of the field to write in.
    input: &'static str,
    /// What is wrong with what was written.
    problem: Option<String>,
    /// What is wrong with what is stored.
    warning: Option<String>,
}

struct Choice {
    word: &'static str,
    is_chosen: bool,
}

/// A row that is only shown.
struct Line {
    id: i32,
    name: String,
    meaning: &'static str,
    value: String,
    /// The moment that the value stands for.
    moment: Option<Moment>,
}

async fn show_all(
    GlobalAdmin(viewer): GlobalAdmin,
    theme: Theme,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let stored = list_settings(&db).await?;
    let shell = Shell::of(&viewer, theme, Section::Settings, TITLE, &app);
    page(shell, &stored, &Written::new(), &Written::new(), &app).answer()
}

async fn save_all(
    GlobalAdmin(viewer): GlobalAdmin,
    theme: Theme,
    State(app): State<App>,
    Db(db): Db,
    Form(written): Form<Written>,
) -> Result<Response, AppError> {
    save(&viewer, theme, written, PATH, db, &app).await
}

/// Stores what was written, all of it or nothing, and goes to `next`; what cannot be taken is answered with the form
/// and a sentence at each field.
pub(super) async fn save(
    viewer: &Viewer,
    theme: Theme,
    written: Written,
    next: &str,
    db: Client,
    app: &App,
) -> Result<Response, AppError> {
    let stored = list_settings(&db).await?;
    let (accepted, problems) = judge(&written, &db).await?;
    if !problems.is_empty() {
        let shell = Shell::of(viewer, theme, Section::Settings, TITLE, app);
        return page(shell, &stored, &written, &problems, app).answer();
    }
    let tx = db.begin().await?;
    for (setting, value) in accepted {
        let old = find(setting.name, &stored);
        if is_same(setting, old, &value) {
            continue;
        }
        // One statement for each setting that a person changed: seldom more than one.
        set_setting(&tx, setting.name, value.as_str()).await?;
        let detail = format!("`{}` -> `{value}`", old.unwrap_or(setting.default));
        let object = Object::new("setting", setting.name, setting.title);
        audit::note(viewer, "changed", &object, &detail, app, &tx).await?;
    }
    tx.commit().await?;
    Ok(redirect(next))
}

/// What is to be stored, and what is wrong with the rest, by name. Names that nothing here knows are left out.
async fn judge(
    written: &Written,
    db: &Client,
) -> Result<(Vec<(&'static Declared, String)>, Written), AppError> {
    let mut accepted = Vec::new();
    let mut problems = Written::new();
    for setting in editable() {
        let Some(text) = written.get(setting.name) else {
            continue;
        };
        let mut judged = setting.accept(text);
        if let (Ok(pattern), Kind::Pattern) = (&judged, setting.kind)
            // It is Postgres that uses it.
            && let Some(fault) = fault_of_pattern(pattern, db).await?
        {
            judged = Err(format!("Postgres cannot use it: {fault}."));
        }
        match judged {
            Ok(value) => accepted.push((setting, value)),
            Err(problem) => {
                problems.insert(setting.name.to_owned(), problem);
            }
        }
    }
    Ok((accepted, problems))
}

/// Whether a value is the one that counts already, however it is spelled.
fn is_same(setting: &Declared, old: Option<&str>, new: &str) -> bool {
    match setting.kind {
        Kind::Flag => setting.flag(old) == setting.flag(Some(new)),
        _ => old.unwrap_or(setting.default).trim() == new,
    }
}

fn find<'a>(name: &str, stored: &'a [SettingRow]) -> Option<&'a str> {
    let row = stored.iter().find(|row| row.name == name);
    row.map(|row| row.value.as_str())
}

fn editable() -> impl Iterator<Item = &'static Declared> {
    let all = SETTINGS.iter().copied();
    all.filter(|setting| setting.kind != Kind::Bookkeeping)
}

fn page(
    shell: Shell,
    stored: &[SettingRow],
    written: &Written,
    problems: &Written,
    app: &App,
) -> AllPage {
    let fields = editable().map(|setting| {
        let written = written.get(setting.name).map(String::as_str);
        let problem = problems.get(setting.name).cloned();
        field(setting, find(setting.name, stored), written, problem)
    });
    let declared = |row: &SettingRow| Declared::of(&row.name);
    let bookkeeping = stored.iter().filter_map(|row| {
        let setting = declared(row).filter(|setting| setting.kind == Kind::Bookkeeping)?;
        Some(line(row, setting.meaning, app))
    });
    let unknown = stored.iter().filter(|row| declared(row).is_none());
    AllPage {
        shell,
        fields: fields.collect(),
        bookkeeping: bookkeeping.collect(),
        unknown: unknown.map(|row| line(row, "", app)).collect(),
        environment: app.config.settings.clone(),
        has_problems: !problems.is_empty(),
    }
}

fn field(
    setting: &'static Declared,
    stored: Option<&str>,
    written: Option<&str>,
    problem: Option<String>,
) -> Field {
    let value = match (written, setting.kind) {
        (Some(written), _) => written.to_owned(),
        (None, Kind::Flag) => setting.flag(stored).to_string(),
        (None, _) => stored.unwrap_or(setting.default).to_owned(),
    };
    let words: &[&str] = match setting.kind {
        Kind::Flag => &["true", "false"],
        Kind::OneOf(words) => words,
        _ => &[],
    };
    let choices = words.iter().map(|word| Choice {
        word,
        is_chosen: *word == value,
    });
    Field {
        name: setting.name,
        title: setting.title,
        meaning: setting.meaning,
        default: setting.default,
        choices: choices.collect(),
        input: match setting.kind {
            Kind::Number { .. } => "number",
            Kind::Url => "url",
            _ => "text",
        },
        problem,
        warning: match setting.kind {
            Kind::Number { .. } => setting.number(stored).warning,
            _ => None,
        },
        value,
    }
}

fn line(row: &SettingRow, meaning: &'static str, app: &App) -> Line {
    let seconds = row
        .value
        .split('.')
        .next()
        .and_then(|text| text.parse().ok());
    let at = seconds
        .filter(|seconds: &i64| *seconds > 1_000_000_000 && !meaning.is_empty())
        .and_then(|seconds| Timestamp::from_second(seconds).ok());
    Line {
        id: row.id,
        name: row.name.clone(),
        meaning,
        value: row.value.clone(),
        moment: at.map(|at| Moment::new(at, app.now(), &app.config.time_zone)),
    }
}

impl AllPage {
    fn answer(&self) -> Result<Response, AppError> {
        // what cannot be taken is answered with 422.
        let status = if self.has_problems {
            StatusCode::UNPROCESSABLE_ENTITY
        } else {
            StatusCode::OK
        };
        render_with_status(status, self)
    }
}

async fn ask_forget(
    GlobalAdmin(viewer): GlobalAdmin,
    theme: Theme,
    Path(id): Path<String>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let name = unknown_name(number(&id)?, &db).await?;
    Confirm {
        shell: Shell::of(&viewer, theme, Section::Settings, TITLE, &app),
        heading: format!("Delete the setting {name}?"),
        sentences: vec![
            "This server does not know it. A plugin of a Django Sal on this database may."
                .to_owned(),
        ],
        button: "Delete it",
        is_final: true,
        back: PATH.to_owned(),
    }
    .answer()
}

async fn forget(
    GlobalAdmin(viewer): GlobalAdmin,
    Path(id): Path<String>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let id: i32 = number(&id)?;
    let name = unknown_name(id, &db).await?;
    let tx = db.begin().await?;
    delete_setting(&tx, &id).await?;
    // Its value may be a plugin's secret.
    let object = Object::new("setting", &name, &name);
    audit::note(&viewer, "deleted", &object, "", &app, &tx).await?;
    tx.commit().await?;
    Ok(redirect(PATH))
}

/// The name of a row that nothing here knows; the others are not for deleting.
async fn unknown_name(id: i32, db: &Client) -> Result<String, AppError> {
    let found = setting_by_id(db, &id).await?.into_iter().next();
    let name = found.ok_or(AppError::NotFound)?.name;
    match Declared::of(&name) {
        None => Ok(name),
        Some(_) => Err(AppError::NotFound),
    }
}

const PATH: &str = "/settings/all/";
const TITLE: &str = "All settings";
