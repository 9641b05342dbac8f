//! The query of a machine's page: which tab is open, and how it is filtered. Reads anything; nonsense is the default.

use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

/// A tab of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tab {
    /// What management tools installed or wait to install.
    Items,
    /// The inventory.
    Applications,
    /// Configuration profiles.
    Profiles,
    /// What the sources told.
    Facts,
    /// What happened.
    Timeline,
}

impl Tab {
    /// All of them, in the order of the page.
    pub(crate) const ALL: [Self; 5] = [
        Self::Items,
        Self::Applications,
        Self::Profiles,
        Self::Facts,
        Self::Timeline,
    ];

    /// Its name in the URL, and its anchor.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Items => "items",
            Self::Applications => "applications",
            Self::Profiles => "profiles",
            Self::Facts => "facts",
            Self::Timeline => "timeline",
        }
    }

    /// Its title.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Items => "Managed items",
            Self::Applications => "Applications",
            Self::Profiles => "Profiles",
            Self::Facts => "Facts",
            Self::Timeline => "Timeline",
        }
    }
}

/// The query as it came.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct TabParams {
    tab: Option<String>,
    status: Option<String>,
    q: Option<String>,
    kind: Option<String>,
    before: Option<String>,
}

impl TabParams {
    /// The open tab.
    pub(crate) fn tab(&self) -> Tab {
        let wanted = self.tab.as_deref().unwrap_or_default();
        Tab::ALL
            .into_iter()
            .find(|tab| tab.key() == wanted)
            .unwrap_or(Tab::Items)
    }

    /// The status of the managed items that are shown, in the words of the table; all of them without one.
    pub(crate) fn status(&self) -> Option<&str> {
        filled(self.status.as_deref())
    }

    /// What the lines shown contain.
    pub(crate) fn filter(&self) -> &str {
        self.q.as_deref().unwrap_or_default().trim()
    }

    /// The kind of the events that are shown; all of them without one.
    pub(crate) fn kind(&self) -> Option<&str> {
        let wanted = filled(self.kind.as_deref())?;
        EVENT_KINDS
            .iter()
            .map(|(kind, _)| *kind)
            .find(|kind| *kind == wanted)
    }

    /// The moment before which the events shown happened.
    pub(crate) fn before(&self) -> Option<Timestamp> {
        let moment = self.before.as_deref()?.parse().ok();
        // Postgres knows no moments that lie much further back; nothing happened then.
        moment.filter(|moment| *moment > Timestamp::UNIX_EPOCH)
    }
}

/// The address of the timeline, from the page it stands on.
pub(crate) fn timeline_href(kind: Option<&str>, before: Option<Timestamp>) -> String {
    let mut href = format!("?tab={}", Tab::Timeline.key());
    if let Some(kind) = kind {
        href.push_str("&kind=");
        href.push_str(kind);
    }
    if let Some(before) = before {
        let before = before.to_string();
        href.push_str("&before=");
        href.extend(utf8_percent_encode(&before, NON_ALPHANUMERIC));
    }
    href
}

fn filled(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

/// Whether one of the texts contains what is looked for, in upper or lower case.
pub(crate) fn contains(filter: &str, texts: &[&str]) -> bool {
    let filter = filter.to_lowercase();
    texts
        .iter()
        .any(|text| text.to_lowercase().contains(&filter))
}

/// Kinds of events, and their titles.
pub(crate) const EVENT_KINDS: [(&str, &str); 7] = [
    ("machine", "Machine"),
    ("messages", "Errors and warnings"),
    ("items", "Managed items"),
    ("software", "Software"),
    ("facts", "Facts"),
    ("changes", "Changes by people"),
    ("checkins", "Check-ins"),
];
/// Events on one page, and those of the same moment as the last.
pub(crate) const EVENTS_PER_PAGE: i64 = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonsense_in_the_url_falls_back_to_the_defaults() {
        let params: TabParams = serde_json::from_value(serde_json::json!({
            "tab": "x", "status": "", "kind": "x' OR 1=1", "before": "-009999-01-02T01:59:59Z",
        }))
        .unwrap();
        assert_eq!(params.tab(), Tab::Items);
        assert_eq!((params.status(), params.kind()), (None, None));
        assert_eq!((params.before(), params.filter()), (None, ""));
    }

    #[test]
    fn a_link_to_older_events_keeps_the_kind() {
        let at = "2026-11-22T12:00:00.5Z".parse().ok();
        let href = timeline_href(Some("items"), at);
        assert_eq!(
            href,
            "?tab=timeline&kind=items&before=2026%2D11%2D22T12%3A00%3A00%2E5Z"
        );
        let params: TabParams =
            serde_json::from_value(serde_json::json!({"before": "2026-11-22T12:00:00.5Z"}))
                .unwrap();
        assert_eq!(params.before(), at);
    }

    #[test]
    fn filters_do_not_mind_the_case() {
        assert!(contains("FOX", &["", "Firefox"]));
        assert!(contains("", &["anything"]));
        assert!(!contains("chrome", &["Firefox"]));
    }
}
