//! The numbered differences from the original, as far as the recordings show them.

use sal_http::HttpConfig;
use sal_plugins::Registry;
use sal_query::Condition;
use sal_store::devices::count_devices;
use sal_store::scope::Scope;
use sal_testkit::golden::Quirk;
use sal_testkit::{Filled, TestServer, golden};

/// Every difference that a replay may show. Numbers are explained in `docs/compat/quirks.md`.
pub(crate) const QUIRKS: &[Quirk] = &[
    Quirk {
        number: "Q-188",
        scenario: "inventory",
        steps: &["030"],
        tables: &[],
        reasons: &["body/json/results"],
        what: "long lists come in the order of their ids",
    },
    Quirk {
        number: "Q-023",
        scenario: "profiles",
        steps: &["020"],
        tables: &[],
        reasons: &["body/json/results"],
        what: "the payloads of all profiles are stored, not only those of the first",
    },
    Quirk {
        number: "Q-120",
        scenario: "api_auth",
        steps: &["016"],
        tables: &["businessunit"],
        reasons: &[],
        what: "no token: a write with a session is refused where the browser says that it comes from elsewhere",
    },
    Quirk {
        number: "Q-187",
        scenario: "api_auth",
        steps: &["033", "034", "036"],
        tables: &[],
        reasons: &[],
        what: "the description is there, for anybody, and its page is for whoever is logged in",
    },
    Quirk {
        number: "Q-015",
        scenario: "api_auth",
        steps: &["037", "038", "039", "040"],
        tables: &[],
        reasons: &["content-type", "body"],
        what: "what is gone says where the same thing is now",
    },
    Quirk {
        number: "Q-184",
        scenario: "api_read_small",
        steps: &[
            "017", "018", "019", "020", "021", "022", "023", "024", "025", "026", "027", "028",
            "029", "030", "031",
        ],
        tables: &[],
        reasons: &["body/json"],
        what: "filters and search are what the documentation of Sal says",
    },
    Quirk {
        number: "Q-023",
        scenario: "api_read_small",
        steps: &["015"],
        tables: &["payload"],
        reasons: &[],
        what: "the payloads of all profiles are stored, not only those of the first",
    },
    Quirk {
        number: "Q-189",
        scenario: "api_read_small",
        steps: &["008"],
        tables: &[],
        reasons: &["body/json/results"],
        what: "a key that may only read does not see the keys of machine groups",
    },
    Quirk {
        number: "Q-183",
        scenario: "api_write",
        steps: &["040"],
        tables: &[],
        reasons: &[],
        what: "a serial number with dots is found",
    },
    Quirk {
        number: "Q-162",
        scenario: "searches_part",
        steps: &["094"],
        tables: &[],
        reasons: &["body/json"],
        what: "numbers are compared as numbers",
    },
    Quirk {
        number: "Q-161",
        scenario: "searches_part",
        steps: &["102"],
        tables: &[],
        reasons: &["body/json"],
        what: "a script result under another name does not count",
    },
    Quirk {
        number: "Q-023",
        scenario: "searches_part",
        steps: &["150"],
        tables: &[],
        reasons: &["body/json"],
        what: "the payloads of all profiles are stored, not only those of the first",
    },
    Quirk {
        number: "Q-167",
        scenario: "searches_part",
        steps: &["062", "134"],
        tables: &[],
        reasons: &[],
        what: "a row that makes no sense is told with a sentence",
    },
    Quirk {
        number: "Q-119",
        scenario: "searches_part",
        steps: &["183", "184", "185", "186", "187", "188", "190"],
        tables: &[],
        reasons: &[],
        what: "quick search leads to the list",
    },
    Quirk {
        number: "Q-138",
        scenario: "checkin_bad",
        steps: &["038", "039"],
        tables: &["machine"],
        reasons: &[],
        what: "a serial number of nothing but blanks, plus signs and slashes is none",
    },
    Quirk {
        number: "Q-138",
        scenario: "checkin_bad",
        steps: &["058", "086"],
        tables: &[],
        reasons: &["tables/"],
        what: "the rows of those two machines are not there",
    },
    Quirk {
        number: "Q-177",
        scenario: "maintenance",
        steps: &["009", "012"],
        tables: &["savedsearch"],
        reasons: &[],
        what: "a link makes no search",
    },
    Quirk {
        number: "Q-135",
        scenario: "maintenance",
        steps: &["018"],
        tables: &["managementsource"],
        reasons: &[],
        what: "a source that was just made stays",
    },
    Quirk {
        number: "Q-044",
        scenario: "web_as_admin",
        steps: &["024"],
        tables: &[],
        reasons: &[],
        what: "the list is at /machines/",
    },
    Quirk {
        number: "Q-031",
        scenario: "web_as_admin",
        steps: &["041"],
        tables: &[],
        reasons: &[],
        what: "a key that was shown leads back to the keys",
    },
    Quirk {
        number: "Q-119",
        scenario: "web_as_admin",
        steps: &["056", "057", "063"],
        tables: &[],
        reasons: &[],
        what: "quick search and Django's pages are elsewhere",
    },
    Quirk {
        number: "Q-121",
        scenario: "web_as_admin",
        steps: &["065"],
        tables: &[],
        reasons: &[],
        what: "who is logged in is led on from the login page",
    },
    Quirk {
        number: "Q-142",
        scenario: "inventory_web",
        steps: &["055", "056", "057", "058", "059", "060"],
        tables: &[],
        reasons: &[],
        what: "what is in another unit does not exist",
    },
    Quirk {
        number: "Q-115",
        scenario: "widgets",
        steps: &["032", "033", "034", "035", "036", "037", "038"],
        tables: &["plugin"],
        reasons: &[],
        what: "links to plugins ask",
    },
    Quirk {
        number: "Q-007",
        scenario: "widgets",
        steps: &[
            "042", "043", "047", "051", "054", "055", "056", "057", "058", "061", "088", "092",
            "096", "100", "128", "132", "136", "140", "156", "159", "162", "166", "167", "168",
            "170", "174", "177", "186", "187", "210", "211", "214", "217", "223", "224", "227",
            "228",
        ],
        tables: &["machine"],
        reasons: &[],
        what: "a report without host name or version keeps the ones that are there",
    },
    Quirk {
        number: "Q-112",
        scenario: "widgets",
        steps: &["080", "081", "082", "084"],
        tables: &[],
        reasons: &[],
        what: "days of uptime are numbers",
    },
    Quirk {
        number: "Q-110",
        scenario: "widgets",
        steps: &["117", "118", "119", "120", "122", "124"],
        tables: &[],
        reasons: &[],
        what: "Apple silicon laptops are laptops",
    },
    Quirk {
        number: "Q-113",
        scenario: "widgets",
        steps: &["175"],
        tables: &[],
        reasons: &[],
        what: "a family of models holds no other",
    },
    Quirk {
        number: "Q-114",
        scenario: "widgets",
        steps: &["198", "199"],
        tables: &[],
        reasons: &[],
        what: "the title of the list of a message is whole",
    },
    Quirk {
        number: "Q-009",
        scenario: "widgets",
        steps: &["203", "225", "229", "231"],
        tables: &[],
        reasons: &[],
        what: "the 404 page has another text",
    },
    Quirk {
        number: "Q-044",
        scenario: "web_as_rw",
        steps: &["024"],
        tables: &[],
        reasons: &[],
        what: "the list is at /machines/",
    },
    Quirk {
        number: "Q-119",
        scenario: "web_as_rw",
        steps: &["056", "057"],
        tables: &[],
        reasons: &[],
        what: "quick search and Django's pages are elsewhere",
    },
    Quirk {
        number: "Q-121",
        scenario: "web_as_rw",
        steps: &["065"],
        tables: &[],
        reasons: &[],
        what: "who is logged in is led on from the login page",
    },
    Quirk {
        number: "Q-120",
        scenario: "web_anonymous",
        steps: &["076", "077"],
        tables: &[],
        reasons: &[],
        what: "forms have no token",
    },
    Quirk {
        number: "Q-004",
        scenario: "checkin_valid",
        steps: &["037"],
        tables: &["pluginscript"],
        reasons: &["tables/pluginscript"],
        what: "one script's ill-formed results do not lose the rows of the others",
    },
    Quirk {
        number: "Q-007",
        scenario: "broken_client",
        steps: &["003", "006", "007", "011"],
        tables: &["machine"],
        reasons: &["hostname", "sal_version", "tables/machine: missing"],
        what: "a report without host name or version keeps the ones that are there",
    },
    Quirk {
        number: "Q-009",
        scenario: "preflight",
        steps: &["023"],
        tables: &[],
        reasons: &["body/text"],
        what: "the 404 page has another text",
    },
    Quirk {
        number: "Q-020",
        scenario: "inventory",
        steps: &["007"],
        tables: &[],
        reasons: &["body/text"],
        what: "a serial number is cleaned on every route, and found as it came where it was made by hand",
    },
    Quirk {
        number: "Q-021",
        scenario: "inventory",
        steps: &["019", "021", "025"],
        tables: &[],
        reasons: &[],
        what: "a form without serial number or a plist of another shape is 400 and removes nothing",
    },
    Quirk {
        number: "Q-021",
        scenario: "profiles",
        steps: &["014", "017"],
        tables: &[],
        reasons: &[],
        what: "a form without serial number or a plist of another shape is 400 and removes nothing",
    },
    Quirk {
        number: "Q-022",
        scenario: "inventory",
        steps: &["022", "023"],
        tables: &["inventory"],
        reasons: &["sha256hash"],
        what: "a version that is too long is cut, an application with a name that is too long is left out, the rest is stored",
    },
    Quirk {
        number: "Q-023",
        scenario: "profiles",
        steps: &["003", "019"],
        tables: &["payload"],
        reasons: &["tables/payload"],
        what: "the payloads of all profiles are stored, not only those of the first",
    },
    Quirk {
        number: "Q-024",
        scenario: "profiles",
        steps: &["009", "010", "011"],
        tables: &[],
        reasons: &[],
        what: "a profile without a readable date keeps its own or gets the time of the submission; plist dates are read",
    },
    Quirk {
        number: "Q-025",
        scenario: "profiles",
        steps: &["012"],
        tables: &[],
        reasons: &["body/text", "tables/payload", "tables/profile"],
        what: "the announced field base64profiles is read",
    },
    Quirk {
        number: "Q-027",
        scenario: "catalogs",
        steps: &["011", "012", "013", "015", "018"],
        tables: &["catalog"],
        reasons: &["tables/catalog"],
        what: "a catalog without name, or a question without key, is 400; a hash that is missing or too long is computed; an entry without name is left out",
    },
    Quirk {
        number: "Q-030",
        scenario: "first_run",
        steps: &["010"],
        tables: &["salsetting"],
        reasons: &["status 200", "location None", "body", "tables/salsetting"],
        what: "a link that changes a setting asks first; the form's POST changes it",
    },
];

