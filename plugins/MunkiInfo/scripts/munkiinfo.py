#!/usr/local/sal/Python.framework/Versions/Current/bin/python3
"""Reports Munki's preferences as this machine sees them.

Reads the preferences with the system's own tools, so that it works with any Munki, the ones
without a Python library included.
"""

import plistlib
import subprocess
import sys

import sal

# Preference: Munki's own default, in the words of the preference's type.
PREFERENCES = {
    "AdditionalHttpHeaders": None,
    "AggressiveUpdateNotificationDays": 14,
    "AppleSoftwareUpdatesIncludeMajorOSUpdates": False,
    "AppleSoftwareUpdatesOnly": False,
    "CatalogURL": None,
    "ClientCertificatePath": None,
    "ClientIdentifier": "",
    "ClientKeyPath": None,
    "ClientResourcesFilename": None,
    "ClientResourceURL": None,
    "DaysBetweenNotifications": 1,
    "EmulateProfileSupport": False,
    "FollowHTTPRedirects": "none",
    "HelpURL": None,
    "IconURL": None,
    "IgnoreMiddleware": False,
    "IgnoreSystemProxies": False,
    "InstallAppleSoftwareUpdates": False,
    "InstallRequiresLogout": False,
    "LocalOnlyManifest": None,
    "LogFile": "/Library/Managed Installs/Logs/ManagedSoftwareUpdate.log",
    "LoggingLevel": 1,
    "LogToSyslog": False,
    "ManagedInstallDir": "/Library/Managed Installs",
    "ManifestURL": None,
    "MSUDebugLogEnabled": False,
    "MSULogEnabled": False,
    "PackageURL": None,
    "PackageVerificationMode": "hash",
    "PerformAuthRestarts": False,
    "RecoveryKeyFile": None,
    "ShowOptionalInstallsForHigherOSVersions": False,
    "ShowRemovalDetail": False,
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
    "UseNotificationCenterDays": 3,
}

# Never reported: a value here would be a secret of the machine.
SECRET = ("AdditionalHttpHeaders", "RecoveryKeyFile")

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


def preferences():
    """Return every preference as text, the strongest place winning."""
    levels = [read_plist(path) for path in PLACES]
    found = {}
    for name, default in PREFERENCES.items():
        if name in SECRET:
            continue
        values = (level[name] for level in levels if name in level)
        found[name] = str(next(values, default))
    return found


def main():
    # Someone sits in front of a manual check: keep it short.
    if len(sys.argv) > 1 and sys.argv[1] == "manualcheck":
        return
    sal.add_plugin_results("MunkiInfo", preferences())


if __name__ == "__main__":
    main()
