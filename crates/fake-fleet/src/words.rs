//! The words machines and packages are named with.

/// First names of console users.
pub(crate) const FIRST_NAMES: &[&str] = &[
    "ada", "alan", "amina", "barbara", "beatriz", "chen", "claude", "dennis", "dorothy", "edsger",
    "elena", "frances", "grace", "hedy", "ivan", "james", "jean", "joan", "kateryna", "ken",
    "leslie", "linus", "margaret", "mateo", "niklaus", "noor", "olga", "priya", "radia", "robin",
    "shafi", "sophie", "tim", "vint", "wei", "yuki", "zoë",
];

/// Last names of console users.
pub(crate) const LAST_NAMES: &[&str] = &[
    "allen",
    "backus",
    "booth",
    "cerf",
    "church",
    "codd",
    "dijkstra",
    "engelbart",
    "floyd",
    "goldwasser",
    "hamilton",
    "hoare",
    "hopper",
    "johnson",
    "kay",
    "knuth",
    "lamport",
    "liskov",
    "lovelace",
    "mccarthy",
    "milner",
    "nygaard",
    "perlman",
    "ritchie",
    "shannon",
    "thompson",
    "turing",
    "vaughan",
    "wilson",
    "wirth",
];

/// Makers of the packages in the Munki repository.
pub(crate) const VENDORS: &[&str] = &[
    "Aurora", "Basalt", "Cedar", "Delta", "Ember", "Fjord", "Granite", "Harbor", "Indigo",
    "Juniper", "Kestrel", "Lumen", "Meridian", "Nimbus", "Opal", "Pinnacle", "Quartz", "Ridge",
    "Summit", "Tundra",
];

/// What those packages are.
pub(crate) const PRODUCTS: &[&str] = &[
    "Agent",
    "Backup",
    "Browser",
    "Builder",
    "Calendar",
    "Capture",
    "Connect",
    "Converter",
    "Drive",
    "Editor",
    "Fonts",
    "Mail",
    "Meeting",
    "Monitor",
    "Notes",
    "Player",
    "Proxy",
    "Recorder",
    "Studio",
    "Sync",
    "Terminal",
    "Vault",
    "Viewer",
    "Writer",
];

/// Packages that nearly every Munki repository has, first in the catalogue.
pub(crate) const WELL_KNOWN: &[&str] = &[
    "Firefox",
    "Google Chrome",
    "Slack",
    "zoom.us",
    "Microsoft Word",
    "Microsoft Excel",
    "Microsoft Outlook",
    "Visual Studio Code",
    "Docker",
    "1Password",
    "Munki Tools",
    "Sal Scripts",
];

/// Offices, as a Munki condition reports them.
pub(crate) const SITES: &[&str] = &["London", "Berlin", "Austin", "São Paulo", "Remote"];

/// Departments, as a Munki condition reports them.
pub(crate) const DEPARTMENTS: &[&str] = &["IT", "Design", "Finance", "R&D", "Sales"];

/// What Munki reports as an error.
pub(crate) const ERRORS: &[&str] = &[
    "Could not retrieve managed install primary manifest.",
    "Download of GoogleChrome-141.0.7390.55.dmg failed: error -1001: The request timed out.",
    "Could not process item CedarWriter for install. No pkginfo found in catalogs: production",
];

/// What Munki reports as a warning.
pub(crate) const WARNINGS: &[&str] = &[
    "Could not download icon for Slack: 404",
    "Package MicrosoftOffice-16.101 was not found in the repo cache",
    "Item GarageBand has no installs array",
    "Product verification skipped for Zoom-6.6.0",
    "Unattended install of Firefox skipped: Firefox is running – “try again later”",
];

/// Apple updates a Mac has installed, newest last.
pub(crate) const APPLE_UPDATES: &[(&str, &str)] = &[
    ("macOS Monterey 12.7.6", "12.7.6"),
    ("macOS Ventura 13.7", "13.7"),
    ("Safari", "18.6"),
    ("Command Line Tools for Xcode", "16.4"),
    ("macOS Sonoma 14.7.8", "14.7.8"),
    ("XProtectPlistConfigData", "5310"),
    ("Gatekeeper Configuration Data", "94"),
    ("macOS Sequoia 15.6.1", "15.6.1"),
    ("Rosetta 2", "1.0.0"),
    ("macOS Tahoe 26.0.1", "26.0.1"),
];

/// Payload types of configuration profiles.
pub(crate) const PAYLOADS: &[&str] = &[
    "com.apple.wifi.managed",
    "com.apple.mobiledevice.passwordpolicy",
    "com.apple.MCX",
    "com.apple.security.firewall",
    "com.apple.systempolicy.control",
    "com.apple.TCC.configuration-profile-policy",
    "com.apple.ManagedClient.preferences",
    "com.apple.notificationsettings",
    "com.apple.system-extension-policy",
    "com.apple.webcontent-filter",
    "com.apple.security.root",
    "com.apple.loginwindow",
];

/// Applications that come with macOS.
pub(crate) const SYSTEM_APPLICATIONS: &[&str] = &[
    "App Store",
    "Automator",
    "Books",
    "Calculator",
    "Calendar",
    "Chess",
    "Clock",
    "Contacts",
    "Dictionary",
    "FaceTime",
    "Find My",
    "Font Book",
    "Freeform",
    "Home",
    "Image Capture",
    "Launchpad",
    "Mail",
    "Maps",
    "Messages",
    "Mission Control",
    "Music",
    "News",
    "Notes",
    "Photo Booth",
    "Photos",
    "Podcasts",
    "Preview",
    "QuickTime Player",
    "Reminders",
    "Safari",
    "Shortcuts",
    "Siri",
    "Stickies",
    "Stocks",
    "System Settings",
    "TextEdit",
    "Time Machine",
    "TV",
    "Voice Memos",
    "Weather",
];
