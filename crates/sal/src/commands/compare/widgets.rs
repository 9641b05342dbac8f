//! The machines behind the numbers of each widget: both servers have them as a list to download.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, ensure};
use percent_encoding::percent_decode_str;

use super::finding::Part;
use super::known;
use super::side::{Side, escaped};

/// Compares every list that the old server's widgets lead to.
pub(super) async fn compare(old: &Side, new: &Side, place: &str) -> Result<Part> {
    let place = place_path(place)?;
    let mut part = Part::new(NAME);
    let overview = overview(old, &place).await?;
    for (plugin, segment) in drawn_lists(&overview) {
        let how = one_list(old, new, &format!("csv/{plugin}/{segment}/{place}/")).await?;
        part.note(
            &format!("{plugin} {segment}"),
            how,
            known::list(&plugin, &segment),
        );
    }
    for plugin in plugins(&overview) {
        let widget = old.page(&format!("load_plugin/{plugin}/{place}/")).await?;
        if !widget.status.is_success() {
            part.note(
                &plugin,
                Some(format!("the old server answers {}", widget.status.as_u16())),
                None,
            );
            continue;
        }
        for segment in segments(&plugin, &widget.body) {
            let how = one_list(old, new, &format!("csv/{plugin}/{segment}/{place}/")).await?;
            part.note(
                &format!("{plugin} {segment}"),
                how,
                known::list(&plugin, &segment),
            );
        }
    }
    ensure!(
        part.equal > 0 || !part.findings.is_empty(),
        "the old server's overview shows no widgets to compare; is `{place}` a place that the user sees?"
    );
    Ok(part)
}

/// The part's name.
pub(super) const NAME: &str = "Machines behind the widgets";

/// As the original's addresses have it.
fn place_path(place: &str) -> Result<String> {
    let is_number = |id: &str| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
    let is_known = match place.split_once('/') {
        None => place == "all",
        Some((kind, id)) => matches!(kind, "business_unit" | "machine_group") && is_number(id),
    };
    ensure!(
        is_known,
        "--place `{place}` is none of `all`, `business_unit/ID` and `machine_group/ID`"
    );
    Ok(if place == "all" {
        "all/0".to_owned()
    } else {
        place.to_owned()
    })
}

/// The page with the widgets.
async fn overview(old: &Side, place: &str) -> Result<String> {
    let path = match place.split_once('/') {
        Some(("business_unit", id)) => format!("dashboard/{id}/"),
        Some(("machine_group", id)) => format!("machinegroup/{id}/"),
        _ => String::new(),
    };
    let page = old.page(&path).await?;
    ensure!(
        page.status.is_success(),
        "the old server answered {} for its overview",
        page.status.as_u16()
    );
    Ok(page.body)
}

/// The widgets that the original's overview loads, in their order.
fn plugins(overview: &str) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let names = overview
        .split("load_plugin/")
        .skip(1)
        .filter_map(|rest| rest.split('/').next());
    names
        .filter(|name| is_name(name) && seen.insert((*name).to_owned()))
        .map(str::to_owned)
        .collect()
}

