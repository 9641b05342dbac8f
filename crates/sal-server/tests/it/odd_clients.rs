//! Clients that are not Sal's own: other kinds of forms, serial numbers as makers leave them, plists in other encodings.

use sal_testkit::{Filled, TestServer};
use serde_json::json;

use crate::packed::{check_in, dict, encode, key, pack, plist, post, text};

/// Names and values of a form.
type Fields<'a> = &'a [(&'a str, &'a str)];

/// Sends fields as `multipart/form-data`, those named `@…` as files.
async fn post_parts(server: &TestServer, path: &str, fields: &[(&str, &str)]) -> (u16, String) {
    let boundary = "----sal-test-boundary";
    let mut body = String::new();
    for (name, value) in fields {
        let head = match name.strip_prefix('@') {
            Some(name) => {
                format!("name=\"{name}\"; filename=\"{name}.txt\"\r\nContent-Type: text/plain")
            }
            None => format!("name=\"{name}\""),
        };
        body.push_str(&format!(
            "--{boundary}\r\nContent-Disposition: form-data; {head}\r\n\r\n{value}\r\n"
        ));
    }
    body.push_str(&format!("--{boundary}--\r\n"));
    send(
        server,
        path,
        &format!("multipart/form-data; boundary={boundary}"),
        body,
    )
    .await
}

async fn send(
    server: &TestServer,
    path: &str,
    content_type: &str,
    body: impl Into<reqwest::Body>,
) -> (u16, String) {
    let request = server
        .http
        .post(server.url(path))
        .basic_auth("sal", Some(key()));
    let answer = request
        .header("content-type", content_type)
        .body(body)
        .send()
        .await
        .unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test]
async fn q136_every_route_of_clients_reads_multipart_forms() {
    let server = TestServer::start(Filled::Seeded).await;
    check_in(&server, "C02A").await;
    let packed = pack(
        plist(&format!(
            "<array>{}</array>",
            dict(&[("name", "A"), ("version", "1")])
        ))
        .as_bytes(),
    );
    let profiles = pack(plist("<dict><key>_computerlevel</key><array><dict><key>ProfileIdentifier</key><string>x</string></dict></array></dict>").as_bytes());
    let key = key();
    let cases: [(&str, Fields<'_>, &str); 5] = [
        (
            "/inventory/submit/",
            &[("serial", "C02A"), ("base64bz2inventory", &packed)],
            "Inventory submitted for C02A.\n",
        ),
        (
            "/profiles/submit/",
            &[("serial", "C02A"), ("@base64bz2profiles", &profiles)],
            "Profiles submitted for C02A.\n",
        ),
        (
            "/catalog/submit/",
            &[
                ("key", &key),
                ("name", "production"),
                ("sha256hash", "abc"),
                ("@base64bz2catalog", &packed),
            ],
            "Catalogs submitted.",
        ),
        (
            "/report_broken_client/",
            &[("serial", "C02A"), ("key", &key), ("broken_client", "True")],
            "Broken Client report submmitted for C02A",
        ),
        ("/preflight-v2/", &[("os_family", "BeOS")], "[]"),
    ];
    for (path, fields, expected) in cases {
        assert_eq!(
            post_parts(&server, path, fields).await,
            (200, expected.to_owned()),
            "{path}"
        );
    }
    let stored = "SELECT concat_ws(' ', (SELECT count(*) FROM inventory_inventoryitem), (SELECT count(*) FROM profiles_profile),
        (SELECT count(*) FROM catalog_catalog WHERE name = 'production'), (SELECT count(*) FROM server_machine WHERE broken_client))";
    assert_eq!(text(&server, stored).await, "1 1 1 1");
    let names = pack(
        plist("<array><dict><key>name</key><string>production</string></dict></array>").as_bytes(),
    );
    let (code, answer) = post_parts(
        &server,
        "/catalog/hash/",
        &[("key", &key), ("catalogs", &names)],
    )
    .await;
    assert_eq!(code, 200);
    assert!(answer.contains("<string>abc</string>"), "{answer}");
}

