//! Copies the settings of the old user: they are not inherited.

use crate::{
    inventory::Setting,
    sql::{identifier, setting_value},
    steps::{Context, Part, Step},
};

pub(super) struct CopySettings;

impl Part for CopySettings {
    fn apply(&self, context: &Context<'_>) -> Vec<Step> {
        let statements = self.alterations(context);
        if statements.is_empty() || context.is_made_by_helper() {
            return Vec::new();
        }
        let (new, old) = (&context.wish.new_user, &context.wish.old_user);
        let undo = missing(context)
            .map(|setting| restore(context, setting))
            .collect();
        vec![
            Step::new(
                "copy-settings",
                format!("Give {new} the settings of {old}"),
                context.alter_new_user(statements),
            )
            .because("Settings such as search_path or statement_timeout belong to the user who logs in and are not inherited.")
            .verified_by("pg_db_role_setting has the same lines for both")
            .undone_by(undo)
            .deciding(context.effect_of_alteration()),
        ]
    }

    fn alterations(&self, context: &Context<'_>) -> Vec<String> {
        let user = identifier(&context.wish.new_user);
        missing(context)
            .map(|setting| set(&user, setting))
            .collect()
    }
}

fn set(user: &str, setting: &Setting) -> String {
    format!(
        "ALTER ROLE {user}{} SET {} = {}",
        scope(setting),
        dotted(&setting.name),
        setting_value(&setting.name, &setting.value)
    )
}

/// What the new user had of it before.
fn restore(context: &Context<'_>, setting: &Setting) -> String {
    let user = identifier(&context.wish.new_user);
    let had = context.new_role().and_then(|new| {
        new.settings
            .iter()
            .find(|had| had.name == setting.name && had.database == setting.database)
    });
    match had {
        Some(had) => set(&user, had),
        None => format!(
            "ALTER ROLE {user}{} RESET {}",
            scope(setting),
            dotted(&setting.name)
        ),
    }
}

/// The settings of the old user that count for the new one; `role` is the tool's own.
pub(super) fn all<'a>(context: &'a Context<'_>) -> impl Iterator<Item = &'a Setting> {
    let old = context.old().into_iter();
    old.flat_map(|old| &old.settings)
        .filter(|setting| setting.name != "role")
}

/// What the new user lacks and may be given.
pub(super) fn missing<'a>(context: &'a Context<'_>) -> impl Iterator<Item = &'a Setting> {
    all(context).filter(|setting| {
        let has = context
            .new_role()
            .is_some_and(|new| new.settings.contains(setting));
        !has && may_copy(context, setting)
    })
}

/// Whether the administrator may give it to a role; custom and superuser settings take a superuser.
pub(super) fn may_copy(context: &Context<'_>, setting: &Setting) -> bool {
    !context.inventory.uncopyable.contains(&setting.name)
}

/// A name of a setting may have a dot, which is no part of an identifier.
fn dotted(name: &str) -> String {
    let parts: Vec<String> = name.split('.').map(identifier).collect();
    parts.join(".")
}

fn scope(setting: &Setting) -> String {
    setting
        .database
        .as_ref()
        .map_or_else(String::new, |database| {
            format!(" IN DATABASE {}", identifier(database))
        })
}
