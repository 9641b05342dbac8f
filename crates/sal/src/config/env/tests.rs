use super::*;
use crate::config::server::ServerConfig;

#[test]
fn every_variable_is_declared_once_and_explained() {
    let mut names: Vec<_> = variables().map(|variable| variable.name).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    assert!(
        variables().all(|variable| variable.meaning.ends_with('.') && !variable.since.is_empty())
    );
}

#[test]
fn every_declared_default_is_what_an_unset_variable_means() {
    let needed = [("DB_NAME", "sal"), ("DB_USER", "sal"), ("DB_PASS", "p")];
    let read = |name: &'static str, value: String| {
        let values = needed
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()));
        let mut environment = Environment::of(values.chain([(name, value)]));
        let mut config = ServerConfig::read(&mut environment);
        // They say which are set.
        config.http.settings.clear();
        let log = crate::logging::LogConfig::read(&mut environment);
        assert!(environment.finish().is_ok(), "{name}");
        format!("{config:#?} {log:#?}")
    };
    let unset = read("SAL_LOG", String::new());
    let mut with_default = 0;
    for variable in variables() {
        let default = variable.shape.default_text();
        if !default.is_empty() {
            with_default += 1;
            assert_eq!(read(variable.name, default), unset, "{}", variable.name);
        }
    }
    assert!(with_default > 30, "{with_default}");
    // The test can fail: another value is another configuration.
    assert_ne!(read("SAL_DRAIN_SECONDS", "21".to_owned()), unset);
}

#[test]
fn libraries_have_the_declared_defaults_too() {
    let mut environment = Environment::of([("DOCKER_SAL_TZ", "UTC")]);
    let mut config = ServerConfig::read(&mut environment);
    config.http.settings.clear();
    // The library does not know London.
    let of_library = format!("{:#?}", sal_http::HttpConfig::default());
    assert_eq!(format!("{:#?}", config.http), of_library);
    let pool = sal_store::pool::PoolConfig::default();
    assert_eq!(format!("{:?}", config.database.pool), format!("{pool:?}"));
    let jobs = config.jobs.unwrap();
    let of_library = sal_jobs::JobsConfig {
        server: jobs.server.clone(),
        ..Default::default()
    };
    assert_eq!(format!("{jobs:?}"), format!("{of_library:?}"));
    let usual = rds_iam::LoginConfig::new(
        "h",
        1,
        "d",
        "u",
        rds_iam::LoginSecret::Password(rds_iam::Secret::new("p")),
    );
    assert_eq!(config.database.connect_timeout, usual.connect_timeout);
    assert_eq!(config.database.logins_per_second, usual.logins_per_second);
}

#[test]
fn the_settings_page_has_every_variable_but_secrets() {
    let environment = Environment::of([
        ("DB_PASS", "hunter2"),
        ("AWS_ENDPOINT_URL", "http://u:hunter2@proxy/"),
    ]);
    let shown = environment.shown();
    let secrets = variables().filter(|variable| matches!(variable.shape, Shape::Secret));
    assert_eq!(shown.len() + secrets.count(), variables().count());
    let all = format!("{shown:?}");
    assert!(all.contains("http://***@proxy/"), "{all}");
    assert!(
        !all.contains("hunter2") && !all.contains("\"DB_PASS\""),
        "{all}"
    );
    let set = shown.iter().filter(|setting| setting.is_set);
    let set: Vec<_> = set.map(|setting| setting.name).collect();
    assert_eq!(set, ["AWS_ENDPOINT_URL"]);
}

#[test]
fn declared_defaults_fit_their_own_bounds() {
    for variable in variables() {
        if let Shape::Number(Number {
            default,
            least,
            most,
        }) = variable.shape
        {
            let fits = default.is_none_or(|default| (least..=most).contains(&default));
            assert!(fits && least <= most, "{}", variable.name);
        }
    }
}

#[test]
fn q010_a_value_that_is_neither_true_nor_false_is_a_mistake() {
    let mut environment = Environment::of([("AWS_IAM", "flase"), ("DOCKER_SAL_DEBUG", " No ")]);
    assert!(!environment.flag("DOCKER_SAL_DEBUG"));
    assert!(!environment.flag("AWS_IAM"));
    assert_eq!(environment.finish().unwrap_err().len(), 1);
}

