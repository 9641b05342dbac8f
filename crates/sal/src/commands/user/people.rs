//! `sal user list|add|password|level|staff`: what people did with Django's `manage.py`. The rules are those of the pages,
//! and each change stands in the audit log.

use anyhow::{Context, Result};
use jiff::Timestamp;
use sal_http::access::Level;
use sal_http::access::credentials::{password_problem, username_problem};
use sal_http::access::hashing::{Asker, Hashing};
use sal_http::access::last_admin::{self, Step};
use sal_http::access::password;
use sal_store::ids::UserId;
use sal_store::keyset::Start;
use sal_store::people::{
    FoundPerson, InsertPerson, ListedPerson, UpdatePerson, administrators, find_person,
    insert_person, list_people, lock_administrators, own_password, replace_password, set_staff,
    set_superuser, unit_names, unset_superuser, update_person,
};
use sal_store::sessions::delete_sessions_of;
use sal_store::users::user_by_name;
use serde_json::{Value, json};
use tokio_postgres::Client;

use super::super::by_hand::{self, Note, pretty};
use crate::cli::{AddedUser, LevelName, User};
use crate::commands::secret_input;
use crate::exit::Exit;
use crate::{commands, output, wiring};

/// Runs it.
pub(super) async fn run(what: User) -> Result<Exit> {
    if let User::Add(user) = &what
        && let Some(problem) = problem_of_new(user)
    {
        output::problem(&problem);
        return Ok(Exit::Usage);
    }
    let db = match commands::database().await? {
        Ok(db) => db,
        Err(exit) => return Ok(exit),
    };
    let done = match what {
        User::List { json } => return list(json, &db).await,
        User::Add(user) => add(user, &db).await?,
        User::Password {
            name,
            password_stdin,
            json,
        } => (change_password(&name, password_stdin, &db).await?, json),
        User::Level { name, level, json } => (change_level(&name, level.into(), &db).await?, json),
        User::Staff { name, remove, json } => (change_staff(&name, !remove, &db).await?, json),
        User::Link(_) | User::Unlink(_) | User::Links { .. } => return Ok(Exit::Done),
    };
    finish(done, &db).await
}

/// What became of it: the user, or why nothing did.
type Outcome = std::result::Result<UserId, String>;

async fn finish((outcome, as_json): (Outcome, bool), db: &Client) -> Result<Exit> {
    let id = match outcome {
        Ok(id) => id,
        Err(why) => {
            output::problem(&why);
            return Ok(Exit::FoundProblems);
        }
    };
    match as_json {
        true => {
            let found = find_person(db, &id).await.context("reading the user")?;
            let person = found.first().context("the user is gone by now")?;
            output::data(&pretty(&of_person(person))?);
        }
        false => output::note("Done."),
    }
    Ok(Exit::Done)
}

async fn list(as_json: bool, db: &Client) -> Result<Exit> {
    let people = list_people("", &Start::First, None, db)
        .await
        .context("reading the users")?
        .rows;
    if as_json {
        let list: Vec<_> = people.iter().map(of_listed).collect();
        output::data(&pretty(&Value::Array(list))?);
        return Ok(Exit::Done);
    }
    let width = people.iter().map(|person| person.username.chars().count());
    let width = width.max().unwrap_or_default();
    for person in &people {
        let mut words = vec![person.level.clone()];
        let marks = [
            (person.is_staff, "staff"),
            (person.is_superuser, "superuser"),
            (!person.is_active, "not active"),
            (!person.has_password, "no password"),
        ];
        let marks = marks.iter().filter(|(is_so, _word)| *is_so);
        words.extend(marks.map(|(_is_so, word)| (*word).to_owned()));
        if !person.units.is_empty() {
            words.push(format!("units: {}", person.units.join(", ")));
        }
        output::data(&format!(
            "{:<width$}  {}",
            person.username,
            words.join(", ")
        ));
    }
    if people.is_empty() {
        output::note(
            "There is no user yet; `sal user add NAME --level GA --superuser` makes the first one.",
        );
    }
    Ok(Exit::Done)
}

/// Why the arguments cannot make a user.
fn problem_of_new(user: &AddedUser) -> Option<String> {
    if let Some(problem) = username_problem(&user.name) {
        return Some(format!("{problem}."));
    }
    if (user.staff || user.superuser) && user.level != LevelName::GlobalAdmin {
        return Some("only a global admin can be staff or a superuser; add --level GA".to_owned());
    }
    let fits = |text: &str, most| text.chars().count() <= most && !text.contains(char::is_control);
    if !fits(&user.first_name, 150) || !fits(&user.last_name, 150) {
        return Some("a first or last name has at most 150 characters".to_owned());
    }
    let is_address = user.email.is_empty() || user.email.contains('@');
    (!fits(&user.email, 254) || !is_address).then(|| {
        "an e-mail address looks like anna@example.org and has at most 254 characters".to_owned()
    })
}

