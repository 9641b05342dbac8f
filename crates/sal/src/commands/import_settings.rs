//! `sal import-settings`: a settings.py of Django Sal as environment variables.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::json;

use crate::cli::ImportSettings;
use crate::exit::Exit;
use crate::output;
use crate::settings_py::{self, Findings, Note};

/// Runs it.
pub(crate) fn run(arguments: &ImportSettings) -> Result<Exit> {
    let text = match arguments.file.as_os_str() == "-" {
        true => text_of(io::stdin().lock(), "standard input")?,
        false => text_of_file(&arguments.file)?,
    };
    let shown = arguments.file.display();
    let findings = settings_py::read(&text).with_context(|| {
        format!("{shown} is not read: a settings.py is a file in Python that Django Sal can import")
    })?;
    match arguments.json {
        true => output::data(&report(&findings)?),
        false => tell(&findings),
    }
    Ok(match findings.not_understood.is_empty() {
        true => Exit::Done,
        false => Exit::FoundProblems,
    })
}

/// The text of a settings file.
///
/// # Errors
/// When it is no such file, with its name.
pub(crate) fn text_of_file(path: &Path) -> Result<String> {
    let shown = path.display();
    let kind = fs::metadata(path).with_context(|| format!("reading {shown}"))?;
    if kind.is_dir() {
        bail!("{shown} is a folder; name the settings.py in it");
    }
    let file = fs::File::open(path).with_context(|| format!("reading {shown}"))?;
    text_of(file, &shown.to_string())
}

fn text_of(from: impl Read, shown: &str) -> Result<String> {
    let mut bytes = Vec::new();
    from.take(settings_py::MOST_BYTES + 1)
        .read_to_end(&mut bytes)
        .with_context(|| format!("reading {shown}"))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > settings_py::MOST_BYTES) {
        bail!(
            "{shown} is larger than {} KiB, and is no settings.py",
            settings_py::MOST_BYTES / 1024
        );
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(_error) => {
            bail!("{shown} is not UTF-8; save it so, or check that it is the right file")
        }
    }
}

fn tell(findings: &Findings) {
    let lines = findings
        .environment
        .iter()
        .map(|(variable, found)| format!("{variable}={}", found.value));
    let lines: Vec<_> = lines.collect();
    if !lines.is_empty() {
        output::data(&lines.join("\n"));
    }
    let read_otherwise = |value: &str| value.contains(['\\', '$', '#', '"', '\'', '`']);
    let otherwise = findings
        .environment
        .iter()
        .filter(|(_, found)| read_otherwise(&found.value))
        .map(|(variable, _)| *variable);
    let otherwise: Vec<_> = otherwise.collect();
    if !otherwise.is_empty() {
        output::note(&format!(
            "These lines are for `docker --env-file` and `podman --env-file`, which take them as they are: {}. In systemd's EnvironmentFile write every \\ twice and put the value in double quotes; in Compose's env_file put it in single quotes.",
            otherwise.join(", ")
        ));
    }
    list("Set these yourself:", &findings.yourself);
    list("No counterpart here:", &findings.no_equivalent);
    list("Not understood:", &findings.not_understood);
    if !findings.nothing.is_empty() {
        let names: Vec<_> = findings.nothing.iter().map(String::as_str).collect();
        output::note(&format!("Nothing to do for: {}.", names.join(", ")));
    }
    if lines.is_empty() && findings.yourself.is_empty() {
        output::note("The file sets nothing that a variable of this server is for.");
    }
}

fn list(heading: &str, notes: &[Note]) {
    if notes.is_empty() {
        return;
    }
    output::note(heading);
    for note in notes {
        output::note(&format!(
            "  line {}, {}: {}",
            note.line, note.name, note.why
        ));
    }
}

fn report(findings: &Findings) -> Result<String> {
    let environment: serde_json::Map<_, _> = findings
        .environment
        .iter()
        .map(|(variable, found)| {
            let value = json!({
                "value": found.value, "setting": found.setting, "line": found.line,
            });
            ((*variable).to_owned(), value)
        })
        .collect();
    let notes = |notes: &[Note]| -> Vec<_> {
        let value = |note: &Note| json!({"name": note.name, "line": note.line, "why": note.why});
        notes.iter().map(value).collect()
    };
    let report = json!({
        "environment": environment,
        "set_yourself": notes(&findings.yourself),
        "no_counterpart": notes(&findings.no_equivalent),
        "not_understood": notes(&findings.not_understood),
        "nothing_to_do": findings.nothing,
    });
    serde_json::to_string_pretty(&report).context("writing the report")
}
