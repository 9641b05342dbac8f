//! The programs that judge the files, as `./dev test` installs them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// `deploy/`.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../deploy")
        .canonicalize()
        .unwrap()
}

/// A file below `deploy/`.
pub(crate) fn path(below: &str) -> String {
    folder().join(below).to_str().unwrap().to_owned()
}

/// The text of a file below `deploy/`.
pub(crate) fn text(below: &str) -> String {
    std::fs::read_to_string(path(below)).unwrap()
}

/// Every file below `deploy/`.
pub(crate) fn files() -> Vec<PathBuf> {
    let mut folders = vec![folder()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => found.push(path),
            }
        }
    }
    assert!(found.len() > 25, "{found:?}");
    found
}

/// One of the checkers, ready for its arguments.
pub(crate) fn checker(name: &str) -> Command {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test asks where `./dev test` put its tools"
    )]
    let tools = std::env::var("SAL_TESTS_DEPLOY");
    let tools = tools.unwrap_or_else(|_unset| "/var/tmp/sal-tests-deploy".to_owned());
    let program = Path::new(&tools).join("bin").join(name);
    assert!(
        program.is_file(),
        "{} is not there; `./dev test` installs it (need_deploy_checkers)",
        program.display()
    );
    let mut command = Command::new(program);
    let home = std::env::temp_dir();
    command
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", home)
        .current_dir(folder());
    command
}

/// What it said, however it ended.
pub(crate) fn said(output: &Output) -> String {
    let [out, err] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    format!("{out}{err}")
}

/// Runs it; it has to end well.
pub(crate) fn passes(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}\n{}", said(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// Runs it; it has to refuse with these words.
pub(crate) fn refuses(command: &mut Command, words: &str) {
    let output = command.output().unwrap();
    let said = said(&output);
    assert!(!output.status.success(), "{command:?}\n{said}");
    assert!(said.contains(words), "{command:?}\n{said}");
}

/// Files as JSON, by their paths; `kind` as `read.py` takes it.
pub(crate) fn read(kind: &str, paths: &[String]) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/deployments/read.py");
    let mut command = checker("python");
    let printed = passes(command.arg(script).arg(kind).args(paths));
    serde_json::from_str(&printed).unwrap()
}

/// The chart with an example's values, as JSON objects.
pub(crate) fn rendered(example: &str, more: &[&str]) -> Vec<Value> {
    let printed = passes(&mut template(example, more));
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), printed).unwrap();
    let path = file.path().to_str().unwrap().to_owned();
    let read = read("yaml", std::slice::from_ref(&path));
    read[&path].as_array().unwrap().clone()
}

/// `helm template` with an example's values.
pub(crate) fn template(example: &str, more: &[&str]) -> Command {
    let mut command = checker("helm");
    command
        .args(["template", "sal", "helm/sal", "--namespace", "sal"])
        .args(["--values", &format!("helm/sal/ci/{example}")])
        .args(more);
    command
}
