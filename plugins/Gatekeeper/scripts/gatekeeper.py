#!/usr/local/sal/Python.framework/Versions/Current/bin/python3
"""Reports whether Gatekeeper assesses what is opened."""

import subprocess

import sal


def gatekeeper_state():
    """Return Enabled or Disabled as spctl sees it, Not Supported where it does not answer."""
    try:
        result = subprocess.run(
            ["/usr/sbin/spctl", "--status"],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return "Not Supported"
    # When assessments are off, the answer comes on stderr with exit code 1.
    answer = result.stdout + result.stderr
    return "Enabled" if "assessments enabled" in answer else "Disabled"


def main():
    sal.add_plugin_results("Gatekeeper", {"Gatekeeper": gatekeeper_state()})


if __name__ == "__main__":
    main()
