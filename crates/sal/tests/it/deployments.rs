//! The files below `deploy/`, judged by the programs that read them: each is valid, safe, and true to this program.

mod checkers;
mod names;
mod policies;
mod starts;

use serde_json::{Value, json};

use self::checkers::{checker, files, passes, path, read, refuses, rendered, template, text};

const EXAMPLES: &[&str] = &[
    "irsa.yaml",
    "pod-identity.yaml",
    "everything.yaml",
    "password.yaml",
];

/// The files of compose as Docker Compose itself reads them.
fn composed(file: &str) -> Value {
    let mut command = checker("docker-compose");
    let printed = passes(
        command
            .env("AWS_RDS_REGION", "us-west-2")
            .env("DB_HOST", "sal.example.org")
            .args(["--file", &format!("compose/{file}")])
            .args(["config", "--format", "json"]),
    );
    serde_json::from_str(&printed).unwrap()
}

#[test]
fn docker_compose_takes_its_files_and_servers_in_them_have_no_rights() {
    for file in ["compose.yaml", "rds.yaml", "rehearsal.yaml"] {
        let project = composed(file);
        let sal = &project["services"]["sal"];
        assert_eq!(sal["read_only"], json!(true), "{file}");
        assert_eq!(sal["cap_drop"], json!(["ALL"]), "{file}");
        assert_eq!(sal["security_opt"], json!(["no-new-privileges:true"]));
        assert!(sal["mem_limit"].is_string(), "{file}");
        assert_eq!(sal["stop_grace_period"], json!("30s"));
        for (name, service) in project["services"].as_object().unwrap() {
            assert!(service["mem_limit"].is_string(), "{name} of {file}");
            for port in service["ports"].as_array().into_iter().flatten() {
                assert_eq!(port["host_ip"], json!("127.0.0.1"), "{name} of {file}");
            }
        }
    }
}

#[test]
fn compose_waits_for_the_database_and_hands_passwords_over_as_files() {
    let project = composed("compose.yaml");
    let sal = &project["services"]["sal"];
    assert_eq!(
        sal["depends_on"]["db"]["condition"],
        json!("service_healthy")
    );
    assert_eq!(project["networks"]["inside"]["internal"], json!(true));
    for service in ["db", "sal"] {
        for (name, value) in project["services"][service]["environment"]
            .as_object()
            .unwrap()
        {
            let is_path = value.as_str().unwrap().starts_with("/run/secrets/");
            assert_eq!(name.contains("PASS"), is_path, "{name}");
        }
    }
    assert!(project["services"]["db"].get("ports").is_none());
}

#[test]
fn cfn_lint_finds_nothing_in_the_template_of_ecs() {
    passes(checker("cfn-lint").args(["--include-checks", "I", "--", "ecs/sal.yaml"]));
}

#[test]
fn a_task_of_ecs_is_drained_before_it_is_killed() {
    let path = path("ecs/sal.yaml");
    let resources = &read("cloudformation", std::slice::from_ref(&path))[&path]["Resources"];
    let container = &resources["Task"]["Properties"]["ContainerDefinitions"][0];
    let drain = container["Environment"].as_array().unwrap().iter();
    let mut drain = drain.filter(|variable| variable["Name"] == "SAL_DRAIN_SECONDS");
    let drain: u64 = drain.next().unwrap()["Value"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!(container["StopTimeout"].as_u64().unwrap() >= drain + 5);
    assert_eq!(container["ReadonlyRootFilesystem"], json!(true));
    assert_eq!(container["User"], json!("65532:65532"));
    let service = &resources["Service"]["Properties"]["DeploymentConfiguration"];
    assert_eq!(service["MinimumHealthyPercent"], json!(100));
    assert_eq!(service["DeploymentCircuitBreaker"]["Rollback"], json!(true));
    let target = &resources["TargetGroup"]["Properties"];
    assert_eq!(target["HealthCheckPath"], json!("/readyz"));
}

#[test]
fn the_chart_passes_lint_and_the_schemas_of_kubernetes_with_every_example() {
    for example in EXAMPLES {
        let values = format!("helm/sal/ci/{example}");
        passes(checker("helm").args(["lint", "--strict", "helm/sal", "--values", &values]));
        let printed = passes(&mut template(example, &[]));
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), printed).unwrap();
        for version in ["1.30", "1.37"] {
            passes(
                checker("kubernetes-validate")
                    .args(["--strict", "--kubernetes-version", version])
                    .arg(file.path()),
            );
        }
    }
    let listed = files().into_iter().filter(|path| {
        let folder = path.parent().and_then(|folder| folder.file_name());
        folder.is_some_and(|name| name == "ci")
    });
    assert_eq!(listed.count(), EXAMPLES.len());
}

