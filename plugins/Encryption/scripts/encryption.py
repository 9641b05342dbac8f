#!/usr/local/sal/Python.framework/Versions/Current/bin/python3
"""Reports whether FileVault protects the start-up disk."""

import subprocess

import sal


def filevault_state():
    """Return Enabled, Disabled or Not Supported, as fdesetup sees it."""
    try:
        result = subprocess.run(
            ["/usr/bin/fdesetup", "status"],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return "Not Supported"
    if "FileVault is On" in result.stdout:
        return "Enabled"
    if "FileVault is Off" in result.stdout:
        return "Disabled"
    return "Not Supported"


def main():
    sal.add_plugin_results("Encryption", {"FileVault": filevault_state()})


if __name__ == "__main__":
    main()
