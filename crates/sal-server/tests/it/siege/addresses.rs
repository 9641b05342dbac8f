//! Addresses that callers say to come from.

use reqwest::RequestBuilder;
use sal_http::HttpConfig;
use sal_http::proxies::TrustedProxies;
use sal_testkit::TestServer;

use super::{PASSWORD, at, login, noted, run, server, texts};

fn trust(list: &str) -> impl FnOnce(&mut HttpConfig) {
    let parts: Vec<_> = list.split(',').map(str::to_owned).collect();
    move |config| config.trusted_proxies = TrustedProxies::parse(&parts).unwrap()
}

async fn status(request: RequestBuilder) -> u16 {
    request.send().await.unwrap().status().as_u16()
}

/// A wrong password, with headers that say where from.
fn guess(server: &TestServer, headers: &[(&str, &str)]) -> RequestBuilder {
    let request = login(server, &server.http, "anna", "guess");
    headers.iter().fold(request, |request, (name, value)| {
        request.header(*name, *value)
    })
}

#[tokio::test]
async fn q130_forged_addresses_neither_lock_out_nor_free_nor_reach_the_log() {
    let server = server(|_| {}).await;
    for n in 0..10 {
        let forged = format!("203.0.113.{n}");
        let headers = [
            ("x-forwarded-for", forged.as_str()),
            ("x-real-ip", &forged),
            ("forwarded", &format!("for={forged}")),
        ];
        assert_eq!(status(guess(&server, &headers)).await, 200);
    }
    // Guesses have a limit, and somebody else is not in it.
    let eleventh = guess(&server, &[("x-forwarded-for", "203.0.113.99")]);
    assert_eq!(status(eleventh).await, 429);
    let anna = login(&server, &at("127.0.0.3"), "anna", PASSWORD);
    assert_eq!(status(anna).await, 302);
    let lines = noted(&server).await;
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(
        lines.iter().all(|line| line.contains("from 127.0.0.")),
        "{lines:?}"
    );
}

#[tokio::test]
async fn behind_a_proxy_of_ours_the_right_most_address_that_is_none_counts() {
    let server = server(trust("127.0.0.1,10.0.0.0/8")).await;
    for n in 0..10 {
        // What stands left of the client is the client's own word.
        let chain = format!("203.0.113.{n}, 198.51.100.7, 10.0.0.5");
        assert_eq!(
            status(guess(&server, &[("x-forwarded-for", &chain)])).await,
            200
        );
    }
    let eleventh = [("x-forwarded-for", "198.51.100.7")];
    assert_eq!(status(guess(&server, &eleventh)).await, 429);
    let neighbour = login(&server, &server.http, "anna", PASSWORD)
        .header("x-forwarded-for", "198.51.100.7, 198.51.100.8");
    assert_eq!(status(neighbour).await, 302);
    // Whoever comes past the proxy is not believed.
    let past =
        login(&server, &at("127.0.0.9"), "anna", "guess").header("x-forwarded-for", "198.51.100.7");
    assert_eq!(status(past).await, 200);
    let lines = noted(&server).await;
    assert!(
        lines[0].starts_with("anna refused from 198.51.100.7, 10 times"),
        "{lines:?}"
    );
    assert_eq!(lines.last().unwrap(), "anna refused from 127.0.0.9");
}

#[tokio::test]
async fn several_header_lines_are_one_list_and_what_cannot_be_read_ends_it() {
    let server = server(trust("127.0.0.1")).await;
    let line = |value: &'static str| ("x-forwarded-for", value);
    for (headers, address) in [
        (
            &[line("203.0.113.1"), line("203.0.113.2")][..],
            "203.0.113.2",
        ),
        (&[line("203.0.113.1, nonsense")], "127.0.0.1"),
        (&[line("203.0.113.3:4711")], "203.0.113.3"),
        (&[line("::ffff:203.0.113.4")], "203.0.113.4"),
        (&[line("203.0.113.1"), line("")], "127.0.0.1"),
        (&[("x-real-ip", "203.0.113.5")], "127.0.0.1"),
    ] {
        run(&server, "DELETE FROM salrs_audit").await;
        let request = headers.iter().fold(
            login(&server, &server.http, "anna", PASSWORD),
            |request, (name, value)| request.header(*name, *value),
        );
        assert_eq!(status(request).await, 302);
        let noted = noted(&server).await;
        assert_eq!(
            noted,
            [format!("anna logged in from {address}")],
            "{headers:?}"
        );
    }
}

#[tokio::test]
async fn addresses_of_one_ipv6_network_are_locked_together() {
    let server = server(trust("127.0.0.1")).await;
    for n in 0..10 {
        let address = format!("2001:db8:1:2::{n:x}");
        assert_eq!(
            status(guess(&server, &[("x-forwarded-for", &address)])).await,
            200
        );
    }
    let inside = [("x-forwarded-for", "2001:db8:1:2:ffff:ffff:ffff:ffff")];
    assert_eq!(status(guess(&server, &inside)).await, 429);
    let outside = [("x-forwarded-for", "2001:db8:1:3::1")];
    assert_eq!(status(guess(&server, &outside)).await, 200);
    // And noted together, so that nobody fills the log with addresses of the own network.
    let lines = noted(&server).await;
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(lines[0].starts_with("anna refused from 2001:db8:1:2::/64, 10 times"));
}

/// Asks for preflight scripts, as every Mac does at each run; the key is wrong, but the limit stands before it.
fn preflight(server: &TestServer, forwarded: Option<&str>) -> RequestBuilder {
    let request = server.http.post(server.url("/preflight-v2/"));
    match forwarded {
        Some(address) => request.header("x-forwarded-for", address),
        None => request,
    }
}

#[tokio::test]
async fn a_fleet_behind_a_proxy_that_nobody_named_is_not_locked_out() {
    let server = server(|config| config.address_limit = 3).await;
    for machine in 0..60 {
        let address = format!("10.1.0.{machine}");
        assert_eq!(
            status(preflight(&server, Some(&address))).await,
            401,
            "{machine}"
        );
    }
    // Each of the addresses has its own limit all the same.
    for expected in [401, 401, 429] {
        assert_eq!(status(preflight(&server, Some("10.1.0.1"))).await, expected);
    }
    // And who makes up addresses has one for all of them: a hundred times as much.
    let mut last = 0;
    for n in 0..300 {
        last = status(preflight(
            &server,
            Some(&format!("10.2.{}.{}", n / 100, n % 100)),
        ))
        .await;
    }
    assert_eq!(last, 429);
}

#[tokio::test]
async fn with_named_proxies_a_header_of_others_buys_nothing() {
    let server = server(|config| {
        config.address_limit = 3;
        trust("10.0.0.7")(config);
    })
    .await;
    let mut statuses = Vec::new();
    for n in 0..5 {
        statuses.push(status(preflight(&server, Some(&format!("10.1.0.{n}")))).await);
    }
    assert_eq!(statuses, [401, 401, 401, 429, 429]);
}

#[tokio::test]
async fn the_journal_of_the_machines_door_holds_no_forged_address() {
    let server = server(|_| {}).await;
    let forged = preflight(&server, Some("6.6.6.6"));
    assert_eq!(status(forged).await, 401);
    let addresses = texts(&server, "SELECT DISTINCT address FROM salrs_journal").await;
    assert_eq!(addresses, ["127.0.0.1"]);
}
