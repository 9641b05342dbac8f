#!/usr/local/sal/Python.framework/Versions/Current/bin/python3
"""Reports the four computer information fields of Apple Remote Desktop."""

import plistlib

import sal

PREFERENCES = "/Library/Preferences/com.apple.RemoteDesktop.plist"


def fields():
    """Return the fields Text1 to Text4 under their row names; empty text where not set."""
    try:
        with open(PREFERENCES, "rb") as handle:
            contents = plistlib.load(handle)
    except (OSError, ValueError, plistlib.InvalidFileException):
        contents = {}
    return {f"ARD_Info_{n}": str(contents.get(f"Text{n}") or "") for n in range(1, 5)}


def main():
    sal.add_plugin_results("ARD_Info", fields())


if __name__ == "__main__":
    main()
