#!/usr/local/sal/Python.framework/Versions/Current/bin/python3
"""Reports whether System Integrity Protection is on."""

import subprocess

import sal


def sip_state():
    """Return Enabled or Disabled as csrutil sees it, Not Supported where it does not answer."""
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
    # With the full stop: a custom configuration says "enabled (Custom Configuration)" and is none.
    answer = result.stdout + result.stderr
    is_on = "System Integrity Protection status: enabled." in answer
    return "Enabled" if is_on else "Disabled"


def main():
    sal.add_plugin_results("Sip", {"SIP": sip_state()})


if __name__ == "__main__":
    main()
