//! `sal user list|add|password|level|staff` and `sal key`: what `manage.py` was for.

use std::process::Stdio;

use sal_http::api_token::TokenSecret;
use serde_json::Value;
use tokio::io::AsyncWriteExt;

use crate::stage::{Settings, Stage};

const PASSWORD: &str = "four blue kettles";

async fn stage() -> Stage {
    let stage = Stage::set().await;
    let made = stage.password_settings().run(&["db", "init"]).await;
    assert_eq!(made.code, Some(0), "{made:?}");
    stage
        .run("SET ROLE sal; INSERT INTO server_businessunit (name) VALUES ('Science'), ('Arts')")
        .await;
    stage
}

/// Runs a command with something on its standard input: exit code, standard output, standard error.
async fn typed(settings: &Settings, arguments: &[&str], input: &str) -> (i32, String, String) {
    let mut child = settings
        .command(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // Whoever does not ask does not read.
    let _unread = stdin.write_all(input.as_bytes()).await;
    drop(stdin);
    let ended = child.wait_with_output().await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let code = ended.status.code().unwrap();
    (code, text(ended.stdout), text(ended.stderr))
}

#[tokio::test]
async fn users_are_made_and_changed_as_on_the_pages_and_noted() {
    let stage = stage().await;
    let settings = stage.password_settings();
    let root = [
        "user",
        "add",
        "root",
        "--level",
        "GA",
        "--superuser",
        "--password-stdin",
    ];
    let (code, _, told) = typed(&settings, &root, "four blue kettles\n").await;
    assert_eq!(code, 0, "{told}");
    let anna = [
        "user",
        "add",
        "anna",
        "--level",
        "rw",
        "--unit",
        "Science",
        "--unit",
        "Arts",
        "--password-stdin",
        "--json",
    ];
    let (code, report, told) = typed(&settings, &anna, PASSWORD).await;
    assert_eq!(code, 0, "{told}");
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["level"], "RW", "{report}");
    let listed = settings.run(&["user", "list", "--json"]).await;
    let list: Value = serde_json::from_str(&listed.stdout).unwrap();
    assert_eq!(
        list[0]["units"],
        serde_json::json!(["Arts", "Science"]),
        "{list}"
    );
    assert_eq!(list[1]["superuser"], true, "{list}");
    let listed = settings.run(&["user", "list"]).await;
    assert_eq!(
        listed.stdout,
        "anna  RW, units: Arts, Science\nroot  GA, staff, superuser\n"
    );
    assert_stored_as_django_does(&stage).await;
    change_password_of_anna(&stage, &settings).await;
    hand_over_to_anna(&settings).await;
    let audit = "SELECT string_agg(username || ' ' || action || ' ' || object_name || ': ' || detail, '; ' ORDER BY id) FROM salrs_audit";
    assert_eq!(
        stage.value(audit).await,
        "(command line) made root: level Global admin, superuser and staff; \
         (command line) made anna: level Read and write, Science, Arts; \
         (command line) changed anna: a new password; \
         (command line) changed anna: level Read and write → Global admin; \
         (command line) changed anna: is staff now; \
         (command line) changed root: no longer staff; \
         (command line) changed root: level Global admin → Read only, no superuser any more"
    );
}

async fn assert_stored_as_django_does(stage: &Stage) {
    let stored = "SELECT string_agg(substr(password, 1, 21), ',') FROM auth_user";
    assert_eq!(
        stage.value(stored).await,
        "pbkdf2_sha256$600000$,pbkdf2_sha256$600000$"
    );
}

/// The new password counts, and the sessions of the old one end.
async fn change_password_of_anna(stage: &Stage, settings: &Settings) {
    stage
        .run("SET ROLE sal; INSERT INTO salrs_session (token_hash, user_id, created, last_seen, expires) SELECT decode(repeat('ab', 32), 'hex'), id, now(), now(), now() + '1 day' FROM auth_user WHERE username = 'anna'")
        .await;
    let before = stage
        .value("SELECT password FROM auth_user WHERE username = 'anna'")
        .await;
    let password = ["user", "password", "anna", "--password-stdin"];
    let (code, _, told) = typed(settings, &password, "twelve red kettles\n").await;
    assert_eq!(code, 0, "{told}");
    let after = stage
        .value("SELECT password FROM auth_user WHERE username = 'anna'")
        .await;
    assert_ne!(before, after);
    assert_eq!(stage.value("SELECT count(*) FROM salrs_session").await, "0");
}

