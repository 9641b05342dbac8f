//! Who asks: a program with a token or a pair of keys, or a global admin with a session.
//!
//! Whoever may read holds an [`ApiRead`], whoever may change an [`ApiWrite`]; only this module makes them. Both have the
//! scope that everything read and written below is held to.

mod keys;
mod token;
mod uses;

use axum::http::request::Parts;
use sal_http::{
    App, AppError,
    access::{Level, session::SessionCookie, viewer::Viewer},
    origin::Origin,
};
use sal_store::{
    ids::{ApiKeyId, UnitId, UserId},
    resources::{MACHINE_GROUPS, MACHINE_GROUPS_WITHOUT_KEYS, Resource},
    scope::Scope,
    searches::Asker,
};

use crate::{error::ApiError, write::once::Once};
use token::Token;

pub(crate) use uses::TokenUses;

/// Who was recognized.
pub(crate) enum Caller {
    /// A program with a token.
    Token(Token),
    /// A program with one of Sal's keys; whether it may change things.
    Key {
        id: ApiKeyId,
        name: String,
        read_write: bool,
    },
    /// A person with a session.
    Person(Viewer),
}

/// Whether somebody sees the keys of machine groups, with which machines are let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keys {
    Shown,
    Hidden,
}

/// May read, in this scope.
pub(crate) struct ApiRead {
    pub(crate) scope: Scope,
    /// Whose walk through a list it is.
    pub(crate) walker: String,
    keys: Keys,
}

/// May change things, in this scope.
pub(crate) struct ApiWrite {
    pub(crate) scope: Scope,
    /// For the audit log.
    pub(crate) user: Option<UserId>,
    /// For the audit log.
    pub(crate) name: String,
    /// Whose request it is, among those that named themselves.
    pub(crate) walker: String,
    /// The request, where it named itself.
    pub(crate) once: Option<Once>,
    keys: Keys,
}

impl ApiRead {
    /// Which saved searches it may use: all of them, or those that whoever sees these units does.
    pub(crate) fn asker(&self) -> Asker<'_> {
        Asker {
            user: None,
            scope: &self.scope,
            is_admin: self.scope == Scope::All,
        }
    }

    /// The resource as it may be shown: without keys, where these are not to be seen.
    pub(crate) fn shown(&self, resource: &'static Resource) -> &'static Resource {
        shown(resource, self.keys)
    }
}

impl ApiWrite {
    /// Who may change may also see.
    pub(crate) fn read(&self) -> ApiRead {
        ApiRead {
            scope: self.scope.clone(),
            walker: self.walker.clone(),
            keys: self.keys,
        }
    }

    /// As [`ApiRead::shown`].
    pub(crate) fn shown(&self, resource: &'static Resource) -> &'static Resource {
        shown(resource, self.keys)
    }

    /// Whether what is in this unit may be changed.
    pub(crate) fn has(&self, unit: UnitId) -> bool {
        self.scope
            .units()
            .is_none_or(|units| units.contains(&unit.0))
    }
}

fn shown(resource: &'static Resource, keys: Keys) -> &'static Resource {
    match keys {
        Keys::Hidden if *resource == MACHINE_GROUPS => &MACHINE_GROUPS_WITHOUT_KEYS,
        Keys::Hidden | Keys::Shown => resource,
    }
}

impl Caller {
    /// Recognizes the caller: by a token where one is shown, else by a session first, as Django REST framework does.
    ///
    /// # Errors
    /// [`ApiError::NoCredentials`], [`ApiError::InvalidKey`], and what is wrong with a token.
    pub(crate) async fn find(parts: &Parts, uses: &TokenUses, app: &App) -> Result<Self, ApiError> {
        if let Some(shown) = token::bearer(&parts.headers) {
            return token::find(shown, parts, uses, app).await;
        }
        if let Some(viewer) = person(parts, app).await? {
            return Ok(Self::Person(viewer));
        }
        keys::find(parts, app).await
    }

    /// Recognizes a program by its token, and by nothing else.
    ///
    /// # Errors
    /// [`ApiError::TokenNeeded`], and what is wrong with a token.
    pub(crate) async fn with_token(
        parts: &Parts,
        uses: &TokenUses,
        app: &App,
    ) -> Result<Self, ApiError> {
        let shown = token::bearer(&parts.headers).ok_or(ApiError::TokenNeeded)?;
        token::find(shown, parts, uses, app).await
    }

    /// For the log: the number and the name of a token, or what it is instead.
    pub(crate) fn called(&self) -> (String, &str) {
        let name = match self {
            Self::Token(token) => &token.name,
            Self::Key { name, .. } => name,
            Self::Person(viewer) => &viewer.name,
        };
        (self.walker(), name)
    }

    /// # Errors
    /// [`ApiError::Forbidden`] for persons below global admin.
    pub(crate) fn read(&self, app: &App) -> Result<ApiRead, ApiError> {
        let scope = match self {
            Self::Person(viewer) if viewer.level != Level::GlobalAdmin => {
                return Err(ApiError::Forbidden);
            }
            Self::Token(token) => token.scope.clone(),
            Self::Key { .. } | Self::Person(_) => Scope::All,
        };
        Ok(ApiRead {
            scope,
            walker: self.walker(),
            keys: self.keys(app),
        })
    }

    /// # Errors
    /// [`ApiError::Forbidden`] for keys that may only read, and persons below global admin; [`ApiError::ReadOnlyToken`].
    pub(crate) fn write(&self, app: &App) -> Result<ApiWrite, ApiError> {
        let (scope, user, name) = match self {
            Self::Token(token) if !token.can_write => return Err(ApiError::ReadOnlyToken),
            Self::Token(token) => (
                token.scope.clone(),
                Some(token.owner),
                format!("API token {}", token.name),
            ),
            Self::Key {
                name,
                read_write: true,
                ..
            } => (Scope::All, None, format!("API key {name}")),
            Self::Person(viewer) if viewer.level == Level::GlobalAdmin => {
                (Scope::All, Some(viewer.id), viewer.name.clone())
            }
            Self::Key { .. } | Self::Person(_) => return Err(ApiError::Forbidden),
        };
        Ok(ApiWrite {
            scope,
            user,
            name,
            walker: self.walker(),
            once: None,
            keys: self.keys(app),
        })
    }

    /// A name that no other caller has.
    pub(crate) fn walker(&self) -> String {
        match self {
            Self::Token(token) => format!("token {}", token.id),
            Self::Key { id, .. } => format!("key {id}"),
            Self::Person(viewer) => format!("user {}", viewer.id),
        }
    }

    /// Whoever lets in a machine can put it anywhere: a key that may only read does not see how.
    fn keys(&self, app: &App) -> Keys {
        match self {
            Self::Token(token) => token.keys,
            Self::Key { read_write, .. } if !read_write && !app.config.show_group_keys => {
                Keys::Hidden
            }
            Self::Key { .. } | Self::Person(_) => Keys::Shown,
        }
    }
}

async fn person(parts: &Parts, app: &App) -> Result<Option<Viewer>, AppError> {
    let is_https = Origin::of(parts, app).is_https;
    let Some(cookie) = SessionCookie::from_headers(&parts.headers, is_https) else {
        return Ok(None);
    };
    Ok(cookie.viewer(app).await?.map(Viewer::from))
}
