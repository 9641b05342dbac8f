//! The frame around every page: name, navigation, search, theme, user.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, request::Parts},
};
use sal_http::{
    App, AppError,
    access::{Level, Viewer, session::cookie},
};

/// What the frame shows.
pub(crate) struct Shell {
    /// Name of the server.
    pub(crate) name: String,
    /// `auto`, `light` or `dark`.
    pub(crate) theme: &'static str,
    /// Title of the page.
    pub(crate) title: String,
    /// Which entry of the navigation is marked.
    pub(crate) section: Section,
    /// Who looks at it; nobody on the login page.
    pub(crate) user: Option<ShellUser>,
}

/// The person in the corner.
pub(crate) struct ShellUser {
    pub(crate) name: String,
    pub(crate) level: &'static str,
    /// Whether there are machines to search for.
    pub(crate) searches: bool,
    /// What the person can go to.
    pub(crate) navigation: Vec<Entry>,
}

/// An entry of the navigation.
pub(crate) struct Entry {
    pub(crate) section: Section,
    pub(crate) label: &'static str,
    pub(crate) href: &'static str,
    /// Path of the icon in a box of 20 by 20.
    pub(crate) icon: &'static str,
    /// Whether it begins the part for administrators.
    pub(crate) begins_admin: bool,
}

/// A part of the site; each has an entry in the navigation, [`Section::None`] excepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    Overview,
    Devices,
    History,
    Trends,
    Searches,
    Software,
    Updates,
    Reports,
    Activity,
    Licences,
    Users,
    Database,
    Settings,
    None,
}

/// The theme that the browser asks for by cookie.
#[derive(Clone, Copy)]
pub(crate) struct Theme(pub(crate) &'static str);

impl Theme {
    /// Reads a theme's name; anything unknown follows the system.
    pub(crate) fn parse(name: &str) -> Self {
        Self(match name {
            "light" => "light",
            "dark" => "dark",
            _ => "auto",
        })
    }

    fn from_headers(headers: &HeaderMap) -> Self {
        Self::parse(cookie(headers, THEME_COOKIE).unwrap_or_default())
    }
}

impl<S: Sync> FromRequestParts<S> for Theme {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, AppError> {
        Ok(Self::from_headers(&parts.headers))
    }
}

impl Shell {
    /// The frame of a page for a person.
    pub(crate) fn of(
        viewer: &Viewer,
        theme: Theme,
        section: Section,
        title: &str,
        app: &App,
    ) -> Self {
        let user = ShellUser {
            name: viewer.name.clone(),
            level: viewer.level.title(),
            searches: viewer.sees_machines(),
            navigation: navigation(viewer),
        };
        Self {
            user: Some(user),
            section,
            ..Self::anonymous(theme, title, app)
        }
    }

    /// The frame of a page for anybody.
    pub(crate) fn anonymous(theme: Theme, title: &str, app: &App) -> Self {
        Self {
            name: app.config.display_name.clone(),
            theme: theme.0,
            title: title.to_owned(),
            section: Section::None,
            user: None,
        }
    }

    /// Whether an entry of the navigation is the current one.
    pub(crate) fn is(&self, section: Section) -> bool {
        self.section == section
    }
}

/// What this person can go to, in order.
fn navigation(viewer: &Viewer) -> Vec<Entry> {
    let is_admin = viewer.level == Level::GlobalAdmin;
    let may = |section| match section {
        Section::Devices | Section::History | Section::Updates | Section::Software => {
            viewer.level >= Level::ReadOnly
        }
        Section::Activity | Section::Licences | Section::Database | Section::Settings => is_admin,
        Section::Users => is_admin && viewer.is_staff,
        Section::Overview
        | Section::Trends
        | Section::Searches
        | Section::Reports
        | Section::None => true,
    };
    let first_for_admins = ENTRIES.iter().find(|(section, ..)| {
        matches!(section, Section::Activity | Section::Licences) && may(*section)
    });
    let first_for_admins = first_for_admins.map(|(section, ..)| *section);
    ENTRIES
        .into_iter()
        .filter(|(section, ..)| may(*section))
        .map(|(section, label, href, icon)| Entry {
            section,
            label,
            href,
            icon,
            begins_admin: first_for_admins == Some(section),
        })
        .collect()
}

/// Section, label, address, path of the icon.
const ENTRIES: [(Section, &str, &str, &str); 13] = [
    (
        Section::Overview,
        "Overview",
        "/",
        "M3 10h6V3H3zm8 7h6v-7h-6zM3 17h6v-4H3zm8-14v4h6V3z",
    ),
    (
        Section::Devices,
        "Machines",
        "/machines/",
        "M4 4h12v9H4zM2 16h16",
    ),
    (
        Section::History,
        "Changes",
        "/machines/changes/",
        "M10 4v6l4 2M10 2a8 8 0 1 0 8 8",
    ),
    (
        Section::Searches,
        "Searches",
        "/search/list/",
        "M8 14a6 6 0 1 0 0-12a6 6 0 1 0 0 12zm4-2l6 6",
    ),
    (
        Section::Software,
        "Software",
        "/inventory/",
        "M3 6l7-3 7 3v8l-7 3-7-3zm0 0l7 3 7-3M10 9v8",
    ),
    (
        Section::Updates,
        "Updates",
        "/updates/",
        "M10 3v10m-4-4l4 4 4-4M4 17h12",
    ),
    (
        Section::Reports,
        "Reports",
        "/reports/",
        "M4 17V9m4 8V4m4 13v-6m4 6V7",
    ),
    (
        Section::Trends,
        "Trends",
        "/trends/",
        "M3 14l5-5 3 3 6-7m-4 0h4v4",
    ),
    (
        Section::Activity,
        "Activity",
        "/activity/",
        "M2 10h4l2-6 4 12 2-6h4",
    ),
    (
        Section::Licences,
        "Licences",
        "/licenses/",
        "M3 5h14v10H3zM6 9h5M6 12h3m5-3v3",
    ),
    (
        Section::Users,
        "Users",
        "/settings/users/",
        "M7 9a3 3 0 1 0 0-6 3 3 0 0 0 0 6zm-5 8c0-6 10-6 10 0m1-8a2.5 2.5 0 1 0 0-5m1 13h4c0-4-2-5-4-5",
    ),
    (
        Section::Database,
        "Database",
        "/database/",
        "M4 5c0-3 12-3 12 0v10c0 3-12 3-12 0zm0 0c0 3 12 3 12 0M4 10c0 3 12 3 12 0",
    ),
    (
        Section::Settings,
        "Settings",
        "/settings/",
        "M3 6h5m5 0h4M3 14h3m5 0h6M8 6a2.5 2.5 0 1 0 5 0a2.5 2.5 0 1 0-5 0M6 14a2.5 2.5 0 1 0 5 0a2.5 2.5 0 1 0-5 0",
    ),
];

/// Name of the cookie that keeps the theme.
pub(crate) const THEME_COOKIE: &str = "sal_theme";
