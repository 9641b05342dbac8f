//! Routes that say of themselves whose they are, who may use them and what of their paths is secret. Slash redirects, the
//! log and the access matrix read it here, so that a new route is in none of them by hand.

use std::collections::HashMap;
use std::convert::Infallible;

use axum::{
    Router,
    extract::{MatchedPath, Request},
    http::Extensions,
    response::{IntoResponse, Response},
    routing::{MethodRouter, Route},
};
use tower::{Layer, Service};

use crate::App;

/// Who is talked to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Door {
    /// Most routes are pages.
    #[default]
    People,
    /// Clients on Macs.
    Machines,
    /// Programs, by the API.
    Programs,
    /// Orchestrators and monitoring.
    Health,
}

impl Door {
    /// For logs and metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::People => "people",
            Self::Machines => "machines",
            Self::Programs => "programs",
            Self::Health => "health",
        }
    }
}

/// Who may use a path at all; of people, each may what those before may. The handlers hold to it, by what they take; the
/// access matrix asks them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// Also whoever is not logged in.
    Anyone,
    /// Whoever is logged in, Stats Only included.
    Viewer,
    /// Read only and above.
    SeesMachines,
    /// Read and write, and above.
    ReadWrite,
    /// Global admins.
    GlobalAdmin,
    /// Global admins who may manage users.
    Staff,
    /// A machine with a group's key.
    GroupKey,
    /// A program with a token or Sal's keys, or a global admin; what it may change is in them.
    Program,
    /// A program with a token, and nothing else.
    Token,
    /// Whoever has the token of `SAL_STATUS_TOKEN`.
    StatusToken,
}

/// What a path says of itself.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// As it was given to [`Routes::route`].
    pub path: &'static str,
    /// Whose it is.
    pub door: Door,
    /// Who may use it.
    pub access: Access,
    /// The largest form it takes, where that is smaller than others are.
    pub form_bytes: Option<usize>,
}

/// Routes and what they say of themselves.
#[derive(Debug, Default)]
pub struct Routes {
    router: Router<App>,
    places: Vec<Place>,
    secret_after: Vec<&'static str>,
}

impl Routes {
    /// No routes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the handlers of a path, and who may use them.
    #[must_use]
    pub fn route(
        mut self,
        path: &'static str,
        access: Access,
        handlers: MethodRouter<App>,
    ) -> Self {
        self.router = self.router.route(path, handlers);
        self.places.push(Place {
            path,
            door: Door::default(),
            access,
            form_bytes: None,
        });
        self
    }

    /// Adds the routes of another.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.router = self.router.merge(other.router);
        self.places.extend(other.places);
        self.secret_after.extend(other.secret_after);
        self
    }

    /// Says whose all routes are that are here by now.
    #[must_use]
    pub fn behind(mut self, door: Door) -> Self {
        for place in &mut self.places {
            place.door = door;
        }
        self
    }

    /// Says that what follows this word of a path is secret.
    #[must_use]
    pub fn secret_after(mut self, word: &'static str) -> Self {
        self.secret_after.push(word);
        self
    }

    /// Says that the routes that are here by now take no form larger than this.
    #[must_use]
    pub fn forms_up_to(mut self, bytes: usize) -> Self {
        for place in &mut self.places {
            place.form_bytes = Some(bytes);
        }
        self
    }

    /// Puts a layer around all routes that are here by now.
    #[must_use]
    pub fn layer<L>(mut self, layer: L) -> Self
    where
        L: Layer<Route> + Clone + Send + Sync + 'static,
        L::Service: Service<Request> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Response: IntoResponse + Into<Response> + 'static,
        <L::Service as Service<Request>>::Error: Into<Infallible> + 'static,
        <L::Service as Service<Request>>::Future: Send + 'static,
    {
        self.router = self.router.layer(layer);
        self
    }

    /// Every path.
    #[must_use]
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// The router.
    pub fn into_router(self) -> Router<App> {
        self.router
    }
}

/// Everything that is mounted.
#[derive(Debug, Default)]
pub struct Doors {
    places: HashMap<&'static str, Place>,
    secret_after: Vec<&'static str>,
}

impl Doors {
    /// What all these say of themselves.
    #[must_use]
    pub fn of(all: &[&Routes]) -> Self {
        let places = all.iter().flat_map(|routes| routes.places.iter());
        let secret_after = all.iter().flat_map(|routes| routes.secret_after.iter());
        Self {
            places: places.map(|place| (place.path, *place)).collect(),
            secret_after: secret_after.copied().collect(),
        }
    }