#[test]
fn the_chart_refuses_values_that_cannot_work_and_says_why() {
    for (example, option, words) in [
        (
            "irsa.yaml",
            "aws.roleArn=",
            "aws.roleArn is needed with IRSA",
        ),
        ("irsa.yaml", "aws.roleArn=sal", "does not match pattern"),
        ("irsa.yaml", "database.host=", "/database/host"),
        ("irsa.yaml", "database.host=postgres://db", "/database/host"),
        ("irsa.yaml", "database.hots=db", "hots"),
        ("irsa.yaml", "aws.iam=false", "existingSecret needs DB_PASS"),
        (
            "irsa.yaml",
            "secretKeys={ADMIN_PASS}",
            "secretKeys needs existingSecret",
        ),
        ("irsa.yaml", "relay.enabled=true", "needed"),
        (
            "irsa.yaml",
            "oldSal.enabled=true",
            "existingSecret with SAL_RELAY_PASSWORD",
        ),
        (
            "irsa.yaml",
            "settings.DB_HOST=other",
            "set database.host instead",
        ),
        (
            "irsa.yaml",
            "settings.SAL_DRAIN_SECONDS=5",
            "set drainSeconds instead",
        ),
        (
            "irsa.yaml",
            "settings.ADMIN_PASS=x",
            "put it into existingSecret",
        ),
        ("irsa.yaml", "settings.sal_tz=UTC", "sal_tz"),
        ("irsa.yaml", "image.tag=1", "/image/tag"),
        ("irsa.yaml", "replicas=two", "/replicas"),
        (
            "irsa.yaml",
            "ingress.enabled=true",
            "ingress.host is needed",
        ),
        ("everything.yaml", "relay.from=null", "relay.from is needed"),
        (
            "password.yaml",
            "oldSal.enabled=true",
            "oldSal.enabled needs aws.iam",
        ),
    ] {
        refuses(&mut template(example, &["--set", option]), words);
    }
}

#[test]
fn numbers_and_flags_among_the_settings_become_the_texts_that_people_wrote() {
    let folder = tempfile::tempdir().unwrap();
    let values = folder.path().join("values.yaml");
    let written = "memoryBudget: 536870912\nsettings: {SAL_BODY_LIMIT: 10485760, SAL_DB_POOL_SIZE: 8, SAL_JOBS: false, SAL_SEARCH_FACTS: \"a, b\"}\n";
    std::fs::write(&values, written).unwrap();
    let objects = rendered("irsa.yaml", &["--values", values.to_str().unwrap()]);
    let (_, pod) = &pods(&objects)[0];
    let environment = pod["containers"][0]["env"].as_array().unwrap();
    for (name, value) in [
        ("SAL_MEMORY_BUDGET", "536870912"),
        ("SAL_BODY_LIMIT", "10485760"),
        ("SAL_DB_POOL_SIZE", "8"),
        ("SAL_JOBS", "false"),
        ("SAL_SEARCH_FACTS", "a, b"),
    ] {
        let found = environment.iter().find(|it| it["name"] == name);
        assert_eq!(found.unwrap()["value"], value, "{name}");
    }
}

#[test]
fn no_name_of_the_chart_is_longer_than_kubernetes_allows() {
    let long = "a-release-with-a-name-as-long-as-helm-lets-one-be-ok";
    let values = ["--values", "helm/sal/ci/everything.yaml"];
    let printed = passes(
        checker("helm")
            .args(["template", long, "helm/sal"])
            .args(values),
    );
    let names = printed.lines().filter_map(|line| {
        let line = line.trim_start();
        line.strip_prefix("name: ")
            .or_else(|| line.strip_prefix("app.kubernetes.io/instance: "))
    });
    for name in names {
        assert!(name.len() <= 63, "{name}");
    }
}

/// The pods of the objects, with the names of what makes them.
fn pods(objects: &[Value]) -> Vec<(String, Value)> {
    let deployments = objects.iter().filter(|it| it["kind"] == "Deployment");
    deployments
        .map(|it| {
            let name = it["metadata"]["name"].as_str().unwrap().to_owned();
            (name, it["spec"]["template"]["spec"].clone())
        })
        .collect()
}

#[test]
fn pods_of_the_chart_fulfil_the_restricted_profile() {
    for example in EXAMPLES {
        for (name, pod) in pods(&rendered(example, &[])) {
            assert_eq!(pod["enableServiceLinks"], json!(false), "{name}");
            assert_eq!(pod["automountServiceAccountToken"], json!(false), "{name}");
            let seccomp = &pod["securityContext"]["seccompProfile"]["type"];
            assert_eq!(seccomp, "RuntimeDefault", "{name}");
            let ours = ["containers", "initContainers"].into_iter();
            let ours = ours.filter_map(|list| pod[list].as_array()).flatten();
            for container in ours {
                assert!(container["resources"]["limits"]["memory"].is_string());
                let rights = &container["securityContext"];
                assert_eq!(rights["allowPrivilegeEscalation"], json!(false), "{name}");
                // The image of the original is not ours to change.
                if name == "sal-old" && container["name"] == "sal" {
                    continue;
                }
                assert_eq!(rights["readOnlyRootFilesystem"], json!(true), "{name}");
                assert_eq!(rights["capabilities"]["drop"], json!(["ALL"]), "{name}");
                let as_user = [
                    &rights["runAsNonRoot"],
                    &pod["securityContext"]["runAsNonRoot"],
                ];
                assert!(as_user.contains(&&json!(true)), "{name}");
            }
        }
    }
}

