//! Detail plugins as cards on the page of one machine. All their values are asked by one statement.

use sal_http::{App, AppError, access::Viewer};
use sal_plugins::{
    Origin, Panel, Plugin, Settings,
    detail::{Detail, DetailLine, Format, Native, Piece, ValueSource},
};
use sal_query::sql::value::MachineValue;
use sal_store::{Client, device::DevicePluginRow, ids::MachineId, reports::machine_values};

use crate::{outbound, wording};

/// The card of a detail plugin.
pub(crate) struct DetailCard {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) lines: Vec<CardLine>,
    pub(crate) links: Vec<CardLink>,
    /// Said where there is nothing else.
    pub(crate) note: Option<String>,
}

/// A name and a value; without one, it was never reported.
pub(crate) struct CardLine {
    pub(crate) label: String,
    pub(crate) value: Option<String>,
    /// `ok`, `bad`, or `plain`.
    pub(crate) tone: &'static str,
}

/// A link.
pub(crate) struct CardLink {
    pub(crate) label: String,
    pub(crate) href: String,
}

/// The machine a card is about.
pub(crate) struct Subject<'a> {
    pub(crate) id: MachineId,
    pub(crate) serial: &'a str,
    pub(crate) os_family: &'a str,
    /// What plugin scripts reported from it; only Python plugins need it.
    pub(crate) rows: &'a [DevicePluginRow],
}

/// Makes the cards of plugins that are for the machine's operating system.
pub(crate) async fn cards(
    plugins: &[&Plugin],
    subject: &Subject<'_>,
    settings: &Settings,
    viewer: &Viewer,
    db: Client,
    app: &App,
) -> Result<Vec<DetailCard>, AppError> {
    let family = [subject.os_family.to_owned()];
    let plugins: Vec<&Plugin> = plugins
        .iter()
        .copied()
        .filter(|plugin| plugin.suits(&family))
        .collect();
    let mut wanted = Vec::new();
    for panel in plugins.iter().flat_map(|plugin| &plugin.panels) {
        wanted.extend(sources(panel).into_iter().filter_map(machine_value));
    }
    let values = machine_values(subject.id, &wanted, &viewer.scope, &db).await?;
    // Other servers may be asked from here on; nobody waits for them with a connection in hand.
    drop(db);
    let mut values = values.into_iter();
    let mut cards = Vec::new();
    for plugin in plugins {
        let mut card = DetailCard {
            name: plugin.name.clone(),
            title: plugin.title.clone(),
            lines: Vec::new(),
            links: Vec::new(),
            note: None,
        };
        for panel in &plugin.panels {
            fill(
                &mut card,
                plugin,
                panel,
                subject,
                settings,
                &mut values,
                app,
            )
            .await;
        }
        cards.push(card);
    }
    Ok(cards)
}

async fn fill(
    card: &mut DetailCard,
    plugin: &Plugin,
    panel: &Panel,
    subject: &Subject<'_>,
    settings: &Settings,
    values: &mut impl Iterator<Item = Option<String>>,
    app: &App,
) {
    match panel {
        Panel::Detail(Detail::Lines(lines)) => {
            card.lines.extend(lines.iter().map(|line| {
                let value = match &line.value {
                    ValueSource::Setting(name) => settings.text(name).map(str::to_owned),
                    _ => values.next().flatten(),
                };
                card_line(line, value.as_deref())
            }));
        }
        Panel::Detail(Detail::Links(links)) => {
            for link in links {
                if let Some(href) = address(&link.href, settings, values) {
                    card.links.push(CardLink {
                        label: link.label.clone(),
                        href,
                    });
                }
            }
            if card.links.is_empty() {
                card.note =
                    Some("A value that the links need was never reported or set.".to_owned());
            }
        }
        Panel::Detail(Detail::Native(Native::Crypt)) => {
            let told = outbound::escrow(subject.serial, settings, app).await;
            card.lines.extend(told.lines);
            card.links.extend(told.links);
            card.note = told.note;
        }
        Panel::Rows(_) if plugin.origin == Origin::Python => {
            let own = subject.rows.iter().filter(|row| row.plugin == plugin.name);
            card.lines.extend(own.map(|row| CardLine {
                label: row.pluginscript_name.clone(),
                value: wording::filled(row.pluginscript_data.as_deref()),
                tone: "plain",
            }));
            if card.lines.is_empty() {
                card.note = Some("Its scripts have not reported from this machine.".to_owned());
            }
        }
        _ => {}
    }
}

