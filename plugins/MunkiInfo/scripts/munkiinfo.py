#!/usr/local/sal/Python.framework/Versions/Current/bin/python3
"""Reports Munki's preferences as this machine sees them.

Reads the preferences with the system's own tools, so that it works with any Munki, the ones
without a Python library included.
"""

import datetime
import plistlib
import subprocess
import sys

import sal

# Preference: Munki's own default, None where it has none. The names are those that Sal has always reported.
PREFERENCES = {
    "AdditionalHttpHeaders": None,
    "AppleSoftwareUpdatesOnly": False,
    "CatalogURL": None,
    "ClientCertificatePath": None,
    "ClientIdentifier": "",
    "ClientKeyPath": None,
    "ClientResourcesFilename": None,
    "ClientResourceURL": None,
    "DaysBetweenNotifications": 1,
    "FollowHTTPRedirects": "none",
    "HelpURL": None,
    "IconURL": None,
    "InstallAppleSoftwareUpdates": False,
    "InstallRequiresLogout": False,
    "LastAppleSoftwareUpdateCheck": None,
    "LastCheckDate": None,
    "LastCheckResult": None,
    "LastNotifiedDate": datetime.datetime(1970, 1, 1),
    "LocalOnlyManifest": None,
    "LogFile": "/Library/Managed Installs/Logs/ManagedSoftwareUpdate.log",
    "LoggingLevel": 1,
    "LogToSyslog": False,
    "ManagedInstallDir": "/Library/Managed Installs",
    "ManifestURL": None,
    "MSUDebugLogEnabled": None,
    "MSULogEnabled": None,
    "PackageURL": None,
    "PackageVerificationMode": "hash",
    "ShowRemovalDetail": None,
    "SoftwareRepoCACertificate": None,
    "SoftwareRepoCAPath": None,
    "SoftwareRepoURL": "http://munki/repo",
    "SoftwareUpdateServerURL": None,
    "SuppressAutoInstall": False,
    "SuppressLoginwindowInstall": False,
    "SuppressStopButtonOnInstall": False,
    "SuppressUserNotification": False,
    "UnattendedAppleUpdates": False,
    "UseClientCertificate": False,
    "UseClientCertificateCNAsClientIdentifier": False,
}

# Where a preference can be set, the strongest place first.
PLACES = (
    "/Library/Managed Preferences/ManagedInstalls.plist",
    "/private/var/root/Library/Preferences/ManagedInstalls.plist",
    "/Library/Preferences/ManagedInstalls.plist",
)


def read_plist(path):
    """Return the property list at path as a dictionary; empty when there is none."""
    try:
        result = subprocess.run(
            ["/usr/bin/plutil", "-convert", "xml1", "-o", "-", path],
            capture_output=True,
            timeout=30,
            check=False,
        )
        contents = plistlib.loads(result.stdout) if result.returncode == 0 else {}
    except (OSError, subprocess.TimeoutExpired, ValueError, plistlib.InvalidFileException):
        return {}
    return contents if isinstance(contents, dict) else {}


def as_text(name, value):
    """Return the value as Munki words it; of headers, which hold passwords, only the names."""
    if isinstance(value, datetime.datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S +0000")
    if name == "AdditionalHttpHeaders" and value:
        headers = value if isinstance(value, list) else [value]
        return str([str(header).split(":", 1)[0] + ": ***" for header in headers])
    return str(value)


def preferences():
    """Return every preference as text, the strongest place winning."""
    levels = [read_plist(path) for path in PLACES]
    found = {}
    for name, default in PREFERENCES.items():
        values = (level[name] for level in levels if name in level)
        found[name] = as_text(name, next(values, default))
    return found


def main():
    # Someone sits in front of a manual check: keep it short.
    if len(sys.argv) > 1 and sys.argv[1] == "manualcheck":
        return
    sal.add_plugin_results("MunkiInfo", preferences())


if __name__ == "__main__":
    main()
