//! Joins the style sheets, and gives each asset a name with the hash of its contents, so that browsers may keep it
//! forever.

use std::{env, fmt::Write as _, fs, io, path::Path};

use sha2::{Digest, Sha256};

/// Name of the constant, path under `assets/`, media type.
const FILES: [(&str, &str, &str); 3] = [
    ("SAL_JS", "sal.js", "text/javascript; charset=utf-8"),
    (
        "HTMX_JS",
        "vendor/htmx.min.js",
        "text/javascript; charset=utf-8",
    ),
    ("ICON", "icon.svg", "image/svg+xml"),
];

fn main() -> io::Result<()> {
    // Asked for at run time: a build script may be reused for a copy of the tree in another place.
    #[expect(
        clippy::disallowed_methods,
        reason = "cargo talks to build scripts through the environment"
    )]
    let (manifest, output) = (
        env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default(),
        env::var_os("OUT_DIR").unwrap_or_default(),
    );
    let (assets, output) = (Path::new(&manifest).join("assets"), Path::new(&output));
    let styles = output.join("sal.css");
    fs::write(&styles, joined(&assets.join("styles"))?)?;
    let mut text = Text::default();
    text.add("SAL_CSS", &styles, "text/css; charset=utf-8")?;
    for (constant, path, media_type) in FILES {
        text.add(constant, &assets.join(path), media_type)?;
    }
    fs::write(output.join("assets.rs"), text.finish())
}

/// All style sheets of a folder in the order of their names: one file for each room.
fn joined(folder: &Path) -> io::Result<String> {
    println!("cargo::rerun-if-changed={}", folder.display());
    let entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    let mut files: Vec<_> = entries.into_iter().map(|entry| entry.path()).collect();
    files.sort();
    files.into_iter().map(fs::read_to_string).collect()
}

/// The Rust text that declares the assets.
#[derive(Default)]
struct Text {
    constants: String,
    list: String,
}

impl Text {
    fn add(&mut self, constant: &str, file: &Path, media_type: &str) -> io::Result<()> {
        println!("cargo::rerun-if-changed={}", file.display());
        let hash = Sha256::digest(fs::read(file)?);
        let hash: String = hash
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let (stem, extension) = name.rsplit_once('.').unwrap_or((&name, ""));
        let hashed = format!("{stem}-{hash}.{extension}");
        writeln!(
            self.constants,
            "/// URL of `{name}`.\npub(crate) const {constant}: &str = \"/static/{hashed}\";"
        )
        .map_err(io::Error::other)?;
        writeln!(
            self.list,
            "    Asset {{ name: {hashed:?}, media_type: {media_type:?}, tag: {:?}, bytes: include_bytes!({file:?}) }},",
            format!("\"{hash}\""),
        )
        .map_err(io::Error::other)
    }

    fn finish(self) -> String {
        let Self { constants, list } = self;
        format!("{constants}pub(crate) const ALL: &[Asset] = &[\n{list}];\n")
    }
}
