#!/usr/local/sal/Python.framework/Versions/Current/bin/python3
"""Reports how long the machine has been running."""

import re
import subprocess
import time

import sal


def boot_time():
    """Return the moment of the last start as seconds since 1970, or None."""
    try:
        result = subprocess.run(
            ["/usr/sbin/sysctl", "-n", "kern.boottime"],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    # { sec = 1700000000, usec = 0 } Tue Nov 14 22:13:20 2023
    match = re.search(r"\bsec = (\d+)", result.stdout)
    return int(match.group(1)) if match else None


def main():
    booted = boot_time()
    if booted is None:
        return
    seconds = int(time.time() - booted)
    # A clock that was set back is told apart from a start just now.
    if seconds <= 0:
        seconds = -1
    sal.add_plugin_results(
        "Uptime", {"UptimeDays": seconds / 60 / 60 / 24, "UptimeSeconds": seconds}
    )


if __name__ == "__main__":
    main()