#[test]
fn a_number_out_of_its_bounds_names_them() {
    for value in ["0", "1001", "many", "-1", "1.5"] {
        let mut environment = Environment::of([("SAL_DB_POOL_SIZE", value)]);
        assert_eq!(environment.number::<usize>("SAL_DB_POOL_SIZE"), 16);
        let told = environment.finish().unwrap_err();
        assert!(told[0].ends_with("from 1 to 1000"), "{told:?}");
    }
}

#[test]
fn q145_quotes_of_the_wiki_page_are_taken_off_and_told_and_a_password_keeps_its_own() {
    let mut environment = Environment::of([
        ("AWS_IAM", "\"True\""),
        ("DB_HOST", "'db.example'"),
        ("AWS_RDS_REGION", "\"us-west-2\" # Or whatever region"),
        ("DB_PASS", "\"hunter2\""),
    ]);
    assert!(environment.flag("AWS_IAM"));
    assert_eq!(environment.text("DB_HOST").as_deref(), Some("db.example"));
    assert_eq!(
        environment.text("AWS_RDS_REGION").as_deref(),
        Some("us-west-2")
    );
    assert_eq!(
        environment.secret("DB_PASS").as_deref(),
        Some("\"hunter2\"")
    );
    let told = environment.finish().unwrap();
    assert_eq!(told.len(), 4, "{told:?}");
    assert!(
        told.iter().all(|line| !line.contains("hunter2")),
        "{told:?}"
    );
}

#[test]
fn a_password_in_a_url_is_shown_by_no_message() {
    for name in [
        "SAL_DB_HOSTADDR",
        "DB_SSLMODE",
        "DB_PORT",
        "SAL_PUBLIC_URL",
        "SAL_STATUS_LISTEN",
        "DOCKER_SAL_TZ",
        "SAL_OIDC_ISSUER",
        "AWS_IAM",
        "DB_HOST",
        "DB_NAME",
        "DB_USER",
        "SAL_DB_SIGN_HOST",
        "SAL_IAM_ROLE_ARN",
    ] {
        for quote in ["", "\""] {
            let url = format!("{quote}postgres://sal:hunter2@db.example:5432/sal{quote}");
            let mut environment = Environment::of([(name, url)]);
            let _config = ServerConfig::read(&mut environment);
            let told = match environment.finish() {
                Ok(told) | Err(told) => told.join("\n"),
            };
            assert!(told.contains(name), "{name}: {told}");
            assert!(!told.contains("hunter2"), "{name}: {told}");
        }
    }
}

#[test]
fn what_stands_before_an_at_sign_is_shown_by_no_message() {
    for (name, value) in [
        ("SAL_PUBLIC_URL", "https://u:hunter2@sal.example.org"),
        (
            "DOCKER_SAL_CSRF_TRUSTED_ORIGINS",
            "https://u:hunter2@sal.example.org",
        ),
        ("DB_PORT", "u:hunter2@h"),
        ("DB_PORT", "u:hunter2/@h:5432"),
        ("DB_NAME", "https://u:hunter2@h/x"),
        ("SAL_STATUS_LISTEN", "u:hunter2@127.0.0.1:1"),
    ] {
        let mut environment = Environment::of([(name, value)]);
        let _config = ServerConfig::read(&mut environment);
        let told = environment.finish().unwrap_err().join("\n");
        assert!(told.contains(name), "{name}: {told}");
        assert!(!told.contains("hunter2"), "{name}={value}: {told}");
    }
}

#[test]
fn q144_a_time_zone_without_a_slash_counts_when_it_exists_and_is_london_when_not() {
    let zone = |name: &str| {
        let all = [
            ("DB_NAME", "sal"),
            ("DB_USER", "sal"),
            ("DB_PASS", "p"),
            ("DB_HOST", "localhost"),
            ("DOCKER_SAL_TZ", name),
        ];
        let mut environment = Environment::of(all);
        let config = ServerConfig::read(&mut environment);
        let zone = config.http.time_zone.iana_name().map(str::to_owned);
        (
            zone.unwrap_or_default(),
            environment.finish().map(|told| told.len()),
        )
    };
    for name in ["UTC", "Japan", "EST5EDT"] {
        assert_eq!(zone(name), (name.to_owned(), Ok(1)));
    }
    for name in ["Nowhere", "GMT+25", "\"London\""] {
        let (found, told) = zone(name);
        assert_eq!(found, "Europe/London", "{name}");
        assert!(told.is_ok_and(|warnings| warnings >= 1), "{name}");
    }
    assert_eq!(
        zone("America/New_York"),
        ("America/New_York".to_owned(), Ok(0))
    );
    assert_eq!(zone("Middle/Earth").1.unwrap_err().len(), 1);
}

