//! Wrong configuration and wrong usage: exit code 2, everything at once, no secret.

use crate::stage::Settings;

#[tokio::test]
async fn every_mistake_is_reported_at_once_and_no_secret_is_shown() {
    let settings = Settings::default()
        .with("AWS_IAM", "perhaps")
        .with("DB_PORT", "postgres")
        .with("DB_SSLMODE", "mostly")
        .with("SAL_DB_HOSTADDR", "over-there")
        .with("SAL_DB_FALLBACK", "prayer")
        .with("DOCKER_SAL_TZ", "Middle/Earth")
        .with("SAL_LOG_FORMAT", "sonnet")
        .with("SAL_PUBLIC_URL", "sal.example.org")
        .with("SAL_OIDC_ISSUER", "http://login.example.org")
        .with("SAL_OIDC_CLIENT_SECRET", "the-s3cret-of-the-client")
        .with("SAL_OIDC_LEVELS", "admins=GA,helpdesk=BOSS")
        .with("SAL_OIDC_ROOT_CA", "/nowhere/ca.pem")
        .with("DB_PASS", "the-s3cret-of-db")
        .with("ADMIN_PASS", "the-s3cret-of-admin");
    let ended = settings.run(&["serve", "--listen", "127.0.0.1:0"]).await;
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert_eq!(ended.stdout, "");
    let wrong = [
        "AWS_IAM",
        "DB_PORT",
        "DB_SSLMODE",
        "SAL_DB_HOSTADDR",
        "SAL_DB_FALLBACK",
        "DOCKER_SAL_TZ",
        "SAL_LOG_FORMAT",
        "SAL_PUBLIC_URL",
        "SAL_OIDC_ISSUER",
        "SAL_OIDC_CLIENT_ID",
        "SAL_OIDC_LEVELS: `helpdesk=BOSS`",
        "SAL_OIDC_ROOT_CA",
        "DB_NAME",
        "DB_USER",
    ];
    for name in wrong {
        let of_it = |line: &&str| line.starts_with("error: ") && line.contains(name);
        assert!(
            ended.stderr.lines().any(|line| of_it(&line)),
            "{name} in:\n{}",
            ended.stderr
        );
    }
    assert!(!ended.stderr.contains("s3cret"), "{}", ended.stderr);
}

#[tokio::test]
async fn the_database_commands_report_the_same_mistakes() {
    let settings = Settings::default()
        .with("AWS_IAM", "true")
        .with("DB_PORT", "0x5432");
    for arguments in [["db", "check"], ["db", "init"]] {
        let ended = settings.run(&arguments).await;
        assert_eq!(ended.code, Some(2), "{ended:?}");
        for name in ["DB_NAME", "DB_USER", "DB_PORT"] {
            assert!(ended.stderr.contains(name), "{name} in:\n{}", ended.stderr);
        }
    }
}

#[tokio::test]
async fn the_reference_of_the_environment_is_data() {
    let ended = Settings::default().run(&["reference", "env"]).await;
    assert_eq!(ended.code, Some(0));
    assert_eq!(ended.stderr, "");
    let six = [
        "AWS_IAM",
        "AWS_RDS_REGION",
        "DB_NAME",
        "DB_USER",
        "DB_HOST",
        "DB_PORT",
    ];
    for name in six {
        assert!(ended.stdout.contains(&format!("| `{name}` |")), "{name}");
    }
}

#[tokio::test]
async fn wrong_usage_ends_with_2_and_help_with_0() {
    for arguments in [
        &["fly"][..],
        &[],
        &["serve", "--listen", "everywhere"],
        &["iam", "token"],
    ] {
        let ended = Settings::default().run(arguments).await;
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert_eq!(ended.stdout, "");
        assert_ne!(ended.stderr, "");
    }
    let ended = Settings::default().run(&["--help"]).await;
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert!(ended.stdout.contains("serve"));
}

#[tokio::test]
async fn q132_a_first_password_that_anybody_tries_stops_the_start_and_is_not_shown() {
    for password in [
        "password",
        "Password1",
        "changeme",
        "letmein99",
        "admin",
        "sal",
        "short-1",
        "",
    ] {
        let settings = Settings::default()
            .with("DB_NAME", "sal")
            .with("DB_USER", "sal")
            .with("DB_PASS", "x")
            .with("ADMIN_PASS", password);
        let ended = settings.run(&["serve", "--listen", "127.0.0.1:0"]).await;
        assert_eq!(ended.code, Some(2), "{password}: {ended:?}");
        let named = |line: &str| line.starts_with("error: ADMIN_PASS ");
        assert!(ended.stderr.lines().any(named), "{ended:?}");
        let is_shown = password.len() > 4 && password != "admin" && ended.stderr.contains(password);
        assert!(!is_shown, "{ended:?}");
    }
}

