//! What became of machines, in words and as a page.

mod page;

use sal_store::machine_changes::ChangeKind;

pub(crate) use page::{others_href, routes};

/// A change as pages and files say it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Words {
    /// What kind of change: a short word on a badge.
    pub(crate) tag: &'static str,
    /// How the badge looks.
    pub(crate) tone: &'static str,
    /// What happened.
    pub(crate) text: String,
}

/// Words a change; `name` is of what.
pub(crate) fn words(
    kind: ChangeKind,
    name: &str,
    was: Option<&str>,
    became: Option<&str>,
) -> Words {
    let text = match kind {
        ChangeKind::Appeared => "Checked in for the first time".to_owned(),
        ChangeKind::Returned => format!("Checked in again, last seen {}", day(was)),
        ChangeKind::Missing => format!("Missing: last seen {}", day(was)),
        ChangeKind::Broken => match became {
            Some(_) => "The Sal client is broken".to_owned(),
            None => "The Sal client works again".to_owned(),
        },
        ChangeKind::Error | ChangeKind::Warning => match became {
            Some(_) => name.to_owned(),
            None => format!("No longer reported: {name}"),
        },
        ChangeKind::Item => format!("{name} is no longer managed"),
        ChangeKind::Application => match (was, became) {
            (None, Some(version)) => format!("{name} {version} was added"),
            (Some(version), None) => format!("{name} {version} was removed"),
            _ => format!("{name}: {}", from_to(was, became)),
        },
        ChangeKind::Profile => match (was, became) {
            (None, _) => format!("{name} was added"),
            (_, None) => format!("{name} was removed"),
            _ => format!("{name} was replaced"),
        },
        ChangeKind::Group
        | ChangeKind::Hostname
        | ChangeKind::User
        | ChangeKind::System
        | ChangeKind::Model
        | ChangeKind::Memory
        | ChangeKind::Disk
        | ChangeKind::Client
        | ChangeKind::Munki
        | ChangeKind::Manifest => from_to(was, became),
    };
    Words {
        tag: title(kind),
        tone: tone(kind, became.is_some()),
        text: text.trim().to_owned(),
    }
}

/// What a kind of change is called.
pub(crate) fn title(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Appeared => "New",
        ChangeKind::Returned => "Back",
        ChangeKind::Missing => "Missing",
        ChangeKind::Group => "Group",
        ChangeKind::Hostname => "Host name",
        ChangeKind::User => "User",
        ChangeKind::System => "OS",
        ChangeKind::Model => "Model",
        ChangeKind::Memory => "Memory",
        ChangeKind::Disk => "Disk",
        ChangeKind::Client => "Sal client",
        ChangeKind::Munki => "Munki",
        ChangeKind::Manifest => "Manifest",
        ChangeKind::Broken => "Client",
        ChangeKind::Error => "Error",
        ChangeKind::Warning => "Warning",
        ChangeKind::Item => "Item",
        ChangeKind::Application => "Application",
        ChangeKind::Profile => "Profile",
    }
}

fn tone(kind: ChangeKind, begins: bool) -> &'static str {
    match kind {
        ChangeKind::Appeared | ChangeKind::Returned => "ok",
        ChangeKind::Broken | ChangeKind::Error if begins => "bad",
        ChangeKind::Missing => "bad",
        ChangeKind::Warning if begins => "warn",
        ChangeKind::Broken | ChangeKind::Error | ChangeKind::Warning => "ok",
        _ => "info",
    }
}

fn from_to(was: Option<&str>, became: Option<&str>) -> String {
    let text = |value: Option<&str>| value.map_or_else(|| "none".to_owned(), str::to_owned);
    format!("{} \u{2192} {}", text(was), text(became))
}

/// The day of a moment that was stored as text.
fn day(moment: Option<&str>) -> &str {
    moment
        .and_then(|moment| moment.split('T').next())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_went_or_became_another_is_said_in_words() {
        let text = |kind, name, was, became| words(kind, name, was, became).text;
        let app = ChangeKind::Application;
        assert_eq!(
            text(app, "Firefox", Some("128"), Some("129")),
            "Firefox: 128 → 129"
        );
        assert_eq!(
            text(app, "Firefox", None, Some("129")),
            "Firefox 129 was added"
        );
        assert_eq!(
            text(app, "Firefox", Some("1"), None),
            "Firefox 1 was removed"
        );
        assert_eq!(text(ChangeKind::User, "", Some("ada"), None), "ada → none");
        let was = Some("2026-01-02T03:04:05Z");
        assert_eq!(
            text(ChangeKind::Missing, "", was, None),
            "Missing: last seen 2026-01-02"
        );
        let began = words(ChangeKind::Error, "Disk is full", None, Some("reported"));
        assert_eq!((began.tone, began.text.as_str()), ("bad", "Disk is full"));
        let ended = words(ChangeKind::Error, "Disk is full", Some("reported"), None);
        assert_eq!(
            (ended.tone, ended.text.as_str()),
            ("ok", "No longer reported: Disk is full")
        );
    }
}
