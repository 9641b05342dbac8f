//! Plugins of a former deployment that are not run here are named at the start.

use crate::server::Server;
use crate::stage::Stage;

#[tokio::test]
async fn plugins_that_are_enabled_and_not_run_are_named_with_the_reason() {
    let stage = Stage::set().await;
    stage.of_the_original().await;
    stage
        .run(
            "INSERT INTO server_plugin (name, \"order\") VALUES ('Activity', 1), ('BatteryHealth', 2), ('OldWidget', 3);
             INSERT INTO server_report (name) VALUES ('OldReport');
             INSERT INTO server_machinedetailplugin (name, \"order\") VALUES ('OldDetail', 1)",
        )
        .await;
    let folder = tempfile::tempdir().unwrap();
    let plugin = folder.path().join("battery");
    std::fs::create_dir(&plugin).unwrap();
    let ini = "[Core]\nName = BatteryHealth\nModule = battery\n";
    std::fs::write(plugin.join("battery.yapsy-plugin"), ini).unwrap();
    std::fs::write(
        plugin.join("battery.py"),
        "class BatteryHealth(sal.plugin.Widget):\n",
    )
    .unwrap();
    let settings = stage
        .settings()
        .with("SAL_PLUGIN_DIR", folder.path().to_str().unwrap());
    let log = Server::start(&settings).await.log();
    for said in [
        "the widget `BatteryHealth` is a Python plugin and is not run",
        "the widget `OldWidget` is enabled in the database, and this server has no plugin of that name",
        "the report `OldReport` is enabled in the database",
        "the machine detail `OldDetail` is enabled in the database",
    ] {
        assert_eq!(log.matches(said).count(), 1, "{said} in\n{log}");
    }
    assert!(!log.contains("`Activity`"), "{log}");
}