async fn hand_over_to_anna(settings: &Settings) {
    for arguments in [
        &["user", "level", "anna", "GA"][..],
        &["user", "staff", "anna"],
        &["user", "staff", "root", "--remove"],
    ] {
        let ended = settings.run(arguments).await;
        assert_eq!(ended.code, Some(0), "{ended:?}");
    }
    // A Django Sal asks whether somebody is a superuser, not which level they have.
    let ended = settings.run(&["user", "level", "root", "RO"]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let list = settings.run(&["user", "list", "--json"]).await.stdout;
    let list: Value = serde_json::from_str(&list).unwrap();
    let root = list
        .as_array()
        .unwrap()
        .iter()
        .find(|user| user["name"] == "root");
    assert_eq!(root.unwrap()["superuser"], false, "{list}");
    // Now she is the last one.
    for arguments in [
        &["user", "staff", "anna", "--remove"][..],
        &["user", "level", "anna", "RO"],
    ] {
        let ended = settings.run(arguments).await;
        assert_eq!(ended.code, Some(3), "{ended:?}");
        assert!(
            ended.stderr.contains("last active global admin"),
            "{ended:?}"
        );
    }
}

/// Arguments, what is typed, the exit code, and words of the message.
type Refused<'a> = (&'a [&'a str], &'a str, i32, &'a str);
const REFUSED: &[Refused<'_>] = &[
    (
        &["user", "add", "anna", "--password-stdin"],
        PASSWORD,
        3,
        "upper or lower case",
    ),
    (&["user", "add", "ben", "--password-stdin"], "", 3, "empty"),
    (
        &["user", "add", "ben", "--password-stdin"],
        "short",
        3,
        "10 characters",
    ),
    (
        &["user", "add", "ben", "--password-stdin"],
        "password123",
        3,
        "commonest",
    ),
    (
        &["user", "add", "benedict.arnold", "--password-stdin"],
        "benedictarnold",
        3,
        "similar",
    ),
    (
        &[
            "user",
            "add",
            "ben",
            "--unit",
            "Nowhere",
            "--password-stdin",
        ],
        PASSWORD,
        3,
        "there are: Arts, Science",
    ),
    (&["user", "add", "ben"], PASSWORD, 3, "--password-stdin"),
    (
        &["user", "add", "a b", "--password-stdin"],
        PASSWORD,
        2,
        "letters, digits",
    ),
    (
        &["user", "add", "ben", "--staff", "--password-stdin"],
        PASSWORD,
        2,
        "--level GA",
    ),
    (
        &["user", "add", "ben", "--level", "XX"],
        PASSWORD,
        2,
        "GA, RW, RO, SO",
    ),
    (
        &["user", "password", "carl", "--password-stdin"],
        PASSWORD,
        3,
        "no user `carl`",
    ),
    (
        &["user", "password", "Anna", "--password-stdin"],
        "\n",
        3,
        "empty",
    ),
    (&["user", "level", "carl", "GA"], "", 3, "no user `carl`"),
    (&["user", "staff", "Anna"], "", 3, "sal user level Anna GA"),
];

#[tokio::test]
async fn what_cannot_be_a_user_is_refused_with_a_sentence_and_changes_nothing() {
    let stage = stage().await;
    let settings = stage.password_settings();
    let add = ["user", "add", "Anna", "--password-stdin"];
    assert_eq!(typed(&settings, &add, PASSWORD).await.0, 0);
    for (arguments, input, code, words) in REFUSED {
        let (ended, out, told) = typed(&settings, arguments, input).await;
        assert_eq!((ended, out.as_str()), (*code, ""), "{arguments:?}: {told}");
        assert!(told.contains(words), "{words}: {told}");
        assert!(!told.contains("kettles"), "{told}");
    }
    assert_eq!(stage.value("SELECT count(*) FROM auth_user").await, "1");
    assert_eq!(stage.value("SELECT count(*) FROM salrs_audit").await, "1");
}

#[tokio::test]
async fn keys_of_the_api_are_made_shown_once_and_revoked() {
    let stage = stage().await;
    let settings = stage.password_settings();
    let run = async |arguments: &[&str]| settings.run(arguments).await;
    let made = run(&["key", "add", "grafana", "--json"]).await;
    assert_eq!(made.code, Some(0), "{made:?}");
    let key: Value = serde_json::from_str(&made.stdout).unwrap();
    let (public, private) = (
        key["public_key"].as_str().unwrap(),
        key["private_key"].as_str().unwrap(),
    );
    assert_eq!((public.len(), private.len()), (24, 64));
    let row = "SELECT name || ' ' || public_key || ' ' || private_key || ' ' || has_been_seen || ' ' || read_write FROM server_apikey";
    assert_eq!(
        stage.value(row).await,
        format!("grafana {public} {private} true false")
    );
    let other = run(&["key", "add", "autopkg", "--read-write"]).await;
    assert!(
        other.stdout.starts_with("PUBLICKEY: ") && other.stdout.contains("\nPRIVATEKEY: "),
        "{other:?}"
    );
    let listed = run(&["key", "list"]).await;
    assert!(
        listed
            .stdout
            .contains(&format!("{public}  read  grafana\n")),
        "{listed:?}"
    );
    assert!(!format!("{listed:?}").contains(private), "{listed:?}");
    for (arguments, code, words) in [
        (&["key", "add", "grafana"][..], 3, "already"),
        (&["key", "add", " "], 2, "1 to 255"),
        (&["key", "revoke", "nobody", "--yes"], 3, "sal key list"),
        (&["key", "revoke", "grafana"], 4, "--yes"),
    ] {
        let ended = run(arguments).await;
        assert_eq!(ended.code, Some(code), "{ended:?}");
        assert!(ended.stderr.contains(words), "{ended:?}");
    }
    assert_eq!(
        run(&["key", "revoke", "autopkg", "--yes"]).await.code,
        Some(0)
    );
    assert_eq!(run(&["key", "revoke", public, "--yes"]).await.code, Some(0));
    assert_eq!(stage.value("SELECT count(*) FROM server_apikey").await, "0");
    let audit = "SELECT string_agg(action || ' ' || object_name || ': ' || detail, '; ' ORDER BY id) FROM salrs_audit";
    assert_eq!(
        stage.value(audit).await,
        "made grafana: read; made autopkg: read and write; deleted autopkg: read and write; deleted grafana: read"
    );
}

/// A global admin, somebody else, and a unit.
const OWNERS: &str = "SET ROLE sal;
        INSERT INTO auth_user (username, password, is_superuser, is_staff, is_active, first_name, last_name, email, date_joined)
        VALUES ('anna', '!', true, true, true, '', '', '', now()), ('ben', '!', false, false, true, '', '', '', now());
        INSERT INTO server_userprofile (user_id, level) SELECT id, CASE username WHEN 'anna' THEN 'GA' ELSE 'RW' END FROM auth_user;
        INSERT INTO server_businessunit (name) VALUES ('Labs')";

#[tokio::test]
async fn tokens_of_the_api_are_made_renewed_and_revoked() {
    let stage = stage().await;
    let settings = stage.password_settings();
    let run = async |arguments: &[&str]| {
        let words = ["key", "token"].iter().chain(arguments).copied();
        settings.run(&words.collect::<Vec<_>>()).await
    };
    stage.run(OWNERS).await;
    let create = [
        "create", "imaging", "--owner", "anna", "--write", "--unit", "Labs",
    ];
    let made = run(&create).await;
    assert_eq!(made.code, Some(0), "{made:?}");
    let first = TokenSecret::parse(made.stdout.trim_end()).unwrap();
    let hashes = |column: &str| format!("SELECT encode({column}, 'hex') FROM salrs_api_token");
    let hex = |secret: &TokenSecret| -> String {
        let hash = secret.hash();
        hash.iter().map(|byte| format!("{byte:02x}")).collect()
    };
    assert_eq!(stage.value(&hashes("secret_hash")).await, hex(&first));
    let renewed = run(&["rotate", "imaging", "--overlap-days", "2", "--json"]).await;
    let renewed: Value = serde_json::from_str(&renewed.stdout).unwrap();
    let second = TokenSecret::parse(renewed["token"].as_str().unwrap()).unwrap();
    assert_eq!(stage.value(&hashes("secret_hash")).await, hex(&second));
    assert_eq!(stage.value(&hashes("former_hash")).await, hex(&first));
    let listed = run(&["list"]).await;
    let line = "imaging  works  of anna  read and write  Labs  never used\n";
    assert_eq!(listed.stdout, line);
    for (arguments, code, words) in [
        (&create[..], 3, "already"),
        (
            &["create", "x", "--owner", "ben"],
            3,
            "no active global admin",
        ),
        (&["create", "x", "--owner", "carl"], 3, "sal user list"),
        (
            &["create", "x", "--owner", "anna", "--unit", "Nope"],
            3,
            "no business unit `Nope`",
        ),
        (
            &["create", "x", "--owner", "anna", "--days", "9999"],
            2,
            "1 to 3650 days",
        ),
        (&["rotate", "x"], 3, "sal key token list"),
        (&["revoke", "imaging"], 4, "--yes"),
    ] {
        let ended = run(arguments).await;
        assert_eq!(ended.code, Some(code), "{ended:?}");
        assert!(ended.stderr.contains(words), "{ended:?}");
    }
    assert_eq!(run(&["revoke", "imaging", "--yes"]).await.code, Some(0));
    assert_eq!(run(&["rotate", "imaging"]).await.code, Some(3));
    let audit = "SELECT string_agg(action || ' ' || object_name || ': ' || detail, '; ' ORDER BY id) FROM salrs_audit";
    let noted = "made imaging: read and write; renewed imaging: the previous secret works for 2 more days; revoked imaging: ";
    assert_eq!(stage.value(audit).await, noted);
}

#[tokio::test]
async fn q190_a_group_gets_another_key_by_hand_and_the_one_before_ends_when_it_is_told_to() {
    let stage = stage().await;
    let settings = stage.password_settings();
    let sql = "SET ROLE sal;
               INSERT INTO server_businessunit (name) VALUES ('Labs'), ('Office');
               INSERT INTO server_machinegroup (business_unit_id, name, key) SELECT id, 'Macs', md5(name) FROM server_businessunit;
               INSERT INTO server_machinegroup (business_unit_id, name, key) SELECT id, 'Carts', 'first' FROM server_businessunit WHERE name = 'Labs'";
    stage.run(sql).await;
    let run = async |arguments: &[&str]| {
        let words = ["key", "group"].iter().chain(arguments).copied();
        settings.run(&words.collect::<Vec<_>>()).await
    };
    let rotated = run(&["rotate", "Carts"]).await;
    assert_eq!(rotated.code, Some(0), "{rotated:?}");
    let key = "SELECT key FROM server_machinegroup WHERE name = 'Carts'";
    assert_eq!(rotated.stdout, format!("{}\n", stage.value(key).await));
    let former = "SELECT count(*)::text || bool_and(key_hash = sha256('first') AND ends > now() + '29 days')::text FROM salrs_group_key";
    assert_eq!(stage.value(former).await, "1true");
    let listed = run(&["list", "--json"]).await;
    let listed: Value = serde_json::from_str(&listed.stdout).unwrap();
    for group in listed.as_array().unwrap() {
        let is_carts = group["name"] == "Carts";
        assert_eq!(group["previous_key_ends"].is_string(), is_carts, "{listed}");
    }
    for (arguments, code, words) in [
        (&["rotate", "Macs"][..], 3, "give the number of one"),
        (&["rotate", "Nope"], 3, "sal key group list"),
        (&["rotate", "Carts", "--overlap-days", "366"], 2, "0..=365"),
        (&["end", "Carts"], 4, "--yes"),
    ] {
        let ended = run(arguments).await;
        assert_eq!(ended.code, Some(code), "{ended:?}");
        assert!(ended.stderr.contains(words), "{ended:?}");
    }
    assert_eq!(stage.value(former).await, "1true");
    // A key that got known: neither it nor those before it work.
    let id = "SELECT id::text FROM server_machinegroup WHERE name = 'Carts'";
    let id = stage.value(id).await;
    let at_once = run(&["rotate", &id, "--overlap-days", "0", "--json"]).await;
    let at_once: Value = serde_json::from_str(&at_once.stdout).unwrap();
    assert_eq!(at_once["key"], stage.value(key).await.as_str());
    let left = "SELECT count(*)::text FROM salrs_group_key";
    assert_eq!(stage.value(left).await, "0");
    assert_eq!(run(&["rotate", "Carts"]).await.code, Some(0));
    assert_eq!(run(&["end", "Carts", "--yes"]).await.code, Some(0));
    assert_eq!(stage.value(left).await, "0");
    let audit = "SELECT string_agg(object_name || ': ' || regexp_replace(detail, 'until .*', 'until'), '; ' ORDER BY id) FROM salrs_audit";
    let noted = "Carts: the key was replaced; the one before works until; Carts: the key was replaced; the one before does not \
                 work any more; Carts: the key was replaced; the one before works until; Carts: the previous key was ended";
    assert_eq!(stage.value(audit).await, noted);
}

#[tokio::test]
async fn called_as_run_sh_it_is_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let run_sh = folder.path().join("run.sh");
    std::os::unix::fs::symlink(crate::stage::SAL, &run_sh).unwrap();
    let started = async |arguments: &[&str]| {
        let mut command = Settings::default().command_named(run_sh.to_str().unwrap());
        let ended = command.args(arguments).output().await.unwrap();
        (
            ended.status.code(),
            String::from_utf8(ended.stderr).unwrap(),
        )
    };
    let (code, told) = started(&[]).await;
    assert_eq!(code, Some(2));
    assert!(told.contains("error: DB_USER is not set"), "{told}");
    let (code, told) = started(&["db", "fly"]).await;
    assert_eq!(code, Some(2));
    assert!(told.contains("unrecognized subcommand 'fly'"), "{told}");
}
