#!/usr/local/sal/Python.framework/Versions/Current/bin/python3
"""Reports whether System Integrity Protection is on."""

import subprocess

import sal


def sip_state():
    """Return Enabled, Disabled or Not Supported, as csrutil sees it."""
    try:
        result = subprocess.run(
            ["/usr/bin/csrutil", "status"],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return "Not Supported"
    # A custom configuration also prints "disabled" for single protections, so only the first
    # line counts.
    first_line = (result.stdout.splitlines() or [""])[0]
    if "status: enabled" in first_line:
        return "Enabled"
    if "status: disabled" in first_line:
        return "Disabled"
    return "Not Supported"


def main():
    sal.add_plugin_results("Sip", {"SIP": sip_state()})


if __name__ == "__main__":
    main()