#[test]
fn a_pod_of_the_chart_is_drained_before_it_is_killed() {
    let more = ["--set", "preStopSeconds=7,drainSeconds=40"];
    let all = pods(&rendered("irsa.yaml", &more));
    let (_, pod) = &all[0];
    assert!(pod["terminationGracePeriodSeconds"].as_u64().unwrap() > 47);
    let server = &pod["containers"][0];
    assert_eq!(server["lifecycle"]["preStop"]["sleep"]["seconds"], json!(7));
    assert_eq!(server["livenessProbe"]["httpGet"]["path"], "/livez");
    assert_eq!(server["readinessProbe"]["httpGet"]["path"], "/readyz");
}

#[test]
fn irsa_and_pod_identity_reach_what_gives_them_credentials() {
    let find = |objects: &[Value], kind: &str| {
        let found = objects.iter().find(|it| it["kind"] == kind);
        found.unwrap().clone()
    };
    let irsa = rendered("irsa.yaml", &[]);
    let account = find(&irsa, "ServiceAccount");
    let role = &account["metadata"]["annotations"]["eks.amazonaws.com/role-arn"];
    assert_eq!(role, "arn:aws:iam::123456789012:role/sal");
    let policy = find(&irsa, "NetworkPolicy").to_string();
    assert!(!policy.contains("169.254.170.23"), "{policy}");
    let pod_identity = rendered("pod-identity.yaml", &[]);
    let account = find(&pod_identity, "ServiceAccount");
    assert!(account["metadata"].get("annotations").is_none());
    let policy = find(&pod_identity, "NetworkPolicy").to_string();
    assert!(policy.contains("169.254.170.23/32"), "{policy}");
    assert!(policy.contains("ingress-nginx"), "{policy}");
}

#[test]
fn the_original_sal_finds_the_relay_beside_it_and_has_no_password_of_the_database() {
    let objects = rendered("everything.yaml", &[]);
    let all = pods(&objects);
    let (_, pod) = all.iter().find(|(name, _)| name == "sal-old").unwrap();
    let relay = &pod["initContainers"][0];
    assert_eq!(relay["restartPolicy"], "Always");
    assert_eq!(relay["args"][0], "relay");
    let environment = pod["containers"][0]["env"].as_array().unwrap();
    let of = |name: &str| environment.iter().find(|it| it["name"] == name).unwrap();
    assert_eq!(of("DB_HOST")["value"], "127.0.0.1");
    assert_eq!(of("DB_PORT")["value"], "6432");
    let key = &of("DB_PASS")["valueFrom"]["secretKeyRef"]["key"];
    assert_eq!(key, "SAL_RELAY_PASSWORD");
}

#[test]
fn everything_that_the_module_of_terraform_refers_to_is_declared_and_used() {
    let names = [
        "main",
        "variables",
        "trust",
        "parameters",
        "outputs",
        "versions",
    ];
    let paths: Vec<String> = names
        .iter()
        .map(|name| path(&format!("terraform/{name}.tf")))
        .collect();
    let module = read("hcl", &paths);
    let all = |what: &str| -> std::collections::BTreeSet<String> {
        let lists = paths
            .iter()
            .flat_map(|path| module[path][what].as_array().unwrap());
        lists
            .map(|name| name.as_str().unwrap().to_owned())
            .collect()
    };
    let (declared, referred) = (all("declared"), all("references"));
    let unknown: Vec<_> = referred.difference(&declared).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    // Nothing refers to what is only made.
    let made = |name: &&String| name.starts_with("aws_");
    let unused: Vec<_> = declared
        .difference(&referred)
        .filter(|it| !made(it))
        .collect();
    assert!(unused.is_empty(), "{unused:?}");
    assert!(declared.len() > 25, "{declared:?}");
    let readme = text("terraform/README.md");
    for output in all("outputs") {
        let words = [&output, &output.replace('_', " ")];
        let is_told = words.iter().any(|word| readme.contains(word.as_str()));
        assert!(
            is_told || output.ends_with("_arn") || output == "resource_id",
            "{output}"
        );
    }
}

#[cfg(target_os = "linux")]
#[test]
fn systemd_takes_the_unit_and_calls_it_safe() {
    let folder = tempfile::tempdir().unwrap();
    let unit = folder.path().join("sal.service");
    // The program is not installed on this machine.
    let written = text("systemd/sal.service").replace("/usr/local/bin/sal", crate::stage::SAL);
    std::fs::write(&unit, written).unwrap();
    let analyze = || std::process::Command::new("systemd-analyze");
    passes(analyze().args(["verify", "--man=no"]).arg(&unit));
    let most = ["security", "--offline=true", "--no-pager", "--threshold=15"];
    passes(analyze().args(most).arg(&unit));
    let unit = text("systemd/sal.service");
    assert!(unit.contains("\nTimeoutStopSec=30s\n"));
    assert!(text("systemd/sal.env").contains("\nSAL_DRAIN_SECONDS=20\n"));
}
