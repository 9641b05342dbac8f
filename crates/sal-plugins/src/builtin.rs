//! The plugins inside the program, as text. The build script lists them from `plugins/`.

use crate::format::Source;

/// Every folder under `plugins/` that has a `plugin.toml`, in alphabetical order.
pub(crate) const SOURCES: &[Source<'static>] = include!(concat!(env!("OUT_DIR"), "/builtin.rs"));