#[tokio::test]
async fn q034_nothing_is_answered_with_200_that_was_not_read() {
    let server = TestServer::start(Filled::Seeded).await;
    check_in(&server, "C02A").await;
    for path in [
        "/inventory/submit/",
        "/profiles/submit/",
        "/catalog/submit/",
        "/catalog/hash/",
        "/report_broken_client/",
    ] {
        for (content_type, body) in [
            ("application/json", "{\"serial\": \"C02A\"}"),
            ("text/plain", "serial=C02A"),
            ("application/x-plist", "<plist/>"),
            ("multipart/form-data", "--x--"),
            (
                "multipart/form-data; boundary=x",
                "--x\r\nContent-Disposition: form-data; name=\"serial\"\r\n\r\nC02A",
            ),
        ] {
            let (code, answer) = send(&server, path, content_type, body).await;
            assert_eq!(code, 400, "{path} {content_type}: {answer}");
            assert!(answer.contains("form"), "{answer}");
        }
    }
    let packed = pack(plist("<array/>").as_bytes());
    let (code, answer) = post(
        &server,
        "/catalog/submit/",
        &[("name", "x"), ("base64bz2catalog", &packed)],
    )
    .await;
    assert_eq!(code, 400);
    assert!(answer.contains("\"key\""), "{answer}");
    // As recorded: a form with nothing in it.
    assert_eq!(
        post(&server, "/catalog/submit/", &[("name", "x")]).await.0,
        200
    );
}

async fn check_in_as(server: &TestServer, serial: &str, hostname: &str) -> (u16, String) {
    let body = json!({
        "Machine": {"extra_data": {"serial": serial, "hostname": hostname}},
        "Sal": {"extra_data": {"key": key()}},
    });
    server.checkin(&key(), body.to_string()).await
}

const SERIALS: &str = "SELECT string_agg(serial, ', ' ORDER BY serial) FROM server_machine";

#[tokio::test]
async fn q138_blanks_around_a_serial_number_make_no_other_machine() {
    let server = TestServer::start(Filled::Seeded).await;
    for serial in [
        "C02A",
        "C02A ",
        " c02a",
        "C02A\n",
        "\u{feff}C02A\r\n",
        "+C02A/",
    ] {
        let answer = check_in_as(&server, serial, "mac").await;
        assert_eq!(
            answer,
            (200, "Sal report submitted for C02A".to_owned()),
            "{serial:?}"
        );
    }
    for serial in [" ", "\n\t", "\u{a0}", " + ", "/"] {
        assert_eq!(
            check_in_as(&server, serial, "mac").await.0,
            400,
            "{serial:?}"
        );
    }
    assert_eq!(text(&server, SERIALS).await, "C02A");
    let packed =
        pack(plist("<array><dict><key>name</key><string>A</string></dict></array>").as_bytes());
    for serial in ["C02A ", "C02A\n", "\tc02a"] {
        let (code, _) = post(
            &server,
            "/inventory/submit/",
            &[("serial", serial), ("base64bz2inventory", &packed)],
        )
        .await;
        assert_eq!(code, 200, "{serial:?}");
    }
}

#[tokio::test]
async fn q137_machines_without_a_serial_number_are_kept_apart() {
    let server = TestServer::start(Filled::Seeded).await;
    for (serial, hostname, filed) in [
        ("Not Available", "lab-1", "NOT AVAILABLE @ LAB-1"),
        ("Not Available", "lab-2", "NOT AVAILABLE @ LAB-2"),
        ("not available ", "lab-1", "NOT AVAILABLE @ LAB-1"),
        ("N/A", "lab-1", "NA @ LAB-1"),
        ("00000000", "lab-1", "00000000 @ LAB-1"),
        (
            "To be filled by O.E.M.",
            "lab-1",
            "TO BE FILLED BY O.E.M. @ LAB-1",
        ),
        ("None", "", "NONE"),
    ] {
        let answer = check_in_as(&server, serial, hostname).await;
        assert_eq!(
            answer,
            (200, format!("Sal report submitted for {filed}")),
            "{serial}"
        );
    }
    assert_eq!(
        text(&server, "SELECT count(*)::text FROM server_machine").await,
        "6"
    );
    let key = key();
    let broken = [
        ("serial", "Not Available"),
        ("key", key.as_str()),
        ("name", "lab-2"),
        ("broken_client", "1"),
    ];
    assert_eq!(
        post(&server, "/report_broken_client/", &broken).await.0,
        200
    );
    // Nobody knows whose an inventory is that names the placeholder alone.
    let packed = pack(plist("<array/>").as_bytes());
    for serial in ["Not Available", "none", " N/A"] {
        let form = [("serial", serial), ("base64bz2inventory", packed.as_str())];
        assert_eq!(
            post(&server, "/inventory/submit/", &form).await.0,
            404,
            "{serial}"
        );
    }
    let which = "SELECT string_agg(serial, ', ') FROM server_machine WHERE broken_client";
    assert_eq!(text(&server, which).await, "NOT AVAILABLE @ LAB-2");
}