async fn add(user: AddedUser, db: &Client) -> Result<(Outcome, bool)> {
    let as_json = user.json;
    let units = match ids_of(&user.unit, db).await? {
        Ok(units) => units,
        Err(why) => return Ok((Err(why), as_json)),
    };
    let taken = format!(
        "there is a user of the name `{}`, upper or lower case; `sal user password` gives another password",
        user.name
    );
    let all = list_people(&user.name, &Start::First, None, db)
        .await
        .context("looking for the name")?
        .rows;
    let lower = user.name.to_lowercase();
    if all
        .iter()
        .any(|person| person.username.to_lowercase() == lower)
    {
        return Ok((Err(taken), as_json));
    }
    let about = [&user.name, &user.first_name, &user.last_name, &user.email];
    let encoded = match new_password(user.password_stdin, &about.map(String::as_str)).await? {
        Ok(encoded) => encoded,
        Err(why) => return Ok((Err(why), as_json)),
    };
    begin(db).await?;
    let now = (wiring::clock())();
    let level = Level::from(user.level);
    let made = insert_person(
        db,
        InsertPerson {
            username: user.name.as_str(),
            password: encoded.as_str(),
            first_name: user.first_name.as_str(),
            last_name: user.last_name.as_str(),
            email: user.email.as_str(),
            is_active: &true,
            level: level.code(),
            units: &units,
            now: &now,
        },
    );
    let made = made.await.context("making the user")?;
    let Some(id) = made.first().map(|made| made.id) else {
        return Ok((Err(taken), as_json));
    };
    if user.superuser {
        set_superuser(db, &id).await.context("making a superuser")?;
    } else if user.staff {
        set_staff(db, &id, &true).await.context("making staff")?;
    }
    let mut words = vec![format!("level {}", level.title())];
    words.extend(user.unit.iter().cloned());
    words.extend(user.superuser.then(|| "superuser and staff".to_owned()));
    words.extend((user.staff && !user.superuser).then(|| "staff".to_owned()));
    commit("made", (id, &user.name), &words.join(", "), now, db).await?;
    Ok((Ok(id), as_json))
}

/// The ids of business units by their names.
async fn ids_of(names: &[String], db: &Client) -> Result<std::result::Result<Vec<i32>, String>> {
    let units = unit_names(db).await.context("reading the business units")?;
    let mut ids = Vec::new();
    for name in names {
        let found: Vec<_> = units.iter().filter(|unit| unit.name == *name).collect();
        match found.as_slice() {
            [unit] => ids.push(unit.id.0),
            [] => {
                let known: Vec<_> = units.iter().map(|unit| unit.name.as_str()).collect();
                return Ok(Err(format!(
                    "there is no business unit `{name}`; there are: {}",
                    known.join(", ")
                )));
            }
            _ => {
                return Ok(Err(format!(
                    "several business units are called `{name}`; choose under Settings, Users"
                )));
            }
        }
    }
    Ok(Ok(ids))
}

async fn change_password(name: &str, from_stdin: bool, db: &Client) -> Result<Outcome> {
    let Some(person) = person(name, db).await? else {
        return Ok(Err(nobody(name)));
    };
    let about = [
        person.username.as_str(),
        &person.first_name,
        &person.last_name,
        &person.email,
    ];
    let encoded = match new_password(from_stdin, &about).await? {
        Ok(encoded) => encoded,
        Err(why) => return Ok(Err(why)),
    };
    begin(db).await?;
    let before = own_password(db, &person.id)
        .await
        .context("reading the old password")?;
    let old = before
        .first()
        .map(|own| own.password.clone())
        .unwrap_or_default();
    let changed = replace_password(db, &person.id, old.as_str(), encoded.as_str()).await;
    if changed.context("storing the password")? == 0 {
        return Ok(Err(
            "the password was changed elsewhere in this moment; try again".to_owned(),
        ));
    }
    // Whoever has a session of the old password has to log in again.
    delete_sessions_of(db, &person.id)
        .await
        .context("ending the sessions")?;
    let now = (wiring::clock())();
    commit("changed", (person.id, name), "a new password", now, db).await?;
    if !person.is_active {
        output::note(&format!(
            "`{name}` is deactivated and cannot log in; activate the user under Users"
        ));
    }
    Ok(Ok(person.id))
}

