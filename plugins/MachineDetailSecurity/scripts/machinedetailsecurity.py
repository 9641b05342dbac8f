#!/usr/local/sal/Python.framework/Versions/Current/bin/python3
"""Reports FileVault, System Integrity Protection and Gatekeeper for the machine's page."""

import subprocess

import sal

# Row name: command, text that means on, text that means off.
CHECKS = {
    "Filevault": (
        ["/usr/bin/fdesetup", "status"],
        "FileVault is On",
        "FileVault is Off",
    ),
    "SIP": (
        ["/usr/bin/csrutil", "status"],
        "status: enabled",
        "status: disabled",
    ),
    "Gatekeeper": (
        ["/usr/sbin/spctl", "--status"],
        "assessments enabled",
        "assessments disabled",
    ),
}


def state(command, on_text, off_text):
    """Return Enabled, Disabled or Not Supported, judged by the command's first words."""
    try:
        result = subprocess.run(
            command, capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return "Not Supported"
    answer = result.stdout + result.stderr
    if on_text in answer:
        return "Enabled"
    if off_text in answer:
        return "Disabled"
    return "Not Supported"


def main():
    results = {name: state(*check) for name, check in CHECKS.items()}
    sal.add_plugin_results("MachineDetailSecurity", results)


if __name__ == "__main__":
    main()
