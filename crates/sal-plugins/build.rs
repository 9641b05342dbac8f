//! Lists the folders under `plugins/` with their files, so that a built-in plugin is registered
//! by being there. The list is Rust text with `include_str!`; nothing is read at run time.

use std::{fmt::Write as _, fs, io, path::Path};

fn main() -> io::Result<()> {
    // Asked for at run time: a build script may be reused for a copy of the tree in another place.
    #[expect(
        clippy::disallowed_methods,
        reason = "cargo talks to build scripts through the environment"
    )]
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default();
    let plugins = Path::new(&manifest).join("../../plugins");
    println!("cargo::rerun-if-changed={}", plugins.display());
    let mut text = String::from("&[\n");
    for name in names_in(&plugins)? {
        let folder = plugins.join(&name);
        let Ok(plugin_toml) = folder.join("plugin.toml").canonicalize() else {
            continue;
        };
        write_line(
            &mut text,
            format_args!(
                "Source {{ folder: {name:?}, plugin_toml: include_str!({plugin_toml:?}), scripts: &["
            ),
        )?;
        for script in names_in(&folder.join("scripts"))? {
            let path = folder.join("scripts").join(&script).canonicalize()?;
            write_line(
                &mut text,
                format_args!("    ({script:?}, include_str!({path:?})),"),
            )?;
        }
        write_line(&mut text, format_args!("] }},"))?;
    }
    text.push_str("]\n");
    #[expect(
        clippy::disallowed_methods,
        reason = "cargo tells a build script its output folder this way"
    )]
    let output = std::env::var("OUT_DIR").map_err(io::Error::other)?;
    fs::write(Path::new(&output).join("builtin.rs"), text)
}

fn write_line(text: &mut String, line: std::fmt::Arguments<'_>) -> io::Result<()> {
    writeln!(text, "{line}").map_err(io::Error::other)
}

/// The visible entries of a folder in alphabetical order; none when there is no such folder.
fn names_in(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry?.file_name().into_string();
        names.extend(name.ok().filter(|name| !name.starts_with(['.', '_'])));
    }
    names.sort();
    Ok(names)
}