async fn change_level(name: &str, level: Level, db: &Client) -> Result<Outcome> {
    begin(db).await?;
    lock_administrators(db)
        .await
        .context("locking the administrators")?;
    let Some(person) = person(name, db).await? else {
        return Ok(Err(nobody(name)));
    };
    let step = Step::Change {
        stays_admin: level == Level::GlobalAdmin,
        stays_active: person.is_active,
    };
    if let Some(why) = refusal(step, &person, db).await? {
        return Ok(Err(why));
    }
    let changed = update_person(
        db,
        UpdatePerson {
            id: &person.id,
            first_name: person.first_name.as_str(),
            last_name: person.last_name.as_str(),
            email: person.email.as_str(),
            is_active: &person.is_active,
            level: level.code(),
            units: &person.units,
            password: &None,
        },
    );
    changed.await.context("changing the level")?;
    let old = Level::from_code(&person.level);
    let mut words = format!("level {} → {}", old.title(), level.title());
    // A Django Sal lets superusers do everything, whatever their level.
    if person.is_superuser && level != Level::GlobalAdmin {
        let changed = unset_superuser(db, &person.id).await;
        changed.context("taking the superuser's rights")?;
        words.push_str(", no superuser any more");
    }
    commit(
        "changed",
        (person.id, name),
        &words,
        (wiring::clock())(),
        db,
    )
    .await?;
    Ok(Ok(person.id))
}

async fn change_staff(name: &str, is_staff: bool, db: &Client) -> Result<Outcome> {
    begin(db).await?;
    lock_administrators(db)
        .await
        .context("locking the administrators")?;
    let Some(person) = person(name, db).await? else {
        return Ok(Err(nobody(name)));
    };
    if is_staff && Level::from_code(&person.level) != Level::GlobalAdmin {
        return Ok(Err(format!(
            "only a global admin can be staff; `sal user level {name} GA` makes `{name}` one"
        )));
    }
    if !is_staff && let Some(why) = refusal(Step::RemoveStaff, &person, db).await? {
        return Ok(Err(why));
    }
    set_staff(db, &person.id, &is_staff)
        .await
        .context("changing staff")?;
    let words = if is_staff {
        "is staff now"
    } else {
        "no longer staff"
    };
    commit("changed", (person.id, name), words, (wiring::clock())(), db).await?;
    Ok(Ok(person.id))
}

/// Why a step would leave nobody who can manage users.
async fn refusal(step: Step, person: &FoundPerson, db: &Client) -> Result<Option<String>> {
    let all = administrators(db)
        .await
        .context("reading the administrators")?;
    Ok(last_admin::problem(step, person, None, &all).map(str::to_owned))
}

/// A password as it is stored, or why there is none.
type Encoded = std::result::Result<String, String>;

/// A new password, checked and encoded as Django stores it; why it cannot be one.
async fn new_password(from_stdin: bool, about: &[&str]) -> Result<Encoded> {
    let typed = match secret_input::read(from_stdin)? {
        Ok(typed) => typed,
        Err(why) => return Ok(Err(why)),
    };
    if let Some(problem) = password_problem(&typed.first, &typed.again, about) {
        return Ok(Err(problem.to_owned()));
    }
    let encoded = password::encode(typed.first, &Asker::Server, &Hashing::default()).await;
    encoded
        .map(Ok)
        .map_err(|error| anyhow::anyhow!("hashing the password: {error}"))
}

async fn person(name: &str, db: &Client) -> Result<Option<FoundPerson>> {
    let found = user_by_name(db, &name)
        .await
        .context("looking for the user")?;
    let Some(user) = found.first() else {
        return Ok(None);
    };
    let person = find_person(db, &user.id)
        .await
        .context("reading the user")?;
    Ok(person.into_iter().next())
}

fn nobody(name: &str) -> String {
    format!("there is no user `{name}`; names are spelled exactly, upper and lower case")
}

/// Whatever ends without [`commit`] leaves nothing: the connection ends with the command.
async fn begin(db: &Client) -> Result<()> {
    db.batch_execute("BEGIN").await.context("beginning")
}

async fn commit(
    action: &str,
    (id, name): (UserId, &str),
    detail: &str,
    now: Timestamp,
    db: &Client,
) -> Result<()> {
    let note = Note {
        action,
        kind: "user",
        id: id.to_string(),
        name,
        detail,
    };
    by_hand::commit(note, now, db).await
}

fn of_person(person: &FoundPerson) -> Value {
    json!({
        "id": person.id.0, "name": person.username, "level": person.level, "staff": person.is_staff,
        "superuser": person.is_superuser, "active": person.is_active, "has_password": person.has_password,
        "unit_ids": person.units,
    })
}

fn of_listed(person: &ListedPerson) -> Value {
    json!({
        "id": person.id.0, "name": person.username, "level": person.level, "staff": person.is_staff,
        "superuser": person.is_superuser, "active": person.is_active, "has_password": person.has_password,
        "units": person.units, "last_login": person.last_login.map(|at| at.to_string()),
    })
}

impl From<LevelName> for Level {
    fn from(name: LevelName) -> Self {
        match name {
            LevelName::GlobalAdmin => Self::GlobalAdmin,
            LevelName::ReadWrite => Self::ReadWrite,
            LevelName::ReadOnly => Self::ReadOnly,
            LevelName::StatsOnly => Self::StatsOnly,
        }
    }
}
