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
    pub(crate) is_admin: bool,
}

/// An entry of the navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    Overview,
    Devices,
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
            is_admin: viewer.level == Level::GlobalAdmin,
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

/// Name of the cookie that keeps the theme.
pub(crate) const THEME_COOKIE: &str = "sal_theme";
