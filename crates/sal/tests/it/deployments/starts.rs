//! The program takes the environment of every deployment as it stands: nothing in it is refused, unknown or in need of
//! another word. There is no database behind it; a server that waits for one has read everything.

use std::collections::BTreeMap;

use serde_json::Value;

use super::checkers::{path, read, rendered, text};
use super::composed;
use crate::server::Server;
use crate::stage::Settings;

/// An example for what is filled in when the deployment is made.
const FILLED: &[(&str, &str)] = &[
    ("AWS::Region", "us-west-2"),
    (
        "DatabaseHost",
        "sal.abcdefghijk0.us-west-2.rds.amazonaws.com",
    ),
    ("DatabasePort", "5432"),
    ("DatabaseName", "sal"),
    ("DatabaseUser", "salawsiam"),
    ("ExpectRole", "sal"),
    ("PublicUrl", "https://sal.example.org"),
    ("LoadBalancerNetworks", "10.0.12.0/24,10.0.13.0/24"),
    ("TimeZone", "UTC"),
    ("OidcIssuer", "https://login.example.org"),
    ("OidcClientId", "sal"),
];

type Environment = BTreeMap<String, String>;

/// A value of CloudFormation, with what is chosen when the stack is made.
fn filled(value: &Value) -> String {
    let name = match value["Ref"].as_str() {
        Some(name) => name,
        None => return value.as_str().unwrap().to_owned(),
    };
    let found = FILLED.iter().find(|(known, _)| *known == name);
    found.unwrap_or_else(|| panic!("{name}")).1.to_owned()
}

fn of_ecs() -> Environment {
    let path = path("ecs/sal.yaml");
    let template = read("cloudformation", std::slice::from_ref(&path));
    let task = &template[&path]["Resources"]["Task"]["Properties"];
    let variables = task["ContainerDefinitions"][0]["Environment"].as_array();
    let always_or_if = |variable: &Value| variable["Fn::If"].get(1).unwrap_or(variable).clone();
    variables
        .unwrap()
        .iter()
        .map(always_or_if)
        .map(|it| {
            (
                it["Name"].as_str().unwrap().to_owned(),
                filled(&it["Value"]),
            )
        })
        .collect()
}

fn of_chart(example: &str) -> Environment {
    let objects = rendered(example, &[]);
    let server = objects
        .iter()
        .find(|it| it["kind"] == "Deployment" && it["metadata"]["name"] == "sal");
    let container = &server.unwrap()["spec"]["template"]["spec"]["containers"][0];
    let pair = |it: &Value| {
        let [name, value] = ["name", "value"].map(|key| it[key].as_str().unwrap().to_owned());
        (name, value)
    };
    container["env"]
        .as_array()
        .unwrap()
        .iter()
        .map(pair)
        .collect()
}

fn of_compose(file: &str) -> Environment {
    let project = composed(file);
    let variables = project["services"]["sal"]["environment"].as_object();
    let pair =
        |(name, value): (&String, &Value)| (name.clone(), value.as_str().unwrap().to_owned());
    variables.unwrap().iter().map(pair).collect()
}

fn of_systemd() -> Environment {
    let text = text("systemd/sal.env");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let pairs = lines.filter_map(|line| line.split_once('='));
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        // A port that somebody else may have on this machine.
        .filter(|(name, _)| name != "SAL_STATUS_LISTEN")
        .collect()
}

/// Starts a server with it, with an address where nothing answers.
async fn is_taken(whose: &str, environment: &Environment) {
    let mut settings = Settings::default();
    for (name, value) in environment {
        settings = match name.strip_suffix("_FILE") {
            Some(secret) => settings.with(secret, "four-blue-kettles-77"),
            None => settings.with(name, value),
        };
    }
    let settings = settings
        .with("SAL_DB_HOSTADDR", "127.0.0.1")
        .with("DB_PORT", "1")
        .with("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        .with("AWS_SECRET_ACCESS_KEY", "an-example-that-opens-nothing");
    let mut server = Server::launch(&settings);
    server.logged("not ready yet").await;
    assert!(server.stop().await.success(), "{whose}");
    let log = server.log();
    for complaint in ["did you mean", "is not set", "is unknown", "has mistakes"] {
        assert!(!log.contains(complaint), "{whose}: {log}");
    }
}

#[tokio::test]
async fn the_program_takes_the_environment_of_every_deployment() {
    let all = [
        ("ecs", of_ecs()),
        ("compose", of_compose("compose.yaml")),
        ("compose with RDS", of_compose("rds.yaml")),
        ("systemd", of_systemd()),
        ("chart with IRSA", of_chart("irsa.yaml")),
        ("chart with Pod Identity", of_chart("pod-identity.yaml")),
        ("chart with everything", of_chart("everything.yaml")),
        ("chart with a password", of_chart("password.yaml")),
    ];
    for (whose, mut environment) in all {
        assert!(environment.len() > 6, "{whose}: {environment:?}");
        // The provider of the examples is on no network that a test may ask.
        environment.retain(|name, _| !name.starts_with("SAL_OIDC_"));
        environment.remove("SAL_STATUS_LISTEN");
        is_taken(whose, &environment).await;
    }
}
