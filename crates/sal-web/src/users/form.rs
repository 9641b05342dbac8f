//! The form for a person: reading it, judging it, showing it again.

use askama::Template;
use axum::{http::StatusCode, response::Response};
use sal_http::{
    AppError,
    access::{
        Level,
        credentials::{password_problem, username_problem},
    },
};
use sal_store::people::{FoundPerson, NamedUnit};

use crate::{page::render_with_status, shell::Shell, wording::Moment};

/// What was typed. Not printable: it holds a password.
#[derive(Clone, Default)]
pub(super) struct UserForm {
    pub(super) username: String,
    pub(super) first_name: String,
    pub(super) last_name: String,
    pub(super) email: String,
    /// Two letters, if nobody forged the form.
    pub(super) level: String,
    pub(super) units: Vec<i32>,
    pub(super) is_active: bool,
    pub(super) password: String,
    pub(super) again: String,
    /// Whether the fields have the names of Sal's own form, which has fewer of them.
    pub(super) is_sals: bool,
}

impl UserForm {
    /// Reads the pairs of a form; the boxes of units all have the same name. What is not known is passed over.
    pub(super) fn read(pairs: Vec<(String, String)>) -> Self {
        let mut form = Self::default();
        for (name, value) in pairs {
            let trimmed = || value.trim().to_owned();
            match name.as_str() {
                "username" => form.username = trimmed(),
                "first_name" => form.first_name = trimmed(),
                "last_name" => form.last_name = trimmed(),
                "email" => form.email = trimmed(),
                "level" => form.level = trimmed(),
                "user_level" => (form.level, form.is_sals) = (trimmed(), true),
                "password1" => (form.password, form.is_sals) = (value, true),
                "password2" => (form.again, form.is_sals) = (value, true),
                "unit" => form.units.extend(value.parse::<i32>().ok()),
                "is_active" => form.is_active = true,
                "password" => form.password = value,
                "again" => form.again = value,
                _ => {}
            }
        }
        // Sal's makes nobody who cannot log in.
        form.is_active |= form.is_sals;
        form
    }

    /// Leaves as it is what Sal's own form does not ask for.
    pub(super) fn keep_what_sal_does_not_ask(&mut self, person: &FoundPerson) {
        if self.is_sals {
            let now = Self::of(person);
            self.first_name = now.first_name;
            self.last_name = now.last_name;
            self.email = now.email;
            self.units = now.units;
            self.is_active = now.is_active;
        }
    }

    /// As a person is now.
    pub(super) fn of(person: &FoundPerson) -> Self {
        Self {
            username: person.username.clone(),
            first_name: person.first_name.clone(),
            last_name: person.last_name.clone(),
            email: person.email.clone(),
            level: Level::from_code(&person.level).code().to_owned(),
            units: person.units.clone(),
            is_active: person.is_active,
            ..Self::default()
        }
    }

    /// The level, once the form was judged.
    pub(super) fn level(&self) -> Level {
        Level::from_code(&self.level)
    }

    /// Why a new person cannot be made of it.
    pub(super) fn problem_of_new(&self) -> Option<&'static str> {
        username_problem(&self.username)
            .or_else(|| self.problem_of_password())
            .or_else(|| self.problem_of_rest())
    }

    /// Why a person cannot be changed so. Without a password the old one stays.
    pub(super) fn problem_of_change(&self) -> Option<&'static str> {
        let has_password = !self.password.is_empty() || !self.again.is_empty();
        has_password
            .then(|| self.problem_of_password())
            .flatten()
            .or_else(|| self.problem_of_rest())
    }

    fn problem_of_password(&self) -> Option<&'static str> {
        let about = [
            self.username.as_str(),
            &self.first_name,
            &self.last_name,
            &self.email,
        ];
        password_problem(&self.password, &self.again, &about)
    }

    fn problem_of_rest(&self) -> Option<&'static str> {
        if Level::parse(&self.level).is_none() {
            return Some("Choose a level.");
        }
        let fits =
            |text: &str, most| text.chars().count() <= most && !text.chars().any(char::is_control);
        if !fits(&self.first_name, NAME) || !fits(&self.last_name, NAME) {
            return Some("A first or last name has at most 150 characters.");
        }
        let is_address = self.email.split_once('@').is_some_and(|(user, host)| {
            !user.is_empty() && !host.is_empty() && !self.email.contains(char::is_whitespace)
        });
        (!fits(&self.email, EMAIL) || !(self.email.is_empty() || is_address)).then_some(
            "An e-mail address looks like anna@example.org and has at most 254 characters.",
        )
    }
}

