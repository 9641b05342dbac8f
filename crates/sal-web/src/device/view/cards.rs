//! The cards beside the tabs: hardware, system, management.

use std::borrow::Cow;

use jiff::{Timestamp, tz::TimeZone};
use sal_store::device::Device;

use crate::{
    machine,
    wording::{self, Moment, filled},
};

/// Some values under a heading.
pub(crate) struct Card {
    /// Its anchor; empty for none.
    pub(crate) id: &'static str,
    pub(crate) title: Cow<'static, str>,
    pub(crate) lines: Vec<Line>,
}

/// A name and a value; without one, the page says that it was never reported.
pub(crate) struct Line {
    pub(crate) label: Cow<'static, str>,
    pub(crate) value: Option<String>,
}

fn line(label: &'static str, value: Option<String>) -> Line {
    Line {
        label: Cow::Borrowed(label),
        value,
    }
}

pub(super) fn cards(
    device: &Device,
    address: Option<&str>,
    now: Timestamp,
    zone: &TimeZone,
) -> Vec<Card> {
    let moment = |at: Option<Timestamp>| {
        at.map(|at| Moment::new(at, now, zone))
            .map(|moment| format!("{} ({})", moment.exact, moment.relative))
    };
    let card = |id, title, lines| Card {
        id,
        title: Cow::Borrowed(title),
        lines,
    };
    vec![
        card("hardware", "Hardware", hardware(device)),
        card(
            "system",
            "System and network",
            vec![
                line("Operating system", Some(machine::system(&device.machine))),
                line(
                    "Console user",
                    filled(device.machine.console_user.as_deref()),
                ),
                line("IP address", filled(address)),
                line("Last check-in", moment(device.machine.last_checkin)),
                line("First check-in", moment(device.machine.first_checkin)),
            ],
        ),
        card("management", "Management", management(device)),
    ]
}

fn hardware(device: &Device) -> Vec<Line> {
    let free = match (device.machine.hd_space, device.machine.hd_total) {
        (Some(free), Some(total)) if total > 0 => Some(format!(
            "{} of {}",
            wording::bytes(free),
            wording::bytes(total)
        )),
        _ => None,
    };
    let processor: Vec<String> = [
        device.machine.cpu_type.as_deref(),
        device.machine.cpu_speed.as_deref(),
    ]
    .into_iter()
    .filter_map(filled)
    .collect();
    vec![
        line("Model", machine::model(&device.machine)),
        line(
            "Model identifier",
            filled(device.machine.machine_model.as_deref()),
        ),
        line(
            "Processor",
            (!processor.is_empty()).then(|| processor.join(", ")),
        ),
        line("Memory", filled(device.machine.memory.as_deref())),
        line("Free disk space", free),
    ]
}

fn management(device: &Device) -> Vec<Line> {
    let deployed = if device.machine.deployed { "Yes" } else { "No" };
    vec![
        line("Business unit", Some(device.unit_name.clone())),
        line("Machine group", Some(device.group_name.clone())),
        line("Deployed", Some(deployed.to_owned())),
        line("Sal client", filled(device.machine.sal_version.as_deref())),
        line("Munki", filled(device.machine.munki_version.as_deref())),
        line("Munki manifest", filled(device.machine.manifest.as_deref())),
    ]
}
