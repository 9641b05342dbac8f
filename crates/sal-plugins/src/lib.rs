//! Plugins: what a `plugin.toml` declares becomes widgets, lists and client scripts.
//!
//! A plugin only declares; conditions are compiled to [`sal_query`], the database is asked in
//! `sal-store`, and pages are drawn in `sal-web`. A built-in plugin is a folder under `plugins/`
//! and nothing special. Start at [`registry`]; [`format`] says what a file may contain.

mod builtin;
pub mod format;
pub mod plugin;
pub mod registry;
pub mod script;
pub mod version;

pub use format::PluginError;
pub use plugin::{
    Bucket, BucketDrawing, Filter, GroupBy, GroupSort, Kind, OsFamily, Panel, Plugin, Style,
};
pub use registry::{EnabledPlugins, Registry};
pub use script::{Script, ScriptRef};
