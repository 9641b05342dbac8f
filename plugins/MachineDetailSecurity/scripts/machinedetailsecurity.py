#!/usr/local/sal/Python.framework/Versions/Current/bin/python3
"""Reports FileVault, System Integrity Protection and Gatekeeper for the machine's page."""

import subprocess

import sal

# Row name: command, text that means on.
CHECKS = {
    "Filevault": (["/usr/bin/fdesetup", "status"], "FileVault is On."),
    "SIP": (["/usr/bin/csrutil", "status"], "System Integrity Protection status: enabled."),
    "Gatekeeper": (["/usr/sbin/spctl", "--status"], "assessments enabled"),
}


def state(command, on_text):
    """Return Enabled or Disabled as the command says, Not Supported where it does not answer."""
    try:
        result = subprocess.run(
            command, capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return "Not Supported"
    return "Enabled" if on_text in result.stdout + result.stderr else "Disabled"


def main():
    results = {name: state(*check) for name, check in CHECKS.items()}
    sal.add_plugin_results("MachineDetailSecurity", results)


if __name__ == "__main__":
    main()