#[tokio::test]
async fn inventories_in_other_encodings_and_with_large_numbers_are_stored() {
    let server = TestServer::start(Filled::Seeded).await;
    check_in(&server, "C02A").await;
    let source = |encoding: &str, version: &str| {
        format!(
            "<?xml version=\"1.0\" encoding=\"{encoding}\"?><plist version=\"1.0\"><array><dict><key>name</key><string>Café</string>\
                 <key>version</key>{version}</dict></array></plist>"
        )
    };
    let mut utf16 = vec![0xff, 0xfe];
    utf16.extend(
        source("UTF-16", "<string>16</string>")
            .encode_utf16()
            .flat_map(u16::to_le_bytes),
    );
    let latin: Vec<u8> = source("ISO-8859-1", "<string>1</string>")
        .chars()
        .map(|c| u8::try_from(c).unwrap())
        .collect();
    let wide = source("UTF-8", "<integer>18446744073709551616</integer>").into_bytes();
    for (inventory, version) in [(utf16, "16"), (latin, "1"), (wide, "18446744073709551616")] {
        let packed = pack(&inventory);
        let plain = encode(&inventory);
        for (field, value) in [("base64bz2inventory", &packed), ("base64inventory", &plain)] {
            let (code, _) = post(
                &server,
                "/inventory/submit/",
                &[("serial", "C02A"), (field, value)],
            )
            .await;
            assert_eq!(code, 200);
            let stored = "SELECT string_agg(a.name || ' ' || i.version, ', ') FROM inventory_inventoryitem i JOIN inventory_application a ON a.id = i.application_id";
            assert_eq!(text(&server, stored).await, format!("Café {version}"));
        }
    }
}

/// As Django's own test client sends forms.
#[tokio::test]
async fn forms_of_pages_may_be_multipart_too() {
    let server = TestServer::start(Filled::Seeded).await;
    let form = |fields: Fields<'_>| {
        let parts = fields.iter().map(|(name, value)| {
            format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        });
        format!("{}--x--\r\n", parts.collect::<String>())
    };
    let send = async |path: &str, cookie: &str, body: String| {
        let request = server.http.post(server.url(path)).header("cookie", cookie);
        let request = request.header("content-type", "multipart/form-data; boundary=x");
        request.body(body).send().await.unwrap()
    };
    let login = form(&[("username", "ga"), ("password", "ga-pass")]);
    let answer = send("/login/", "", login).await;
    assert_eq!(answer.status().as_u16(), 302);
    let cookie = answer
        .headers()
        .get("set-cookie")
        .unwrap()
        .to_str()
        .unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let made = send("/new-bu/", &cookie, form(&[("name", "Ünit & +1")])).await;
    assert_eq!(made.status().as_u16(), 302);
    let names = "SELECT name FROM server_businessunit ORDER BY id DESC LIMIT 1";
    assert_eq!(text(&server, names).await, "Ünit & +1");
    let cut = send(
        "/new-bu/",
        &cookie,
        "--x\r\nContent-Disposition: form-data".to_owned(),
    )
    .await;
    assert_eq!(cut.status().as_u16(), 400);
    let large = send("/new-bu/", &cookie, form(&[("name", &"n".repeat(70_000))])).await;
    assert_eq!(large.status().as_u16(), 413);
}
