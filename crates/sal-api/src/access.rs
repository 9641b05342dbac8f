//! Who asks: a program with a pair of keys, or a global admin with a session.
//!
//! Whoever may read holds an [`ApiRead`], whoever may change an [`ApiWrite`]; only this module makes them.

use axum::http::{HeaderMap, request::Parts};
use sal_http::{
    App, AppError,
    access::{Level, session::SessionCookie, viewer::Viewer},
    db::program_client,
    origin::Origin,
};
use sal_store::{
    api_keys::authenticate,
    ids::{ApiKeyId, UserId},
    scope::Scope,
};

use crate::error::ApiError;

/// Who was recognized.
pub(crate) enum Caller {
    /// A program; whether it may change things.
    Key {
        id: ApiKeyId,
        name: String,
        read_write: bool,
    },
    /// A person with a session.
    Person(Viewer),
}

/// May read, in this scope.
pub(crate) struct ApiRead {
    pub(crate) scope: Scope,
    /// Whose walk through a list it is.
    pub(crate) walker: String,
}

/// May change things.
pub(crate) struct ApiWrite {
    pub(crate) scope: Scope,
    /// For the audit log.
    pub(crate) user: Option<UserId>,
    /// For the audit log.
    pub(crate) name: String,
}

impl ApiRead {
    fn of(walker: String) -> Self {
        Self {
            scope: Scope::All,
            walker,
        }
    }
}

impl Caller {
    /// Recognizes the caller: a session first, as Django REST framework does.
    ///
    /// # Errors
    /// [`ApiError::NoCredentials`] and [`ApiError::InvalidKey`].
    pub(crate) async fn find(parts: &Parts, app: &App) -> Result<Self, ApiError> {
        if let Some(viewer) = person(parts, app).await? {
            return Ok(Self::Person(viewer));
        }
        let (public, private) = keys(&parts.headers)?;
        let db = program_client(app).await?;
        let found = authenticate(&db, public, private).await?;
        let key = found.into_iter().next().ok_or(ApiError::InvalidKey)?;
        Ok(Self::Key {
            id: key.id,
            name: key.name,
            read_write: key.read_write,
        })
    }

    /// # Errors
    /// [`ApiError::Forbidden`] for persons below global admin.
    pub(crate) fn read(&self) -> Result<ApiRead, ApiError> {
        match self {
            Self::Person(viewer) if viewer.level != Level::GlobalAdmin => Err(ApiError::Forbidden),
            Self::Key { id, .. } => Ok(ApiRead::of(format!("key {id}"))),
            Self::Person(viewer) => Ok(ApiRead::of(format!("user {}", viewer.id))),
        }
    }

    /// # Errors
    /// [`ApiError::Forbidden`] for keys that may only read, and persons below global admin.
    pub(crate) fn write(&self) -> Result<ApiWrite, ApiError> {
        match self {
            Self::Key {
                name,
                read_write: true,
                ..
            } => Ok(ApiWrite {
                scope: Scope::All,
                user: None,
                name: format!("API key {name}"),
            }),
            Self::Person(viewer) if viewer.level == Level::GlobalAdmin => Ok(ApiWrite {
                scope: Scope::All,
                user: Some(viewer.id),
                name: viewer.name.clone(),
            }),
            Self::Key { .. } | Self::Person(_) => Err(ApiError::Forbidden),
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

/// Both parts; one alone is a wrong key, and an empty header is none.
fn keys(headers: &HeaderMap) -> Result<(&str, &str), ApiError> {
    let part = |name: &str| match headers.get(name).map(|value| value.to_str()) {
        None | Some(Ok("")) => Ok(None),
        Some(Ok(text)) => Ok(Some(text)),
        Some(Err(_)) => Err(ApiError::InvalidKey),
    };
    match (part("publickey")?, part("privatekey")?) {
        (None, None) => Err(ApiError::NoCredentials),
        (Some(public), Some(private)) => Ok((public, private)),
        (Some(_), None) | (None, Some(_)) => Err(ApiError::InvalidKey),
    }
}
