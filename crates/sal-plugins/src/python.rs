//! Python plugins of Django Sal: an INI file `<x>.yapsy-plugin` beside a module.
//!
//! Nothing of them is run here. Their name, kind and families of operating systems are read from the text, so that they
//! can be listed; their scripts go on being served; and what the scripts report is shown in a plain table.

use std::{fs, io, path::Path};

use sal_query::Condition;

use crate::{
    panel::{Panel, Rows},
    plugin::{Kind, Origin, OsFamily, Plugin},
    script::Script,
};

/// Reads a folder; `None` when it holds no such plugin.
pub(crate) fn read(folder: &Path, scripts: &[(String, String)]) -> io::Result<Option<Plugin>> {
    let Some(ini) = find(folder)? else {
        return Ok(None);
    };
    let ini = fs::read_to_string(ini)?;
    let (Some(name), Some(module)) = (value(&ini, "Name"), value(&ini, "Module")) else {
        return Ok(None);
    };
    let module = fs::read_to_string(folder.join(format!("{module}.py"))).unwrap_or_default();
    let kind = kind(&module);
    Ok(Some(Plugin {
        title: quoted(&module, "title").unwrap_or_else(|| name.clone()),
        description: quoted(&module, "description")
            .or_else(|| value(&ini, "Description"))
            .unwrap_or_default(),
        width: if kind == Kind::Report { 12 } else { 4 },
        os: families(&module),
        panels: vec![Panel::Rows(Rows {
            plugin: name.clone(),
            condition: Condition::everything(),
        })],
        origin: Origin::Python,
        scripts: scripts
            .iter()
            .filter_map(|(file, text)| Script::new(&name, file, text))
            .collect(),
        kind,
        name,
    }))
}

fn find(folder: &Path) -> io::Result<Option<std::path::PathBuf>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "yapsy-plugin")
        {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// The value of `key = value` in an INI file, in any letter case of the key.
fn value(ini: &str, key: &str) -> Option<String> {
    ini.lines().find_map(|line| {
        let (name, value) = line.split_once(['=', ':'])?;
        name.trim()
            .eq_ignore_ascii_case(key)
            .then(|| value.trim().to_owned())
            .filter(|value| !value.is_empty())
    })
}

/// The text in quotes of `name = "…"` in a class.
fn quoted(module: &str, name: &str) -> Option<String> {
    module.lines().find_map(|line| {
        let (left, right) = line.split_once('=')?;
        let right = right.trim();
        let quote = right.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let text = right.strip_prefix(quote)?;
        let (text, _) = text.split_once(quote)?;
        (left.trim() == name).then(|| text.to_owned())
    })
}

fn kind(module: &str) -> Kind {
    for (class, kind) in [
        ("DetailPlugin)", Kind::Detail),
        ("ReportPlugin)", Kind::Report),
    ] {
        if module.contains(class) {
            return kind;
        }
    }
    Kind::Widget
}

/// `supported_os_families = [sal.plugin.OSFamilies.darwin]`; all when it is not said.
fn families(module: &str) -> Vec<OsFamily> {
    let Some((_, after)) = module.split_once("supported_os_families") else {
        return OsFamily::ALL.to_vec();
    };
    let list = after.split_once(']').map_or("", |(list, _)| list);
    let found: Vec<OsFamily> = OsFamily::ALL
        .into_iter()
        .filter(|family| list.contains(&format!("OSFamilies.{}", family.name().to_lowercase())))
        .collect();
    if found.is_empty() {
        OsFamily::ALL.to_vec()
    } else {
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_python_plugin_is_listed_with_its_scripts_and_never_run() {
        let folder = std::env::temp_dir().join(format!("sal-python-plugin-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        fs::write(
            folder.join("battery.yapsy-plugin"),
            "[Core]\nName = BatteryHealth\nModule = battery\n\n[Documentation]\nDescription = Cycles\n",
        )
        .unwrap();
        fs::write(
            folder.join("battery.py"),
            "import sal.plugin\n\nclass BatteryHealth(sal.plugin.DetailPlugin):\n\n    description = 'Battery'\n    \
             supported_os_families = [sal.plugin.OSFamilies.darwin]\n",
        )
        .unwrap();
        let scripts = vec![
            ("b.py".to_owned(), "#!/usr/bin/python3\n".to_owned()),
            ("notes".to_owned(), "text".to_owned()),
        ];
        let plugin = read(&folder, &scripts).unwrap().unwrap();
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(
            (plugin.name.as_str(), plugin.kind),
            ("BatteryHealth", Kind::Detail)
        );
        assert_eq!(plugin.description, "Battery");
        assert_eq!(plugin.os, [OsFamily::Darwin]);
        assert_eq!(plugin.origin, Origin::Python);
        let names: Vec<_> = plugin
            .scripts
            .iter()
            .map(|script| &script.filename)
            .collect();
        assert_eq!(names, ["b.py"]);
    }
}
