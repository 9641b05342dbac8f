#!/usr/local/sal/Python.framework/Versions/Current/bin/python3
"""Reports whether FileVault protects the start-up disk."""

import subprocess

import sal


def filevault_state():
    """Return Enabled or Disabled as fdesetup sees it, Not Supported where it does not answer."""
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
    answer = result.stdout + result.stderr
    return "Enabled" if "FileVault is On" in answer else "Disabled"


def main():
    sal.add_plugin_results("Encryption", {"FileVault": filevault_state()})


if __name__ == "__main__":
    main()
