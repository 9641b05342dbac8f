//! Gives each asset a name with the hash of its contents, so that browsers may keep it forever.

use std::{env, fmt::Write as _, fs, io, path::Path};

use sha2::{Digest, Sha256};

/// Name of the constant, path under `assets/`, media type.
const ASSETS: [(&str, &str, &str); 4] = [
    ("SAL_CSS", "sal.css", "text/css; charset=utf-8"),
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
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default();
    let folder = Path::new(&manifest).join("assets");
    let mut constants = String::new();
    let mut list = String::from("pub(crate) const ALL: &[Asset] = &[\n");
    for (constant, path, media_type) in ASSETS {
        let file = folder.join(path);
        println!("cargo::rerun-if-changed={}", file.display());
        let hash = Sha256::digest(fs::read(&file)?);
        let hash: String = hash
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let name = path.rsplit('/').next().unwrap_or(path);
        let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
        let hashed = format!("{stem}-{hash}.{extension}");
        writeln!(
            constants,
            "/// URL of `{path}`.\npub(crate) const {constant}: &str = \"/static/{hashed}\";"
        )
        .map_err(io::Error::other)?;
        writeln!(
            list,
            "    Asset {{ name: {hashed:?}, media_type: {media_type:?}, tag: {:?}, bytes: include_bytes!({file:?}) }},",
            format!("\"{hash}\""),
        )
        .map_err(io::Error::other)?;
    }
    list.push_str("];\n");
    #[expect(
        clippy::disallowed_methods,
        reason = "cargo tells a build script its output folder this way"
    )]
    let output = env::var("OUT_DIR").map_err(io::Error::other)?;
    fs::write(Path::new(&output).join("assets.rs"), constants + &list)
}
