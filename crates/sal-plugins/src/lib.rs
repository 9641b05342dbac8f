//! Plugins: what a `plugin.toml` declares becomes widgets, lists and client scripts.
//!
//! A plugin only declares; conditions are compiled to [`sal_query`], the database is asked in
//! `sal-store`, and pages are drawn in `sal-web`. A built-in plugin is a folder under `plugins/`
//! and nothing special. Start at [`registry`]; [`format`] says what a file may contain.

mod builtin;
pub mod detail;
pub mod directory;
pub mod format;
pub mod group_by;
pub mod panel;
pub mod plugin;
mod python;
pub mod registry;
pub mod script;
pub mod settings;
mod unrun;
pub mod version;
pub mod visibility;

pub use format::PluginError;
pub use group_by::{GroupBy, GroupSort};
pub use panel::{Bucket, BucketDrawing, Buckets, Filter, Panel, Style};
pub use plugin::{Kind, Origin, OsFamily, Plugin};
pub use registry::{EnabledPlugins, Registry};
pub use script::{Script, ScriptRef};
pub use settings::Settings;
pub use unrun::{Unrun, Why};
pub use visibility::Visibility;