/// The page with the form.
#[derive(Template)]
#[template(path = "users/form.html")]
pub(super) struct UserPage {
    pub(super) shell: Shell,
    pub(super) form: UserForm,
    pub(super) units: Vec<NamedUnit>,
    /// The person as it is now; none for a new one.
    pub(super) person: Option<Facts>,
    pub(super) problem: Option<&'static str>,
}

/// What the page tells of a person beside the form.
pub(super) struct Facts {
    pub(super) id: i32,
    pub(super) is_you: bool,
    pub(super) is_staff: bool,
    pub(super) is_superuser: bool,
    pub(super) is_admin: bool,
    pub(super) has_password: bool,
    pub(super) joined: Moment,
    pub(super) last_login: Option<Moment>,
}

impl UserPage {
    /// Code, title and explanation of each level.
    fn levels(&self) -> [(&'static str, &'static str, &'static str); 4] {
        Level::ALL.map(|level| (level.code(), level.title(), explanation(level)))
    }

    fn has_unit(&self, unit: &NamedUnit) -> bool {
        self.form.units.contains(&unit.id.0)
    }

    pub(super) fn answer(&self) -> Result<Response, AppError> {
        let status = match self.problem {
            Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
            None => StatusCode::OK,
        };
        render_with_status(status, self)
    }
}

fn explanation(level: Level) -> &'static str {
    match level {
        Level::StatsOnly => "numbers of the own business units, no machines",
        Level::ReadOnly => "machines of the own business units",
        Level::ReadWrite => "also changes them",
        Level::GlobalAdmin => "everything, in all business units",
    }
}

/// Names of the given units, as a list of words.
pub(super) fn unit_words(ids: &[i32], units: &[NamedUnit]) -> String {
    let names: Vec<&str> = units
        .iter()
        .filter(|unit| ids.contains(&unit.id.0))
        .map(|unit| unit.name.as_str())
        .collect();
    if names.is_empty() {
        "no business unit".to_owned()
    } else {
        names.join(", ")
    }
}

const NAME: usize = 150;
const EMAIL: usize = 254;

#[cfg(test)]
mod tests {
    use super::*;

    fn form(pairs: &[(&str, &str)]) -> UserForm {
        let all = [
            ("username", "anna"),
            ("level", "RO"),
            ("password", "four blue kettles"),
            ("again", "four blue kettles"),
        ];
        let pairs = all.iter().chain(pairs);
        UserForm::read(
            pairs
                .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
                .collect(),
        )
    }

    #[test]
    fn ticked_boxes_are_gathered_and_unknown_fields_passed_over() {
        let form = form(&[("unit", "3"), ("unit", "x"), ("unit", "7"), ("evil", "1")]);
        assert_eq!(form.units, [3, 7]);
        assert!(!form.is_active);
        assert_eq!(form.problem_of_new(), None);
    }

    #[test]
    fn what_does_not_fit_a_column_gets_a_sentence() {
        let long = "a".repeat(151);
        for (name, value, words) in [
            ("username", "a b", "user name"),
            ("level", "XX", "level"),
            ("level", "", "level"),
            ("first_name", long.as_str(), "150"),
            ("last_name", "a\0b", "150"),
            ("email", "anna", "e-mail"),
            ("email", "a@b c", "e-mail"),
            ("password", "short", "10 characters"),
        ] {
            let sentence = form(&[(name, value)]).problem_of_new().unwrap_or_default();
            assert!(sentence.contains(words), "{name}={value}: {sentence}");
        }
        assert_eq!(form(&[("email", "a@b")]).problem_of_new(), None);
        let unchanged = form(&[("password", ""), ("again", ""), ("username", "")]);
        assert_eq!(unchanged.problem_of_change(), None);
        let half = form(&[("password", "")]);
        assert!(half.problem_of_change().is_some());
    }
}