#[test]
fn days_that_are_no_number_are_none_as_in_sal() {
    for (text, days, warnings) in [
        ("30", 30, 0),
        (" +30 ", 30, 0),
        ("1_000", 1000, 0),
        ("", 0, 0),
        ("30d", 0, 1),
        ("never", 0, 1),
        ("-5", 0, 1),
        ("1.5", 0, 1),
        ("99999999999", 0, 1),
    ] {
        let mut environment = Environment::of([("DOCKER_SAL_INACTIVE_UNDEPLOYED", text)]);
        let read: u32 = environment.lenient_number("DOCKER_SAL_INACTIVE_UNDEPLOYED");
        assert_eq!(read, days, "{text}");
        assert_eq!(environment.finish().unwrap().len(), warnings, "{text}");
    }
}

#[test]
fn q143_no_service_s_name_makes_kubernetes_or_docker_set_another_variable_of_ours() {
    // What both make of a service's name; `_NAME` is Docker's.
    let endings = [
        "_PORT",
        "_SERVICE_HOST",
        "_SERVICE_PORT",
        "_TCP",
        "_TCP_ADDR",
        "_TCP_PORT",
        "_TCP_PROTO",
        "_NAME",
    ];
    let names = variables().map(|variable| variable.name);
    let met: Vec<_> = names
        .filter(|name| endings.iter().any(|ending| name.ends_with(ending)))
        .filter(|name| !["DOCKER_SAL_DISPLAY_NAME"].contains(name))
        .collect();
    let known = [
        "DB_PORT",
        "DB_NAME",
        "DB_PORT_5432_TCP_ADDR",
        "DB_PORT_5432_TCP_PORT",
        "SAL_DB_SIGN_PORT",
    ];
    assert_eq!(met, known);
    for name in ["SAL_DB_SIGN_PORT", "DB_PORT_5432_TCP_PORT"] {
        let mut environment = Environment::of([(name, "tcp://10.0.0.2:5432")]);
        assert_eq!(environment.given_number::<u16>(name), None);
        assert_eq!(environment.finish().unwrap().len(), 1);
    }
}

#[test]
fn q152_every_secret_can_come_from_a_file_and_not_from_both() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    std::fs::write(&path, "hunter2-of-the-file\n").unwrap();
    let file = path.to_str().unwrap();
    let mut count = 0;
    for variable in variables().filter(|variable| matches!(variable.shape, Shape::Secret)) {
        count += 1;
        let name = variable.name;
        let of = |own: Option<&str>, file: &str| {
            let mut environment = Environment::of(own.map(|own| (name, own)));
            let all = [(format!("{name}_FILE"), file.to_owned())].into();
            environment.take_secret_files(&all);
            (environment.secret(name), environment.finish())
        };
        let (secret, told) = of(None, file);
        assert_eq!(secret.as_deref(), Some("hunter2-of-the-file"), "{name}");
        assert_eq!(told, Ok(Vec::new()));
        // As an env file keeps it, and where the variable itself is there and empty.
        let (secret, _told) = of(Some(""), &format!("\"{file}\""));
        assert_eq!(secret.as_deref(), Some("hunter2-of-the-file"), "{name}");
        assert_eq!(of(Some("own"), "").0.as_deref(), Some("own"));
        for (own, file) in [(Some("own-hunter2"), file), (None, "/nowhere/at-all")] {
            let told = of(own, file).1.unwrap_err();
            assert_eq!(told.len(), 1, "{told:?}");
            assert!(told[0].contains(&format!("{name}_FILE")), "{told:?}");
            assert!(!told[0].contains("hunter2"), "{told:?}");
        }
    }
    assert!(count >= 6, "{count}");
}
