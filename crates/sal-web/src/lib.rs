//! Door 3: people talk to us. Pages rendered on the server, from plain HTML and our own style sheet.
//!
//! One file per group of URLs, with its handlers and page structs; templates lie under `templates/` by the same
//! names. Everything a page shows is prepared here as text, so that templates only loop and choose.
//! [`routes`] is what the assembly mounts.

mod activity;
mod api_reference;
mod assets;
mod audit;
pub mod background;
mod confirm;
mod counted;
mod database;
mod device;
mod devices;
mod export;
mod first_group;
mod fleet_part;
mod given_name;
mod inventory;
mod keyed_locks;
mod licences;
mod login;
mod login_notes;
mod machine;
mod machine_changes;
mod oidc;
mod old_addresses;
mod outbound;
mod overview;
mod page;
mod paging;
mod password;
mod places;
mod reports;
mod searches;
mod settings;
mod setup;
mod shell;
mod theme;
mod trends;
mod updates;
mod users;
mod widgets;
mod wording;

use axum::Extension;
use sal_http::Routes;

pub use api_reference::ApiDocument;

/// All pages and their assets.
pub fn routes() -> Routes {
    let counted = Routes::new()
        .merge(overview::routes())
        .merge(reports::routes())
        .merge(inventory::routes())
        .merge(updates::routes())
        .merge(trends::routes())
        .merge(settings::routes())
        .layer(Extension(widgets::Counting::default()));
    Routes::new()
        .merge(counted)
        .merge(api_reference::routes())
        .merge(first_group::routes())
        .merge(places::routes())
        .merge(devices::routes())
        .merge(machine_changes::routes())
        .merge(searches::routes())
        .merge(device::routes())
        .merge(licences::routes())
        .merge(database::routes())
        .merge(users::routes())
        .merge(activity::routes())
        .merge(login::routes())
        .merge(password::routes())
        .merge(oidc::routes())
        .merge(setup::routes())
        .merge(old_addresses::routes())
        .merge(theme::routes())
        .merge(assets::routes())
}
