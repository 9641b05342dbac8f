//! Enabled plugins that are not shown as their deployment knew them. Pure.

use crate::{
    plugin::{Kind, Origin},
    registry::{EnabledPlugins, Registry},
};

/// A plugin that is enabled and not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unrun {
    /// Its name in the database.
    pub name: String,
    /// Which table it is in.
    pub kind: Kind,
    /// Why it is not run.
    pub why: Why,
}

/// Why a plugin is not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Python is read and not run; its scripts are served and what they report is shown in a table.
    IsPython,
    /// No plugin of this name is there.
    IsNotHere,
}

impl Registry {
    /// Those of the enabled plugins that this server does not run, in their order.
    #[must_use]
    pub fn unrun(&self, enabled: &EnabledPlugins) -> Vec<Unrun> {
        let kinds = [
            (Kind::Widget, &enabled.widgets),
            (Kind::Report, &enabled.reports),
            (Kind::Detail, &enabled.details),
        ];
        let all = kinds
            .into_iter()
            .flat_map(|(kind, names)| names.iter().map(move |name| (kind, name)));
        all.filter_map(|(kind, name)| {
            let why = match self.get(name).map(|plugin| plugin.origin) {
                None => Why::IsNotHere,
                Some(Origin::Python) => Why::IsPython,
                Some(Origin::BuiltIn | Origin::Folder) => return None,
            };
            let name = name.clone();
            Some(Unrun { name, kind, why })
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn python_and_missing_plugins_of_all_kinds_are_named_and_no_others() {
        let mut registry = Registry::builtin();
        let mut python = registry.get("Uptime").unwrap().clone();
        (python.name, python.origin) = ("Battery".to_owned(), Origin::Python);
        registry.add(python).unwrap();
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let enabled = EnabledPlugins {
            widgets: names(&["Activity", "Battery", "MyWidget"]),
            reports: names(&["InstallReport", "MyReport"]),
            details: names(&["MyDetail", "CryptStatus"]),
        };
        let found: Vec<_> = registry
            .unrun(&enabled)
            .into_iter()
            .map(|plugin| (plugin.name, plugin.kind, plugin.why))
            .collect();
        let of = |name: &str, kind, why| (name.to_owned(), kind, why);
        assert_eq!(
            found,
            [
                of("Battery", Kind::Widget, Why::IsPython),
                of("MyWidget", Kind::Widget, Why::IsNotHere),
                of("MyReport", Kind::Report, Why::IsNotHere),
                of("MyDetail", Kind::Detail, Why::IsNotHere),
            ]
        );
    }
}
