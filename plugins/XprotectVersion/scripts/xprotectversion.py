#!/usr/local/sal/Python.framework/Versions/Current/bin/python3
"""Reports the version of the XProtect definitions."""

import plistlib

import sal

# Newest location first; older systems keep the version beside the definitions.
PLACES = (
    (
        "/private/var/protected/xprotect/XProtect.bundle/Contents/Info.plist",
        "CFBundleShortVersionString",
    ),
    (
        "/Library/Apple/System/Library/CoreServices/XProtect.bundle/Contents/Info.plist",
        "CFBundleShortVersionString",
    ),
    (
        "/System/Library/CoreServices/XProtect.bundle/Contents/Resources/XProtect.meta.plist",
        "Version",
    ),
    (
        "/System/Library/CoreServices/CoreTypes.bundle/Contents/Resources/XProtect.meta.plist",
        "Version",
    ),
)


def xprotect_version():
    """Return the version as text, or Not supported where none is found."""
    for path, key in PLACES:
        try:
            with open(path, "rb") as handle:
                version = plistlib.load(handle).get(key)
        except (OSError, ValueError, plistlib.InvalidFileException):
            continue
        if version:
            # Some systems write 2166.0, which is 2166.
            text = str(version)
            return text.split(".")[0] if text.endswith(".0") else text
    return "Not supported"


def main():
    sal.add_plugin_results("XprotectVersion", {"Version": xprotect_version()})


if __name__ == "__main__":
    main()
