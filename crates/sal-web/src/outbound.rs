//! What is asked of a Crypt server: whether it holds a machine's recovery key.
//!
//! Asked only when the setting `crypt_url` is there, with a short patience: a page must not wait for another server.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sal_http::{App, outbound::Call};
use sal_plugins::Settings;
use serde_json::Value;
use tracing::warn;

use crate::widgets::details::{CardLine, CardLink};

/// What the card of the escrow shows.
#[derive(Default)]
pub(crate) struct Told {
    pub(crate) lines: Vec<CardLine>,
    pub(crate) links: Vec<CardLink>,
    pub(crate) note: Option<String>,
}

/// Asks `<crypt_url>/verify/<serial>/recovery_key/`.
pub(crate) async fn escrow(serial: &str, settings: &Settings, app: &App) -> Told {
    let note = |text: &str| Told {
        note: Some(text.to_owned()),
        ..Told::default()
    };
    let Some(server) = settings.text("crypt_url").and_then(http_address) else {
        return note("The address of the Crypt server is not set (setting crypt_url).");
    };
    let Some(outbound) = &app.outbound else {
        return note("This server has nothing to ask others with.");
    };
    let serial = utf8_percent_encode(serial, NON_ALPHANUMERIC);
    let asked = Call::get(format!("{server}/verify/{serial}/recovery_key/"));
    let mut told = match outbound.send(asked).await {
        Ok(answer) if answer.status == 200 => told(&answer.body),
        Ok(answer) if answer.status == 404 => Told {
            lines: vec![line("Recovery key", "Not escrowed", "bad")],
            ..Told::default()
        },
        Ok(answer) => note(&format!("The Crypt server answered {}.", answer.status)),
        Err(error) => {
            warn!("the Crypt server cannot be asked: {error}");
            note("The Crypt server does not answer; the log of this server says why.")
        }
    };
    told.links.push(CardLink {
        label: "Open in Crypt".to_owned(),
        href: format!("{server}/info/{serial}"),
    });
    told
}

fn told(body: &[u8]) -> Told {
    let Ok(answer) = serde_json::from_slice::<Value>(body) else {
        return Told {
            note: Some("The answer of the Crypt server cannot be read.".to_owned()),
            ..Told::default()
        };
    };
    let escrowed = answer.get("escrowed").and_then(Value::as_bool) == Some(true);
    let mut lines = vec![if escrowed {
        line("Recovery key", "Escrowed", "ok")
    } else {
        line("Recovery key", "Not escrowed", "bad")
    }];
    if let Some(date) = answer.get("date_escrowed").and_then(Value::as_str) {
        lines.push(line("Escrowed on", date, "plain"));
    }
    Told {
        lines,
        ..Told::default()
    }
}

fn line(label: &str, value: &str, tone: &'static str) -> CardLine {
    CardLine {
        label: label.to_owned(),
        value: Some(value.to_owned()),
        tone,
    }
}

/// An address of http or https without a slash at its end.
fn http_address(text: &str) -> Option<String> {
    let is_http = text.starts_with("https://") || text.starts_with("http://");
    let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic());
    (is_http && is_plain).then(|| text.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_of_crypt_is_read_and_nonsense_is_said_to_be() {
        let words = |body: &str| {
            let told = told(body.as_bytes());
            let lines: Vec<String> = told
                .lines
                .into_iter()
                .filter_map(|line| line.value)
                .collect();
            (lines.join(" "), told.note.is_some())
        };
        let escrowed = r#"{"escrowed": true, "date_escrowed": "2026-01-02T03:04:05Z"}"#;
        assert_eq!(
            words(escrowed),
            ("Escrowed 2026-01-02T03:04:05Z".to_owned(), false)
        );
        assert_eq!(
            words(r#"{"escrowed": false}"#),
            ("Not escrowed".to_owned(), false)
        );
        assert_eq!(words("<html>"), (String::new(), true));
    }

    #[test]
    fn only_addresses_of_the_web_are_asked() {
        assert_eq!(
            http_address("https://crypt/").as_deref(),
            Some("https://crypt")
        );
        for bad in ["file:///etc/passwd", "crypt", "https://a b", ""] {
            assert_eq!(http_address(bad), None, "{bad}");
        }
    }
}
