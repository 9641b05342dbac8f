//! The plugin scripts that Macs run, run by the Python of the tests with a stand-in for the system's tools: their rows are
//! named and spelled as those of Sal's own scripts, because saved searches name them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use sal_plugins::Registry;
use serde_json::{Value, json};

/// Runs a script where the tools answer so, and returns what it reported.
fn report(plugin: &str, script: &str, tools: &Value) -> Value {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test finds what `./dev test` installed"
    )]
    let python = std::env::var_os("SAL_TESTS_PYTHON")
        .map_or_else(|| PathBuf::from("/var/tmp/sal-tests-python"), PathBuf::from);
    let registry = Registry::builtin();
    let script = registry.script(plugin, script).unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("script.py"), &script.content).unwrap();
    let output = Command::new(python.join("bin/python"))
        .args(["-c", DRIVER, &tools.to_string()])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{plugin}: {output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A module `sal` that prints what is reported, and tools and files that answer as told.
const DRIVER: &str = r#"
import builtins, io, json, runpy, subprocess, sys, types
tools = json.loads(sys.argv[1])
sal = types.ModuleType("sal")
sal.add_plugin_results = lambda plugin, data: print(json.dumps([plugin, data]))
sys.modules["sal"] = sal
def run(command, **_):
    answer = tools.get(command[-1] if command[0].endswith("plutil") else command[0])
    if answer is None:
        raise FileNotFoundError(command[0])
    text = answer if not command[0].endswith("plutil") else answer.encode()
    empty = "" if isinstance(text, str) else b""
    return subprocess.CompletedProcess(command, 0, text, empty)
subprocess.run = run
real_open = builtins.open
def fake_open(path, *rest, **more):
    if path in tools:
        return io.BytesIO(tools[path].encode())
    if str(path).startswith(("/Library", "/System", "/private")):
        raise FileNotFoundError(path)
    return real_open(path, *rest, **more)
builtins.open = fake_open
sys.argv = ["script.py"]
runpy.run_path("script.py", run_name="__main__")
"#;

/// `PREFS_TO_GET` of Sal 4.4.1's script, each once.
const PREFERENCES: &str = "\
    ManagedInstallDir SoftwareRepoURL ClientIdentifier LogFile LoggingLevel LogToSyslog \
    InstallAppleSoftwareUpdates AppleSoftwareUpdatesOnly SoftwareUpdateServerURL DaysBetweenNotifications \
    LastNotifiedDate UseClientCertificate SuppressUserNotification SuppressAutoInstall \
    SuppressStopButtonOnInstall PackageVerificationMode FollowHTTPRedirects UnattendedAppleUpdates \
    ClientCertificatePath ClientKeyPath LastAppleSoftwareUpdateCheck LastCheckDate LastCheckResult \
    SoftwareRepoCACertificate SoftwareRepoCAPath PackageURL CatalogURL ManifestURL IconURL ClientResourceURL \
    ClientResourcesFilename HelpURL UseClientCertificateCNAsClientIdentifier AdditionalHttpHeaders \
    SuppressLoginwindowInstall InstallRequiresLogout ShowRemovalDetail MSULogEnabled MSUDebugLogEnabled \
    LocalOnlyManifest";

fn plist(content: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><plist version=\"1.0\"><dict>{content}</dict></plist>"
    )
}

#[test]
fn q139_munkis_preferences_are_the_rows_that_sal_reports() {
    let managed = plist("<key>SoftwareRepoURL</key><string>https://munki.example.com</string>");
    let local = plist(
        "<key>SoftwareRepoURL</key><string>http://other</string><key>LastCheckDate</key><date>2026-03-01T08:13:17Z</date>
         <key>LastCheckResult</key><integer>1</integer><key>LogToSyslog</key><true/><key>OwnKey</key><string>x</string>
         <key>AdditionalHttpHeaders</key><array><string>Authorization: Basic c2VjcmV0</string></array>",
    );
    let found = report(
        "MunkiInfo",
        "munkiinfo.py",
        &json!({
            "/Library/Managed Preferences/ManagedInstalls.plist": managed,
            "/Library/Preferences/ManagedInstalls.plist": local,
        }),
    );
    assert_eq!(found[0], "MunkiInfo");
    let rows: BTreeMap<String, String> = serde_json::from_value(found[1].clone()).unwrap();
    let names: Vec<&str> = rows.keys().map(String::as_str).collect();
    let mut expected: Vec<&str> = PREFERENCES.split_whitespace().collect();
    expected.sort_unstable();
    assert_eq!(names, expected);
    for (name, value) in [
        ("SoftwareRepoURL", "https://munki.example.com"),
        ("LastCheckDate", "2026-03-01 08:13:17 +0000"),
        ("LastNotifiedDate", "1970-01-01 00:00:00 +0000"),
        ("LastCheckResult", "1"),
        ("LastAppleSoftwareUpdateCheck", "None"),
        ("LogToSyslog", "True"),
        ("MSULogEnabled", "None"),
        ("AdditionalHttpHeaders", "['Authorization: ***']"),
    ] {
        assert_eq!(rows[name], value, "{name}");
    }
}

