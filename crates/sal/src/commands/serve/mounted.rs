//! The files that Sal's guides mount into its image, `settings.py` and SAML's `metadata.xml`: found, read, never run, and
//! what of them does not count here is told.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::commands::import_settings::text_of_file;
use crate::config::Environment;
use crate::config::env::default_of;
use crate::settings_py::{self, Findings};

/// A line for each thing in them that has no effect.
pub(super) fn told(root: &Path, environment: &Environment) -> Vec<String> {
    let folders = FOLDERS.iter().map(|folder| root.join(folder));
    // In Sal's image one of them is a link to the other.
    let folders: BTreeSet<PathBuf> = folders
        .filter_map(|folder| folder.canonicalize().ok())
        .collect();
    let mut lines = Vec::new();
    for folder in folders {
        let settings = folder.join("settings.py");
        if settings.exists() {
            lines.extend(of_settings(&settings, environment));
        }
        let metadata = folder.join("metadata.xml");
        if metadata.exists() {
            lines.push(format!(
                "{} is mounted and not read: it is for SAML, which is not built; single sign-on by OpenID Connect (SAL_OIDC_ISSUER) works",
                metadata.display()
            ));
        }
    }
    lines
}

fn of_settings(path: &Path, environment: &Environment) -> Vec<String> {
    let shown = path.display();
    let text = match text_of_file(path) {
        Ok(text) => text,
        Err(error) => return vec![format!("a settings.py is mounted and not read: {error:#}")],
    };
    let mut lines = match settings_py::read(&text) {
        Ok(findings) => without_effect(&findings, environment),
        Err(fault) => return vec![format!("{shown} is mounted and not read: {fault}")],
    };
    if lines.is_empty() {
        return lines;
    }
    let more = lines.len().saturating_sub(MOST_LINES);
    lines.truncate(MOST_LINES);
    let mut told = vec![format!(
        "{shown} is mounted and not run; `sal import-settings {shown}` makes variables of it. What does not count now:"
    )];
    told.extend(lines.into_iter().map(|line| format!("{shown} {line}")));
    if more > 0 {
        told.push(format!("{shown}: and {more} more"));
    }
    told
}

fn without_effect(findings: &Findings, environment: &Environment) -> Vec<String> {
    let mut lines = Vec::new();
    for (variable, found) in &findings.environment {
        let counts = environment
            .given(variable)
            .unwrap_or_else(|| default_of(variable));
        if counts != found.value {
            lines.push(format!(
                "line {}: {} does not count; set {variable}={}",
                found.line, found.setting, found.value
            ));
        }
    }
    for note in &findings.yourself {
        if environment.secret(&note.name).is_none() {
            lines.push(format!("line {}: {}", note.line, note.why));
        }
    }
    for note in findings
        .no_equivalent
        .iter()
        .chain(&findings.not_understood)
    {
        lines.push(format!(
            "line {}: {} does not count: {}",
            note.line, note.name, note.why
        ));
    }
    lines
}

/// Below the root of the file system: where Sal's guides mount them, of now and of old.
const FOLDERS: &[&str] = &["home/docker/sal/sal", "home/app/sal/sal"];
const MOST_LINES: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(folder: &str, files: &[(&str, &str)], set: &[(&'static str, &str)]) -> Vec<String> {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join(folder);
        std::fs::create_dir_all(&folder).unwrap();
        for (name, content) in files {
            std::fs::write(folder.join(name), content).unwrap();
        }
        told(root.path(), &Environment::of(set.iter().copied()))
    }

    const SETTINGS: &str = "DISPLAY_NAME = 'Macs'\nTIME_ZONE = 'Europe/London'\nPLUGIN_ORDER = ['Status']\nSECRET_KEY = 'hunter2'\nDEBUG = x()\n";

    #[test]
    fn what_a_mounted_settings_file_sets_and_does_not_count_is_told() {
        for folder in FOLDERS {
            let told = lines(folder, &[("settings.py", SETTINGS)], &[]);
            assert_eq!(told.len(), 4, "{told:?}");
            assert!(told[0].contains("sal import-settings"), "{told:?}");
            assert!(
                told[1].contains(
                    "line 1: DISPLAY_NAME does not count; set DOCKER_SAL_DISPLAY_NAME=Macs"
                ),
                "{told:?}"
            );
            assert!(told[2].contains("line 3: PLUGIN_ORDER"), "{told:?}");
            assert!(told[3].contains("line 5: DEBUG"), "{told:?}");
            assert!(!told.concat().contains("hunter2"), "{told:?}");
        }
    }

    #[test]
    fn a_file_whose_settings_count_is_not_spoken_of() {
        let file = [(
            "settings.py",
            "DISPLAY_NAME = 'Macs'\nADD_NEW_MACHINES = True\n",
        )];
        let set = [("DOCKER_SAL_DISPLAY_NAME", "Macs")];
        assert!(lines(FOLDERS[0], &file, &set).is_empty());
        assert_eq!(lines(FOLDERS[0], &file, &[]).len(), 2);
        assert!(lines("elsewhere", &file, &[]).is_empty());
    }

    #[test]
    fn a_file_that_cannot_be_read_and_metadata_of_saml_are_told_in_a_line_each() {
        let files = [
            ("settings.py", "X = '"),
            ("metadata.xml", "<EntityDescriptor/>"),
        ];
        let told = lines(FOLDERS[1], &files, &[]);
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].contains("line 1: a string begins here"), "{told:?}");
        assert!(told[1].contains("SAML"), "{told:?}");
        let many: String = (0..100).map(|n| format!("OWN_{n} = {n}\n")).collect();
        let told = lines(FOLDERS[0], &[("settings.py", &many)], &[]);
        assert_eq!(told.len(), MOST_LINES + 2);
        assert!(told[MOST_LINES + 1].ends_with("and 60 more"), "{told:?}");
    }
}