#[tokio::test]
async fn q152_names_that_nothing_reads_are_told_by_db_check_and_injected_ones_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("db_pass");
    std::fs::write(&secret, "hunter2-in-a-file\n").unwrap();
    // Nobody listens at port 1: it gets as far as the login.
    let complete = Settings::default()
        .with("DB_HOST", "127.0.0.1")
        .with("DB_PORT", "1")
        .with("DB_NAME", "sal")
        .with("DB_USER", "sal")
        .with("DB_PASS_FILE", secret.to_str().unwrap())
        .with("DOCKER_SAL_CRYPT_URL", "https://crypt.example.org")
        .with("DOCKER_SAL_DISPLAYNAME", "Macs")
        .with("SAL_SERVICE_HOST", "10.96.7.1")
        .with("SAL_PORT", "tcp://10.96.7.1:8000")
        .with("DB_ENV_POSTGRES_PASSWORD", "hunter2-of-a-link");
    let ended = complete.run(&["db", "check"]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let warnings: Vec<_> = ended
        .stderr
        .lines()
        .filter(|line| line.starts_with("warning: "))
        .collect();
    assert_eq!(warnings.len(), 2, "{ended:?}");
    assert!(ended.stderr.contains("setting crypt_url"), "{ended:?}");
    assert!(
        ended
            .stderr
            .contains("did you mean DOCKER_SAL_DISPLAY_NAME?"),
        "{ended:?}"
    );
    assert!(!ended.stderr.contains("hunter2"), "{ended:?}");
}

#[tokio::test]
async fn without_a_user_the_message_names_sqlite_and_the_name_that_was_misspelled() {
    let settings = Settings::default()
        .with("DB_HOST", "127.0.0.1")
        .with("DB_NAME", "sal")
        .with("DB_USR", "sal")
        .with("DB_PASS", "x");
    for arguments in [&["db", "check"][..], &["serve", "--listen", "127.0.0.1:0"]] {
        let ended = settings.run(arguments).await;
        assert_eq!(ended.code, Some(2), "{ended:?}");
        for words in [
            "SQLite",
            "switch-from-django-sal.md",
            "did you mean DB_USER?",
        ] {
            assert!(ended.stderr.contains(words), "{words}: {ended:?}");
        }
    }
}

#[tokio::test]
async fn import_settings_prints_an_env_file_and_no_secret_and_hostile_files_are_clear_errors() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.py");
    let file = path.to_str().unwrap();
    let settings = "from sal.system_settings import *
SECRET_KEY = 'hunter2-key'
TIME_ZONE = 'Europe/Berlin'
HISTORICAL_FACTS = ['memoryfree_mb']
DATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql', 'HOST': 'db', 'NAME': 'sal',
                         'USER': 'sal', 'PASSWORD': 'hunter2'}}
";
    std::fs::write(&path, settings).unwrap();
    let run = async |arguments: &[&str]| Settings::default().run(arguments).await;
    let done = run(&["import-settings", file]).await;
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(
        done.stdout,
        "DB_HOST=db\nDB_NAME=sal\nDB_USER=sal\nDOCKER_SAL_TZ=Europe/Berlin\nSAL_HISTORICAL_FACTS=memoryfree_mb\n"
    );
    assert!(done.stderr.contains("set DB_PASS yourself"), "{done:?}");
    let report = run(&["import-settings", file, "--json"]).await;
    let value: serde_json::Value = serde_json::from_str(&report.stdout).unwrap();
    assert_eq!(value["environment"]["DOCKER_SAL_TZ"]["line"], 3, "{value}");
    for ended in [&done, &report] {
        assert!(!format!("{ended:?}").contains("hunter2"), "{ended:?}");
    }
    std::fs::write(&path, "DISPLAY_NAME = name()\n").unwrap();
    let ended = run(&["import-settings", file]).await;
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(ended.stderr.contains("line 1, DISPLAY_NAME"), "{ended:?}");
    for (content, words) in [
        (&b"PASSWORD = 'hunter2"[..], "line 1: a string begins here"),
        (b"\xff\xfehunter2", "not UTF-8"),
        (b"X = 1\0hunter2", "NUL"),
        (&vec![b'#'; 2_000_000], "larger than 1024 KiB"),
    ] {
        std::fs::write(&path, content).unwrap();
        let ended = run(&["import-settings", file]).await;
        assert_eq!(
            (ended.code, ended.stdout.as_str()),
            (Some(1), ""),
            "{ended:?}"
        );
        assert!(ended.stderr.contains(words), "{words}: {ended:?}");
        assert!(!ended.stderr.contains("hunter2"), "{ended:?}");
    }
    for path in [folder.path().to_str().unwrap(), "/nowhere/settings.py"] {
        let ended = run(&["import-settings", path]).await;
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.stderr.contains(path), "{ended:?}");
    }
}