#[tokio::test]
async fn q007_a_broken_client_report_keeps_the_host_name() {
    let server = TestServer::start(Filled::Seeded).await;
    let key = golden::seed_value("key1").unwrap().unwrap();
    let body = format!(
        r#"{{"Machine": {{"extra_data": {{"serial": "C02A", "hostname": "anna"}}}}, "Sal": {{"extra_data": {{"key": "{key}", "sal_version": "4.9.0"}}}}}}"#
    );
    assert_eq!(server.checkin(&key, body).await.0, 200);
    let form = [
        ("serial", "C02A"),
        ("key", key.as_str()),
        ("broken_client", "True"),
    ];
    let request = server
        .http
        .post(server.url("/report_broken_client/"))
        .basic_auth("sal", Some(&key))
        .form(&form);
    assert_eq!(request.send().await.unwrap().status(), 200);
    let row = "SELECT hostname, sal_version, broken_client FROM server_machine";
    let row = server
        .database
        .connect()
        .await
        .query_one(row, &[])
        .await
        .unwrap();
    assert_eq!(
        (
            row.get("hostname"),
            row.get("sal_version"),
            row.get("broken_client")
        ),
        ("anna", "4.9.0", true)
    );
}

#[tokio::test]
async fn q009_error_pages_are_short_and_hold_nothing_of_the_request() {
    let server = TestServer::start(Filled::Seeded).await;
    let answer = server
        .http
        .get(server.url("/nope/%3Cscript%3E/"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 404);
    let text = answer.text().await.unwrap();
    assert!(
        text.contains("<h1>Not found</h1>") && !text.contains("script"),
        "{text}"
    );
}

/// The doors can reach nothing but the database: no crate of theirs brings an HTTP client.
#[test]
fn q014_the_server_has_nothing_to_phone_home_with() {
    for door in [
        "sal-checkin",
        "sal-web",
        "sal-http",
        "sal-server",
        "sal-store",
        "sal-plugins",
        "sal-query",
    ] {
        let manifest = std::fs::read_to_string(format!(
            "{}/../{door}/Cargo.toml",
            env!("CARGO_MANIFEST_DIR")
        ))
        .unwrap();
        let own = manifest.split("[dev-dependencies]").next().unwrap();
        assert!(own.contains("[dependencies]"));
        assert!(
            !own.contains("reqwest") && !own.contains("ureq") && !own.contains("client-legacy"),
            "{door}"
        );
    }
}

#[tokio::test]
async fn q040_q041_disk_and_memory_classes_are_numbers_and_meet() {
    let server = TestServer::with(Filled::Seeded, HttpConfig::default()).await;
    let db = server.database.connect().await;
    for (serial, percent, memory) in [
        ("A", "9.5", 16_600_000),
        ("B", "89.5", 16_777_216),
        ("C", "100", 8_388_607),
        ("D", "80", 16_777_215),
    ] {
        let insert = "INSERT INTO server_machine (serial, machine_group_id, hd_percent, memory_kb, os_family, deployed, broken_client)
             SELECT $1, min(id), $2, $3, 'Darwin', true, false FROM server_machinegroup";
        db.execute(insert, &[&serial, &percent, &memory])
            .await
            .unwrap();
    }
    let registry = Registry::builtin();
    let mut counts = Vec::new();
    for (plugin, data) in [
        ("DiskSpace", "ok"),
        ("DiskSpace", "warning"),
        ("DiskSpace", "alert"),
        ("Memory", "ok"),
        ("Memory", "warning"),
        ("Memory", "alert"),
    ] {
        let condition: Condition = registry
            .get(plugin)
            .unwrap()
            .filter(data)
            .unwrap()
            .condition;
        counts.push(
            count_devices(&condition, server.app.now(), &Scope::All, &db)
                .await
                .unwrap(),
        );
    }
    assert_eq!(counts, [1, 2, 1, 1, 2, 1]);
}

#[tokio::test]
async fn q119_bookmarks_of_quick_search_and_of_djangos_pages_lead_on() {
    let server = TestServer::start(Filled::Seeded).await;
    for (path, there) in [
        (
            "/search/?q=anna%20b",
            "/login?next=/search/%3Fq%3Danna%2520b",
        ),
        ("/admin/", "/admin/login/?next=/admin/"),
    ] {
        let answer = server.http.get(server.url(path)).send().await.unwrap();
        assert_eq!(answer.headers()["location"], there);
    }
}

/// A browser says where a form comes from; a form of another site is refused, one without a word is of a program.
#[tokio::test]
async fn q120_forms_of_other_sites_are_refused_without_a_token() {
    let server = TestServer::start(Filled::Seeded).await;
    let form = [("username", "admin"), ("password", "password")];
    let send = |origin: Option<&'static str>| {
        let mut request = server.http.post(server.url("/login/")).form(&form);
        if let Some(origin) = origin {
            request = request
                .header("origin", origin)
                .header("sec-fetch-site", "cross-site");
        }
        request.send()
    };
    assert_eq!(
        send(Some("https://evil.example")).await.unwrap().status(),
        403
    );
    assert_eq!(send(None).await.unwrap().status(), 302);
}

