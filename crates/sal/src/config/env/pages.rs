//! The variables of pages: plugins, and who sees what.

use super::declaration::{Variable, flag, text};

pub(super) const VARIABLES: &[Variable] = &[
    flag(
        "DOCKER_SAL_ADD_TO_ALL_BUSINESS_UNITS",
        false,
        "Sal",
        "Whoever is logged in sees the machines of all business units.",
    ),
    text(
        "SAL_PLUGIN_DIR",
        "",
        "0.1",
        "Folder of your own plugins, a folder for each (settings.py: PLUGIN_DIR). Without it, /home/docker/sal/plugins or /home/app/sal/plugins where a volume with some is mounted there.",
    ),
    text(
        "SAL_LIMIT_PLUGIN_TO_FRONT_PAGE",
        "",
        "0.1",
        "Widgets that are on the overview of all machines only (settings.py: LIMIT_PLUGIN_TO_FRONT_PAGE).",
    ),
    text(
        "SAL_HIDE_PLUGIN_FROM_FRONT_PAGE",
        "",
        "0.1",
        "Widgets that are not on the overview of all machines (settings.py: HIDE_PLUGIN_FROM_FRONT_PAGE).",
    ),
    text(
        "SAL_HIDE_PLUGIN_FROM_BUSINESS_UNIT",
        "",
        "0.1",
        "Widgets and the ids of business units that do not show them, as in `Uptime=1,2; Sip=3` (settings.py: HIDE_PLUGIN_FROM_BUSINESS_UNIT).",
    ),
    text(
        "SAL_HIDE_PLUGIN_FROM_MACHINE_GROUP",
        "",
        "0.1",
        "The same for machine groups (settings.py: HIDE_PLUGIN_FROM_MACHINE_GROUP).",
    ),
    text(
        "DOCKER_SAL_ROOT_CA",
        "",
        "Sal",
        "File with the certificate authority of the Crypt server that the setting crypt_url names, in PEM form.",
    ),
];
