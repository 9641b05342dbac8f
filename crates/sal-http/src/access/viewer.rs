//! The viewer: a person who is logged in, with level and scope.
//!
//! Extractors turn a request without the needed right away before the handler runs: to the login page without a
//! session, to the overview with too low a level, as Sal does (sal-ui, "Levels").

use axum::{
    extract::FromRequestParts,
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use sal_store::{ids::UserId, scope::Scope, sessions::SessionViewer};

use crate::{
    access::session::SessionCookie, app::App, django, error::AppError, origin::is_https,
    turns::Kept,
};

/// What a viewer may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// `SO`: sees numbers, no machines (Q-050; Sal treats it as [`Level::ReadOnly`]).
    StatsOnly,
    /// `RO`: sees the machines of the own units.
    ReadOnly,
    /// `RW`: also changes them.
    ReadWrite,
    /// `GA`: sees and changes everything.
    GlobalAdmin,
}

impl Level {
    /// All of them, the lowest first.
    pub const ALL: [Self; 4] = [
        Self::StatsOnly,
        Self::ReadOnly,
        Self::ReadWrite,
        Self::GlobalAdmin,
    ];

    /// The two letters in the database.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::StatsOnly => "SO",
            Self::ReadOnly => "RO",
            Self::ReadWrite => "RW",
            Self::GlobalAdmin => "GA",
        }
    }

    /// The words for people.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::StatsOnly => "Stats only",
            Self::ReadOnly => "Read only",
            Self::ReadWrite => "Read and write",
            Self::GlobalAdmin => "Global admin",
        }
    }

    /// Reads the two letters of a form.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.code() == code)
    }

    /// The level of a user as the database has it. The only user of a database is its administrator, also before the first
    /// visit of the overview.
    #[must_use]
    pub fn of_user(code: Option<&str>, is_superuser: bool, is_only_user: bool) -> Self {
        if is_only_user && is_superuser {
            Self::GlobalAdmin
        } else {
            Self::from_code(code.unwrap_or("RO"))
        }
    }

    /// Reads the two letters of the database; anything else is the lowest level.
    #[must_use]
    pub fn from_code(code: &str) -> Self {
        Self::parse(code).unwrap_or(Self::StatsOnly)
    }
}

/// A person who is logged in.
#[derive(Clone, Debug)]
pub struct Viewer {
    /// Row in `auth_user`.
    pub id: UserId,
    /// User name.
    pub name: String,
    /// What the person may do.
    pub level: Level,
    /// Which machines the person may see.
    pub scope: Scope,
    /// May manage users.
    pub is_staff: bool,
}

/// A viewer who may see machines, not only their numbers: anybody but [`Level::StatsOnly`].
#[derive(Clone, Debug)]
pub struct SeesMachines(pub Viewer);

/// A viewer who may change machines.
#[derive(Clone, Debug)]
pub struct ReadWrite(pub Viewer);

/// A viewer who may do everything.
#[derive(Clone, Debug)]
pub struct GlobalAdmin(pub Viewer);

/// A global admin who may also manage people (`is_staff`).
#[derive(Clone, Debug)]
pub struct Staff(pub Viewer);

/// Why a person is turned away.
#[derive(Debug)]
pub enum Refused {
    /// The level is too low: back to the overview.
    LevelTooLow,
    /// Anything else.
    Error(AppError),
}

impl From<SessionViewer> for Viewer {
    fn from(found: SessionViewer) -> Self {
        let level = Level::of_user(found.level.as_deref(), found.is_superuser, found.only_user);
        let scope = match level {
            Level::GlobalAdmin => Scope::All,
            _ => Scope::Units(found.units),
        };
        Self {
            id: found.id,
            name: found.username,
            level,
            scope,
            is_staff: found.is_staff,
        }
    }
}

impl Viewer {
    /// Whether the person may see machines, not only their numbers.
    #[must_use]
    pub fn sees_machines(&self) -> bool {
        self.level >= Level::ReadOnly
    }

    /// Whether the person may do everything.
    #[must_use]
    pub fn is_global_admin(&self) -> bool {
        self.level == Level::GlobalAdmin
    }
}

impl FromRequestParts<App> for Viewer {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, AppError> {
        if let Some(cookie) = SessionCookie::from_headers(&parts.headers, is_https(parts, app))
            && let Some(found) = cookie.viewer(app).await?
        {
            let mut viewer = Self::from(found);
            if let Some(kept) = parts.extensions.get::<Kept>() {
                app.turns().take(viewer.id, kept).await?;
            }
            if app.config.all_units {
                // seen, without rows of membership that would stay when the setting goes.
                viewer.scope = Scope::All;
            }
            return Ok(viewer);
        }
        let next = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        Err(AppError::LoginNeeded {
            next: next.to_owned(),
            is_part: parts.headers.contains_key("hx-request"),
        })
    }
}

impl FromRequestParts<App> for SeesMachines {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, AppError> {
        let viewer = Viewer::from_request_parts(parts, app).await?;
        if !viewer.sees_machines() {
            return Err(AppError::StatsOnly);
        }
        Ok(Self(viewer))
    }
}

impl FromRequestParts<App> for ReadWrite {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refused> {
        at_least(Level::ReadWrite, parts, app).await.map(Self)
    }
}

impl FromRequestParts<App> for GlobalAdmin {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refused> {
        at_least(Level::GlobalAdmin, parts, app).await.map(Self)
    }
}

impl FromRequestParts<App> for Staff {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refused> {
        let viewer = at_least(Level::GlobalAdmin, parts, app).await?;
        if !viewer.is_staff {
            return Err(Refused::LevelTooLow);
        }
        Ok(Self(viewer))
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        match self {
            Self::LevelTooLow => {
                let mut response = django::answer(StatusCode::FOUND, "");
                let home = HeaderValue::from_static("/");
                response.headers_mut().insert(header::LOCATION, home);
                response
            }
            Self::Error(error) => error.into_response(),
        }
    }
}

async fn at_least(level: Level, parts: &mut Parts, app: &App) -> Result<Viewer, Refused> {
    let viewer = Viewer::from_request_parts(parts, app)
        .await
        .map_err(Refused::Error)?;
    if viewer.level < level {
        return Err(Refused::LevelTooLow);
    }
    Ok(viewer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(level: Option<&str>, is_superuser: bool, only_user: bool) -> Viewer {
        SessionViewer {
            id: UserId(1),
            username: "anna".to_owned(),
            is_staff: false,
            is_superuser,
            level: level.map(str::to_owned),
            units: vec![3],
            only_user,
            is_active: true,
            last_seen: jiff::Timestamp::UNIX_EPOCH,
        }
        .into()
    }

    #[test]
    fn only_global_admins_see_all_units() {
        assert_eq!(found(Some("GA"), false, false).scope, Scope::All);
        for level in [Some("SO"), Some("RO"), Some("RW"), None, Some("??")] {
            assert_eq!(found(level, true, false).scope, Scope::Units(vec![3]));
        }
    }

    #[test]
    fn a_single_superuser_is_global_admin_and_a_single_plain_user_is_not() {
        assert_eq!(found(None, true, true).level, Level::GlobalAdmin);
        assert_eq!(found(Some("RO"), true, true).level, Level::GlobalAdmin);
        assert_eq!(found(None, false, true).level, Level::ReadOnly);
    }
}
