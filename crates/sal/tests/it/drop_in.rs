//! What the original's container adds around Sal, at the real binary: headers of its nginx, sizes, paths.

use reqwest::Method;
use reqwest::header::{HeaderMap, LOCATION, ORIGIN};

use crate::server::Server;
use crate::stage::{KEY, Stage};

#[tokio::test]
async fn q153_no_other_site_may_read_what_this_one_answers() {
    let stage = Stage::set().await;
    let server = Server::start(&stage.password_settings()).await;
    stage.make_group().await;
    let allowed = |headers: &HeaderMap| {
        let name =
            |name: &&reqwest::header::HeaderName| name.as_str().starts_with("access-control-");
        headers.keys().find(name).cloned()
    };
    for (method, path) in [
        (Method::GET, "/login/"),
        (Method::POST, "/login/"),
        (Method::OPTIONS, "/login/"),
        (Method::OPTIONS, "/checkin/"),
        (Method::POST, "/checkin/"),
        (Method::GET, "/api/v2/machines/"),
    ] {
        let url = format!("{}{path}", server.url);
        let request = server.http.request(method.clone(), url);
        let request = request
            .header(ORIGIN, "https://other.example")
            .header("Access-Control-Request-Method", "POST")
            .basic_auth("sal", Some(KEY));
        let answer = request.send().await.unwrap();
        assert_eq!(allowed(answer.headers()), None, "{method} {path}");
        if method == Method::OPTIONS {
            assert!(!answer.status().is_success(), "{path}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn q154_more_than_the_limit_is_refused_with_the_setting_and_less_is_read() {
    let stage = Stage::set().await;
    let mut server = Server::start(&stage.password_settings()).await;
    stage.make_group().await;
    let mut answers = Vec::new();
    for (mebibytes, kind) in [
        (4, "application/x-www-form-urlencoded"),
        (6, "application/x-www-form-urlencoded"),
        (6, "multipart/form-data; boundary=x"),
        (21, "application/x-www-form-urlencoded"),
    ] {
        let field = "a".repeat(mebibytes * 1024 * 1024);
        let body = match kind.starts_with("multipart") {
            true => format!(
                "--x\r\nContent-Disposition: form-data; name=\"inventory\"\r\n\r\n{field}\r\n--x--\r\n"
            ),
            false => format!("serial=C02NOBODY&inventory={field}"),
        };
        let request = server
            .http
            .post(format!("{}/inventory/submit/", server.url));
        let request = request
            .basic_auth("sal", Some(KEY))
            .header("Content-Type", kind);
        match request.body(body).send().await {
            Ok(answer) => answers.push((answer.status().as_u16(), answer.text().await.unwrap())),
            // It is refused at the limit, and the client may be told so only by the end of the connection.
            Err(cut_off) => assert!(cut_off.is_request() && mebibytes > 5, "{cut_off:?}"),
        }
    }
    // No machine of that name: it was read.
    assert_eq!(answers[0].0, 404, "{answers:?}");
    assert!(answers.len() > 1, "nobody was told why");
    for (status, text) in &answers[1..] {
        assert_eq!(*status, 400, "{text}");
        assert!(text.contains("SAL_BODY_LIMIT"), "{text}");
    }
    server.stop().await;
    let settings = stage.password_settings().with("SAL_BODY_LIMIT", "20971520");
    let server = Server::start(&settings).await;
    let request = server
        .http
        .post(format!("{}/inventory/submit/", server.url));
    let body = format!("serial=C02NOBODY&inventory={}", "a".repeat(6 * 1024 * 1024));
    let request = request
        .basic_auth("sal", Some(KEY))
        .header("Content-Type", "application/x-www-form-urlencoded");
    let answer = request.body(body).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 404);
}

#[tokio::test]
async fn q155_a_path_in_front_is_not_taken_from_headers() {
    let stage = Stage::set().await;
    let settings = stage
        .password_settings()
        .with("SAL_TRUSTED_PROXIES", "127.0.0.1");
    let server = Server::start(&settings).await;
    for name in [
        "X-Forwarded-Prefix",
        "X-Script-Name",
        "Script-Name",
        "X-Stage",
    ] {
        let request = server.http.get(format!("{}/", server.url));
        let answer = request.header(name, "/prod").send().await.unwrap();
        let next = answer.headers()[LOCATION].to_str().unwrap();
        assert!(next.starts_with("/login"), "{name}: {next}");
        let request = server.http.get(format!("{}/login/", server.url));
        let page = request.header(name, "//evil.example").send().await.unwrap();
        assert!(!page.text().await.unwrap().contains("evil"), "{name}");
    }
    let answer = server.get("/prod/login/").await;
    assert_eq!(answer.status().as_u16(), 404);
}

#[tokio::test]
async fn q155_a_public_address_with_a_path_stops_the_start() {
    let stage = Stage::set().await;
    for (url, code) in [
        ("https://sal.example.org/sal", Some(2)),
        ("https://sal.example.org:8443/sal/", Some(2)),
    ] {
        let settings = stage.password_settings().with("SAL_PUBLIC_URL", url);
        let ended = settings.run(&["serve", "--listen", "127.0.0.1:0"]).await;
        assert_eq!(ended.code, code, "{ended:?}");
        assert!(ended.stderr.contains("host name of its own"), "{ended:?}");
    }
    let settings = stage
        .password_settings()
        .with("SAL_PUBLIC_URL", "https://sal.example.org/");
    Server::start(&settings).await;
}