/// The values a panel asks for, in the order in which it uses them.
fn sources(panel: &Panel) -> Vec<&ValueSource> {
    match panel {
        Panel::Detail(Detail::Lines(lines)) => lines.iter().map(|line| &line.value).collect(),
        Panel::Detail(Detail::Links(links)) => links
            .iter()
            .flat_map(|link| &link.href)
            .filter_map(|piece| match piece {
                Piece::Value { source, .. } => Some(source),
                Piece::Text(_) => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}

fn machine_value(source: &ValueSource) -> Option<MachineValue> {
    match source {
        ValueSource::Field(field) => Some(MachineValue::Field(*field)),
        ValueSource::Related(related) => Some(MachineValue::Related(related.clone())),
        ValueSource::Setting(_) => None,
    }
}

fn card_line(line: &DetailLine, value: Option<&str>) -> CardLine {
    let value = wording::filled(value);
    let is = |list: &[String]| {
        value
            .as_ref()
            .is_some_and(|value| list.iter().any(|one| one == value))
    };
    let tone = match (is(&line.good), is(&line.bad)) {
        (true, _) => "ok",
        (_, true) => "bad",
        _ => "plain",
    };
    let worded = |text: String| match (line.format, text.trim().parse()) {
        (Format::Size, Ok(bytes)) => wording::bytes(bytes),
        (Format::Duration, Ok(seconds)) => wording::duration(seconds),
        _ => text,
    };
    CardLine {
        label: line.label.clone(),
        value: value.map(worded),
        tone,
    }
}

/// The address of a link; `None` when a value is missing. Takes all its values either way.
fn address(
    pieces: &[Piece],
    settings: &Settings,
    values: &mut impl Iterator<Item = Option<String>>,
) -> Option<String> {
    let mut href = Some(String::new());
    for piece in pieces {
        let part = match piece {
            Piece::Text(text) => Some(text.clone()),
            Piece::Value { source, first } => {
                let value = match source {
                    ValueSource::Setting(name) => settings.text(name).map(str::to_owned),
                    _ => values.next().flatten(),
                };
                let value = wording::filled(value.as_deref());
                value.map(|value| {
                    let value = match value.split_once(',') {
                        Some((one, _)) if *first => one.trim().to_owned(),
                        _ => value,
                    };
                    percent_encoding::utf8_percent_encode(&value, IN_ADDRESSES).to_string()
                })
            }
        };
        href = href.zip(part).map(|(href, part)| href + &part);
    }
    href
}

/// A value must not end the part of the address it stands in; `.` and `:` belong to internet addresses.
const IN_ADDRESSES: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
    .remove(b'.')
    .remove(b':')
    .remove(b'-')
    .remove(b'_');

#[cfg(test)]
mod tests {
    use sal_plugins::Registry;

    use super::*;

    #[test]
    fn a_link_needs_all_its_values_and_takes_the_first_of_several() {
        let registry = Registry::builtin();
        let plugin = registry.get("RemoteConnection").unwrap();
        let Panel::Detail(Detail::Links(links)) = &plugin.panels[0] else {
            panic!()
        };
        let set = Settings::new([("ssh_account".to_owned(), "ad/min".to_owned())]);
        let mut values = vec![Some("10.0.0.7, 10.0.0.8".to_owned())].into_iter();
        assert_eq!(
            address(&links[0].href, &set, &mut values).as_deref(),
            Some("ssh://ad%2Fmin@10.0.0.7")
        );
        for value in [None, Some("None".to_owned())] {
            assert_eq!(
                address(&links[0].href, &set, &mut vec![value].into_iter()),
                None
            );
        }
        let unset = Settings::default();
        let mut values = vec![Some("10.0.0.7".to_owned())].into_iter();
        assert_eq!(address(&links[0].href, &unset, &mut values), None);
        assert_eq!(
            values.next(),
            None,
            "the value was taken although there is no link"
        );
    }
}