/// A proxy that changes `Host`: the page names both values and the setting, and shows them as text.
#[tokio::test]
async fn q120_a_form_from_another_host_is_told_both_values_and_the_setting() {
    let server = TestServer::start(Filled::Seeded).await;
    let form = [("username", "admin"), ("password", "password")];
    for (origin, shown) in [
        (
            "https://sal.example.org",
            "https://sal.example.org (Origin)",
        ),
        (
            "https://x\"><script>",
            "https://x&quot;&gt;&lt;script&gt; (Origin)",
        ),
    ] {
        let request = server.http.post(server.url("/login/")).form(&form);
        let request = request
            .header("origin", origin)
            .header("host", "10.0.0.7:8000");
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 403);
        let page = answer.text().await.unwrap();
        for part in [
            shown,
            "10.0.0.7:8000 (Host)",
            "SAL_PUBLIC_URL",
            "behind-a-proxy.md",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
    }
}

#[tokio::test]
async fn a_part_of_a_page_without_a_session_sends_the_whole_page_to_the_login() {
    let server = TestServer::start(Filled::Seeded).await;
    let asked = server
        .http
        .get(server.url("/machines/"))
        .header("hx-request", "true");
    let answer = asked.send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["hx-redirect"], "/login?next=/machines/");
    assert_eq!(answer.text().await.unwrap(), "");
}

