//! Copies the settings of the old user: they are not inherited.

use crate::{
    inventory::Setting,
    sql::{identifier, setting_value},
    steps::{Context, LoginEffect, Step},
};

pub(super) fn step(context: &Context<'_>) -> Option<Step> {
    if context.new_role().is_none() && context.needs_helper() {
        return None; // The helper does it.
    }
    let statements = statements(context);
    if statements.is_empty() {
        return None;
    }
    let (new, old) = (&context.wish.new_user, &context.wish.old_user);
    let undo = missing(context)
        .map(|setting| {
            format!(
                "ALTER ROLE {}{} RESET {}",
                identifier(new),
                scope(setting),
                dotted(&setting.name)
            )
        })
        .collect();
    Some(Step {
        id: "copy-settings".to_owned(),
        what: format!("Give {new} the settings of {old}"),
        why: "Settings such as search_path or statement_timeout belong to the user who logs in and are not inherited.".to_owned(),
        action: context.sql(statements),
        verified_by: "pg_db_role_setting has the same lines for both".to_owned(),
        undo,
        removes: Vec::new(),
        logins: LoginEffect::None,
    })
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

pub(super) fn statements(context: &Context<'_>) -> Vec<String> {
    let user = identifier(&context.wish.new_user);
    missing(context)
        .map(|setting| {
            format!(
                "ALTER ROLE {user}{} SET {} = {}",
                scope(setting),
                dotted(&setting.name),
                setting_value(&setting.name, &setting.value)
            )
        })
        .collect()
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
