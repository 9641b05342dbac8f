//! What every page calls a machine, its model and its system.

use sal_plugins::OsFamily;
use sal_store::MachineRow;

use crate::wording::filled;

/// The machine's name, else its serial number.
pub(crate) fn name(machine: &MachineRow) -> String {
    filled(machine.hostname.as_deref()).unwrap_or_else(|| machine.serial.clone())
}

/// The model as sold, else its identifier.
pub(crate) fn model(machine: &MachineRow) -> Option<String> {
    filled(machine.machine_model_friendly.as_deref())
        .or_else(|| filled(machine.machine_model.as_deref()))
}

/// The operating system with its version.
pub(crate) fn system(machine: &MachineRow) -> String {
    let version = filled(machine.operating_system.as_deref()).unwrap_or_default();
    let system = format!("{} {version}", OsFamily::title_of(&machine.os_family));
    system.trim_end().to_owned()
}
