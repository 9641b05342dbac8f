//! Door 3: people talk to us. Pages rendered on the server, from plain HTML and our own style sheet.
//!
//! One file per group of URLs, with its handlers and page structs; templates lie under `templates/` by the same
//! names. Everything a page shows is prepared here as text, so that templates only loop and choose.
//! [`routes`] is what the assembly mounts.

mod assets;
mod audit;
mod confirm;
mod database;
mod device;
mod devices;
mod export;
mod first_group;
mod fleet_part;
mod given_name;
mod login;
mod oidc;
mod overview;
mod page;
mod places;
mod random_key;
mod settings;
mod setup;
mod shell;
mod theme;
mod wording;

use sal_http::Routes;

/// All pages and their assets.
pub fn routes() -> Routes {
    Routes::new()
        .merge(overview::routes())
        .merge(first_group::routes())
        .merge(places::routes())
        .merge(devices::routes())
        .merge(device::routes())
        .merge(database::routes())
        .merge(settings::routes())
        .merge(login::routes())
        .merge(oidc::routes())
        .merge(setup::routes())
        .merge(theme::routes())
        .merge(assets::routes())
}