    /// Every path.
    pub fn places(&self) -> impl Iterator<Item = &Place> {
        self.places.values()
    }

    /// The place that a request was led to.
    #[must_use]
    pub fn place(&self, extensions: &Extensions) -> Option<&Place> {
        let matched: &MatchedPath = extensions.get()?;
        self.places.get(matched.as_str())
    }

    /// The place that this path is, but for the slash at its end.
    #[must_use]
    pub fn lacking_slash(&self, path: &str) -> Option<&Place> {
        let is_it = |place: &&Place| {
            let pattern = place.path.strip_suffix('/');
            pattern.is_some_and(|pattern| matches(pattern, path))
        };
        match path.ends_with('/') {
            true => None,
            false => self.places.values().find(is_it),
        }
    }

    /// A path as it may be logged: without set-up links, and without the group's key of a licence URL. However the path is
    /// spelled: what no page answers to may be a mistyped link. Whatever else looks like a secret is left out too.
    #[must_use]
    pub fn without_secrets(&self, path: &str) -> String {
        let decoded = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
        let mut hides_rest = false;
        let segments = decoded.split('/').map(|segment| {
            let looks_random = segment.len() >= RANDOM_CHARACTERS
                && segment
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
            let hides = (hides_rest && !segment.is_empty()) || looks_random;
            let mut words = self.secret_after.iter();
            hides_rest |= words.any(|word| segment.eq_ignore_ascii_case(word));
            if hides { "***" } else { segment }
        });
        let shown = segments.collect::<Vec<_>>().join("/");
        shown.replace(char::is_control, " ")
    }
}

/// Segment by segment; `{name}` is any segment that is not empty.
fn matches(pattern: &str, path: &str) -> bool {
    let mut wanted = pattern.split('/');
    let mut given = path.split('/');
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(wanted), Some(segment)) if wanted.starts_with('{') && !segment.is_empty() => {}
            (Some(wanted), Some(given)) if wanted == given => {}
            _ => return false,
        }
    }
}

/// Our random texts have 43 characters or more; serial numbers and ids are shorter.
const RANDOM_CHARACTERS: usize = 40;

#[cfg(test)]
mod tests {
    use axum::routing::any;

    use super::*;

    fn doors() -> Doors {
        let mut routes = Routes::new()
            .secret_after("setup")
            .secret_after("available");
        for path in [
            "/checkin/",
            "/preflight-v2/get-script/{plugin}/{script}/",
            "/machine_detail/{key}/",
            "/livez",
            "/",
        ] {
            routes = routes.route(path, Access::Anyone, any(async || ()));
        }
        Doors::of(&[&routes])
    }

    #[test]
    fn only_our_paths_without_their_slash_lack_it() {
        let doors = doors();
        for path in [
            "/checkin",
            "/preflight-v2/get-script/Uptime/uptime.py",
            "/machine_detail/C02",
        ] {
            assert!(doors.lacking_slash(path).is_some(), "{path}");
        }
        for path in [
            "/checkin/",
            "/nope",
            "/",
            "/preflight-v2/get-script//x",
            "/machine_detail",
            "/checkin/x",
        ] {
            assert!(doors.lacking_slash(path).is_none(), "{path}");
        }
    }

    #[test]
    fn paths_are_logged_without_their_secrets_however_they_are_spelled() {
        let token = "lxebpsP7pId282m-SuL2ETFF7VmWMZ5WTGsPWBPnfWc";
        for (path, shown) in [
            (format!("/setup/{token}/"), "/setup/***/"),
            ("/setup/short/".to_owned(), "/setup/***/"),
            (format!("//setup/{token}"), "//setup/***"),
            (format!("/%73etup/{token}/"), "/setup/***/"),
            (format!("/setup%2F{token}/x"), "/setup/***/***"),
            (format!("/SETUP/{token}"), "/SETUP/***"),
            (format!("/stup/{token}/"), "/stup/***/"),
            (
                "/licenses/available/key/Office/".to_owned(),
                "/licenses/available/***/***/",
            ),
            (
                "/machine_detail/VMware-56-4d-a1/".to_owned(),
                "/machine_detail/VMware-56-4d-a1/",
            ),
            (
                "/api/v2/machines/0198c5c2-0000-7000-8000-0123456789ab/".to_owned(),
                "/api/v2/machines/0198c5c2-0000-7000-8000-0123456789ab/",
            ),
            ("/a%0a2026%1b[31m".to_owned(), "/a 2026 [31m"),
        ] {
            assert_eq!(doors().without_secrets(&path), shown, "{path}");
        }
    }
}