/// Plugin, script, row, tool, what the tool says, what is reported.
const STATES: &str = "\
Encryption|encryption.py|FileVault|/usr/bin/fdesetup|FileVault is On.|Enabled
Encryption|encryption.py|FileVault|/usr/bin/fdesetup|FileVault is Off.|Disabled
Encryption|encryption.py|FileVault|/usr/bin/fdesetup|Error: something|Disabled
Encryption|encryption.py|FileVault|none||Not Supported
Gatekeeper|gatekeeper.py|Gatekeeper|/usr/sbin/spctl|assessments enabled|Enabled
Gatekeeper|gatekeeper.py|Gatekeeper|/usr/sbin/spctl|assessments disabled|Disabled
Sip|sip.py|SIP|/usr/bin/csrutil|System Integrity Protection status: enabled.|Enabled
Sip|sip.py|SIP|/usr/bin/csrutil|System Integrity Protection status: enabled (Custom Configuration).|Disabled
Sip|sip.py|SIP|/usr/bin/csrutil|System Integrity Protection status: unknown (Custom Configuration).|Disabled
Sip|sip.py|SIP|none||Not Supported";

#[test]
fn states_are_spelled_as_sals_scripts_spell_them() {
    for line in STATES.lines() {
        let [plugin, script, row, tool, answer, expected] =
            line.split('|').collect::<Vec<_>>().try_into().unwrap();
        let found = report(plugin, script, &json!({tool: answer}));
        assert_eq!(found, json!([plugin, {row: expected}]), "{line}");
    }
    let tools =
        json!({"/usr/bin/fdesetup": "FileVault is On.", "/usr/bin/csrutil": "status: disabled."});
    assert_eq!(
        report("MachineDetailSecurity", "machinedetailsecurity.py", &tools),
        json!(["MachineDetailSecurity", {"Filevault": "Enabled", "SIP": "Disabled", "Gatekeeper": "Not Supported"}])
    );
}

#[test]
fn versions_fields_and_times_are_spelled_as_sals_scripts_spell_them() {
    let version = |tools: &Value| {
        report("XprotectVersion", "xprotectversion.py", tools)[1]["Version"].clone()
    };
    assert_eq!(version(&json!({})), "Not supported");
    let bundle = "/Library/Apple/System/Library/CoreServices/XProtect.bundle/Contents/Info.plist";
    let info = |value: &str| {
        plist(&format!(
            "<key>CFBundleShortVersionString</key><string>{value}</string>"
        ))
    };
    assert_eq!(version(&json!({bundle: info("2176")})), "2176");
    let protected = "/private/var/protected/xprotect/XProtect.bundle/Contents/Info.plist";
    assert_eq!(
        version(&json!({bundle: info("2176"), protected: info("5301")})),
        "5301"
    );

    let ard = "/Library/Preferences/com.apple.RemoteDesktop.plist";
    let fields = plist("<key>Text1</key><string>desk 7</string><key>Text3</key><string></string>");
    assert_eq!(
        report("ARDInfo", "ard_info.py", &json!({ard: fields})),
        json!(["ARD_Info", {"ARD_Info_1": "desk 7", "ARD_Info_2": "", "ARD_Info_3": "", "ARD_Info_4": ""}])
    );

    let uptime = report(
        "Uptime",
        "uptime.py",
        &json!({"/usr/sbin/sysctl": "{ sec = 1000000000, usec = 5 } Sun Sep  9 2001\n"}),
    );
    let (days, seconds) = (
        uptime[1]["UptimeDays"].as_f64().unwrap(),
        uptime[1]["UptimeSeconds"].as_i64().unwrap(),
    );
    assert!(seconds > 700_000_000 && days > 8_000.0, "{uptime}");
    let future = report(
        "Uptime",
        "uptime.py",
        &json!({"/usr/sbin/sysctl": "{ sec = 99999999999, usec = 0 }\n"}),
    );
    assert_eq!(future[1]["UptimeSeconds"], -1);
}
