//! All plugins the server has, by name.
//!
//! Which of them are enabled, and in what order, is in the database; the registry is told.

use std::collections::BTreeMap;

use crate::{
    directory,
    format::{self, PluginError, Source},
    plugin::{Kind, Origin, OsFamily, Plugin},
    script::{Script, ScriptRef},
};

/// All plugins by name.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    plugins: BTreeMap<String, Plugin>,
}

/// Names of the enabled plugins, each list in its order. Unknown names do no harm.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EnabledPlugins {
    /// From `server_report`.
    pub reports: Vec<String>,
    /// From `server_plugin`.
    pub widgets: Vec<String>,
    /// From `server_machinedetailplugin`.
    pub details: Vec<String>,
}

impl Registry {
    /// The plugins inside the program.
    #[must_use]
    #[expect(
        clippy::expect_used,
        reason = "the built-in files are part of the program; a test reads them all"
    )]
    pub fn builtin() -> Self {
        let mut registry =
            Self::from_sources(directory::builtin_sources()).expect("built-in plugins are valid");
        for plugin in registry.plugins.values_mut() {
            plugin.origin = Origin::BuiltIn;
        }
        registry
    }

    /// Adds a plugin.
    ///
    /// # Errors
    /// Where the plugin of the same name comes from, when there is one; that one stays.
    pub fn add(&mut self, plugin: Plugin) -> Result<(), Origin> {
        if let Some(earlier) = self.plugins.get(&plugin.name) {
            return Err(earlier.origin);
        }
        self.plugins.insert(plugin.name.clone(), plugin);
        Ok(())
    }

    /// Reads and checks plugins.
    ///
    /// # Errors
    /// Every mistake in every file, not only the first; two plugins of one name are a mistake.
    pub fn from_sources(sources: &[Source<'_>]) -> Result<Self, Vec<PluginError>> {
        let mut plugins = BTreeMap::new();
        let mut errors = Vec::new();
        for source in sources {
            match format::read(source) {
                Ok(plugin) => {
                    if let Some(earlier) = plugins.insert(plugin.name.clone(), plugin) {
                        errors.push(format::duplicate(source, &earlier.name));
                    }
                }
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() {
            Ok(Self { plugins })
        } else {
            Err(errors)
        }
    }

    /// The scripts a client is to have: those of the enabled reports, widgets and details, in
    /// that order. With `os_family`, only of plugins for that family, spelled exactly as there.
    #[must_use]
    pub fn scripts_for(&self, enabled: &EnabledPlugins, os_family: Option<&str>) -> Vec<ScriptRef> {
        let kinds = [&enabled.reports, &enabled.widgets, &enabled.details];
        kinds
            .into_iter()
            .flatten()
            .filter_map(|name| self.get(name))
            .filter(|plugin| os_family.is_none_or(|family| is_for(plugin, family)))
            .flat_map(|plugin| plugin.scripts.iter().map(Script::reference))
            .collect()
    }

    /// A script by its plugin's name and its file name; also of plugins that are not enabled.
    #[must_use]
    pub fn script(&self, plugin: &str, filename: &str) -> Option<&Script> {
        let scripts = &self.get(plugin)?.scripts;
        scripts.iter().find(|script| script.filename == filename)
    }

    /// A plugin by name, spelled exactly.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Plugin> {
        self.plugins.get(name)
    }

    /// Where the plugin of this name appears.
    #[must_use]
    pub fn kind_of(&self, name: &str) -> Option<Kind> {
        self.get(name).map(|plugin| plugin.kind)
    }

    /// All plugins in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = &Plugin> {
        self.plugins.values()
    }
}

fn is_for(plugin: &Plugin, os_family: &str) -> bool {
    plugin
        .os
        .iter()
        .map(|os| OsFamily::name(*os))
        .any(|name| name == os_family)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a fresh Sal enables.
    fn defaults() -> EnabledPlugins {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        EnabledPlugins {
            reports: owned(&["InstallReport", "MunkiInfo"]),
            widgets: owned(&[
                "Activity",
                "Status",
                "OperatingSystem",
                "MunkiVersion",
                "Uptime",
                "Memory",
                "DiskSpace",
                "PendingAppleUpdates",
                "Pending3rdPartyUpdates",
                "Encryption",
                "Gatekeeper",
                "Sip",
                "XprotectVersion",
            ]),
            details: owned(&["MachineDetailSecurity"]),
        }
    }

    fn names(scripts: &[ScriptRef]) -> Vec<String> {
        let name = |script: &ScriptRef| format!("{}/{}", script.plugin, script.filename);
        scripts.iter().map(name).collect()
    }

    #[test]
    fn a_default_install_offers_the_seven_scripts_of_sal_in_its_order() {
        let registry = Registry::builtin();
        let expected = [
            "MunkiInfo/munkiinfo.py",
            "Uptime/uptime.py",
            "Encryption/encryption.py",
            "Gatekeeper/gatekeeper.py",
            "Sip/sip.py",
            "XprotectVersion/xprotectversion.py",
            "MachineDetailSecurity/machinedetailsecurity.py",
        ];
        let enabled = defaults();
        assert_eq!(names(&registry.scripts_for(&enabled, None)), expected);
        assert_eq!(
            names(&registry.scripts_for(&enabled, Some("Darwin"))),
            expected
        );
        for family in ["Windows", "Linux", "ChromeOS", "darwin", ""] {
            assert!(registry.scripts_for(&enabled, Some(family)).is_empty());
        }
    }

    #[test]
    fn scripts_are_found_by_their_exact_names_only() {
        let registry = Registry::builtin();
        let script = registry.script("ARDInfo", "ard_info.py").unwrap();
        assert!(script.content.starts_with("#!/usr/local/sal/"));
        for (plugin, filename) in [
            ("Activity", "x.py"),
            ("Nope", "x.py"),
            ("Uptime", "nope.py"),
            ("Uptime", ".."),
            ("uptime", "uptime.py"),
            ("Uptime", "scripts/uptime.py"),
        ] {
            assert_eq!(registry.script(plugin, filename), None);
        }
    }

    #[test]
    fn all_26_builtins_of_sal_are_there_with_their_kinds() {
        let registry = Registry::builtin();
        let of = |kind| registry.iter().filter(|plugin| plugin.kind == kind).count();
        assert_eq!(
            (of(Kind::Widget), of(Kind::Report), of(Kind::Detail)),
            (20, 2, 4)
        );
        assert_eq!(registry.kind_of("CryptStatus"), Some(Kind::Detail));
        assert_eq!(registry.kind_of("Nope"), None);
    }

    #[test]
    fn a_name_used_twice_is_a_mistake() {
        let plugin_toml = "name = \"A\"\nkind = \"widget\"\ntitle = \"A\"\n[[panel]]\ntype = \"bars\"\n\
                           title = \"{value}\"\ngroup_by = { field = \"os_family\" }\n";
        let source = |folder| Source {
            folder,
            plugin_toml,
            scripts: &[],
        };
        let errors = Registry::from_sources(&[source("A"), source("B")]).unwrap_err();
        assert_eq!(errors.len(), 1);
        assert_eq!(
            errors[0].to_string(),
            "B/plugin.toml:1: another plugin is named `A`"
        );
    }
}