#[tokio::test]
async fn q121_who_is_logged_in_is_led_on_from_the_login_page() {
    let server = TestServer::start(Filled::Seeded).await;
    let form = [("username", "admin"), ("password", "password")];
    let login = server
        .http
        .post(server.url("/login/"))
        .form(&form)
        .send()
        .await
        .unwrap();
    let cookie = login.headers()["set-cookie"].to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let again = server
        .http
        .get(server.url("/login/"))
        .header("cookie", cookie);
    let again = again.send().await.unwrap();
    assert_eq!(
        (again.status().as_u16(), &again.headers()["location"]),
        (302, &"/".parse().unwrap())
    );
}

#[tokio::test]
async fn q122_a_setting_lets_everybody_see_all_units_without_rows() {
    for (all_units, status) in [(false, 404), (true, 200)] {
        let config = HttpConfig {
            all_units,
            ..HttpConfig::default()
        };
        let server = TestServer::with(Filled::Seeded, config).await;
        let form = [("username", "ro"), ("password", "ro-pass")];
        let login = server
            .http
            .post(server.url("/login/"))
            .form(&form)
            .send()
            .await
            .unwrap();
        let cookie = login.headers()["set-cookie"].to_str().unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        let other = server
            .http
            .get(server.url("/dashboard/2/"))
            .header("cookie", cookie);
        assert_eq!(other.send().await.unwrap().status(), status);
        let db = server.database.connect().await;
        let rows = "SELECT count(*) FROM server_businessunit_users WHERE user_id = (SELECT id FROM auth_user WHERE username = 'ro')";
        assert_eq!(db.query_one(rows, &[]).await.unwrap().get::<_, i64>(0), 1);
    }
}

#[tokio::test]
async fn q900_logging_in_with_saml_is_not_built() {
    let server = TestServer::start(Filled::Seeded).await;
    for path in ["/saml2/", "/saml2/login/", "/saml2/acs/"] {
        let answer = server.http.get(server.url(path)).send().await.unwrap();
        assert_eq!(answer.status(), 404, "{path}");
    }
}