/// The lists that an overview of this server links to: its widgets are drawn already.
fn drawn_lists(overview: &str) -> BTreeSet<(String, String)> {
    let links = overview.split("/machines/?widget=").skip(1);
    links
        .filter_map(|rest| {
            let link = unescaped(rest.split('"').next()?);
            let (plugin, rest) = link.split_once("&data=")?;
            let data = rest.split('&').next()?;
            let data = percent_decode_str(data).decode_utf8().ok()?;
            is_name(plugin).then(|| (plugin.to_owned(), escaped(&data)))
        })
        .collect()
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The segments that a widget leads to, as they stand in its addresses; drawn ones are told by their labels.
fn segments(plugin: &str, html: &str) -> BTreeSet<String> {
    let address = format!("/list/{plugin}/");
    let linked = html
        .split(address.as_str())
        .skip(1)
        .filter_map(|rest| rest.split('/').next());
    let mut found: BTreeSet<String> = linked
        .filter(|segment| !segment.is_empty())
        .map(str::to_owned)
        .collect();
    // `/list/X/abc123/…` is a template, into which the script puts the label that was clicked.
    if found.remove("abc123") {
        let labels = html
            .split("label: \"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next());
        found.extend(labels.map(|label| escaped(&unescaped(label))));
    }
    found
}

/// HTML's few references.
fn unescaped(text: &str) -> String {
    let quotes = text
        .replace("&quot;", "\"")
        .replace("&#x27;", "'")
        .replace("&#39;", "'")
        .replace("&#38;", "&");
    quotes
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

async fn one_list(old: &Side, new: &Side, path: &str) -> Result<Option<String>> {
    let (first, second) = (old.page(path).await?, new.page(path).await?);
    if first.status != second.status {
        return Ok(Some(format!(
            "old {}, new {}",
            first.status.as_u16(),
            second.status.as_u16()
        )));
    }
    let (first, second) = (rows(&first.body), rows(&second.body));
    let only = |here: &BTreeMap<String, usize>, there: &BTreeMap<String, usize>| -> Vec<String> {
        let missing = here
            .iter()
            .filter(|(serial, count)| there.get(*serial) != Some(*count));
        missing.map(|(serial, _)| serial.clone()).collect()
    };
    let (only_old, only_new) = (only(&first, &second), only(&second, &first));
    if only_old.is_empty() && only_new.is_empty() {
        return Ok(None);
    }
    let total = |all: &BTreeMap<String, usize>| all.values().sum::<usize>();
    Ok(Some(format!(
        "old {}, new {}{}{}",
        total(&first),
        total(&second),
        some("only old", &only_old),
        some("only new", &only_new)
    )))
}

/// The first few.
fn some(what: &str, serials: &[String]) -> String {
    const SHOWN: usize = 5;
    if serials.is_empty() {
        return String::new();
    }
    let shown = serials
        .iter()
        .take(SHOWN)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    let rest = serials.len().saturating_sub(SHOWN);
    match rest {
        0 => format!("; {what}: {shown}"),
        rest => format!("; {what}: {shown} and {rest} more"),
    }
}

/// Serial numbers of a downloaded list, and how often each is there.
pub(super) fn rows(csv: &str) -> BTreeMap<String, usize> {
    let mut list = csv::ReaderBuilder::new()
        .flexible(true)
        .from_reader(csv.as_bytes());
    let is_serial = |name: &str| name == "serial";
    let column = list
        .headers()
        .ok()
        .and_then(|header| header.iter().position(is_serial));
    let mut rows = BTreeMap::new();
    for record in list.records().flatten() {
        let Some(serial) = column.and_then(|column| record.get(column)) else {
            continue;
        };
        // What a spreadsheet would run has an apostrophe here (Q-062).
        let serial = serial.strip_prefix('\'').unwrap_or(serial);
        let count: &mut usize = rows.entry(serial.to_owned()).or_default();
        *count = count.saturating_add(1);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_found_in_links_and_in_drawings() {
        let html =
            r#"<a href="/list/DiskSpace/ok/all/0/">1</a> <a href="/list/DiskSpace/alert/all/0/">"#;
        assert_eq!(
            segments("DiskSpace", html),
            ["alert".to_owned(), "ok".to_owned()].into()
        );
        let drawn =
            r#"{ label: "6.3 &amp; x/y", value: 3 } url_mask = "/list/MunkiVersion/abc123/all/0/""#;
        assert_eq!(
            segments("MunkiVersion", drawn),
            ["6.3%20&%20x%2Fy".to_owned()].into()
        );
    }

    #[test]
    fn lists_of_this_servers_overview_are_found_in_its_links() {
        let html = r#"<a href="/machines/?widget=Activity&#38;data=three%5Fmonths&#38;unit=1"> href="/machines/?widget=../x&#38;data=y""#;
        let found = [("Activity".to_owned(), "three_months".to_owned())];
        assert_eq!(drawn_lists(html), found.into());
    }

    #[test]
    fn serial_numbers_are_read_from_quoted_lists() {
        let csv = "hostname,serial,os\r\n\"a \"\"b\"\", c\",C02X,\"line\nbreak\"\r\nx,C02X,\r\ny,'=1,\r\n";
        let rows = rows(csv);
        assert_eq!(rows.get("C02X"), Some(&2));
        assert_eq!(rows.get("=1"), Some(&1));
        assert_eq!(super::rows("no,such\n1,2"), BTreeMap::new());
    }

    #[test]
    fn places_are_those_of_the_original() {
        assert_eq!(place_path("all").unwrap(), "all/0");
        assert_eq!(place_path("machine_group/7").unwrap(), "machine_group/7");
        for wrong in [
            "unit/1",
            "business_unit/",
            "business_unit/x",
            "all/0",
            "../x",
        ] {
            assert!(place_path(wrong).is_err(), "{wrong}");
        }
    }
}
