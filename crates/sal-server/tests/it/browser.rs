//! A person's first half hour, in headless Chromium: set up, wait for a Mac, look at it.
//!
//! Needs `chromium` and `chromedriver` on the machine; the pages must neither log an error nor break their own
//! content security policy on the way.

mod driver;
mod judged;
mod searching;
mod walks;

use driver::Browser;
use sal_http::access::setup;
use sal_testkit::{Filled, TestServer};
use serde_json::json;

#[tokio::test]
async fn a_newcomer_sets_up_the_server_and_follows_a_number_to_a_machine() {
    let server = TestServer::start(Filled::Fresh).await;
    let browser = Browser::start().await;
    first_user_logs_in(&server, &browser).await;

    // The empty server makes its first group and waits for a Mac.
    browser.click("//button[. = 'Make them']").await;
    browser
        .see("//h2[. = 'Waiting for the first check-in']")
        .await;
    let database = server.database.connect().await;
    let key: String = database
        .query_one("SELECT key FROM server_machinegroup", &[])
        .await
        .unwrap()
        .get(0);
    for (serial, name, user) in [
        ("C02ONE", "anna-mbp", "anna"),
        ("C02TWO", "ben-imac", "ben"),
    ] {
        let (status, text) = server
            .checkin(&key, checkin(&key, serial, name, user))
            .await;
        assert_eq!(status, 200, "{text}");
    }

    // The page notices by itself; a tile opens the list it counts.
    let tile = browser
        .see("//a[contains(@class, 'tile')][contains(., 'Last hour')]")
        .await;
    assert!(tile.text().await.unwrap().starts_with('2'));
    tile.click().await.unwrap();
    browser
        .see("//h1[. = 'Machines seen in the last hour']")
        .await;
    assert_eq!(browser.count("//tbody/tr").await, 2);

    // Typing searches without leaving the page; the address follows.
    let search = browser.see("//input[@id = 'list-search']").await;
    search.send_keys("ANNA").await.unwrap();
    browser.see("//tbody[count(tr) = 1]").await;
    browser.see("//p[@id = 'total'][. = '1 machine']").await;
    let address = browser.client.current_url().await.unwrap();
    let query = address.query().unwrap();
    assert!(query.ends_with("+ANNA"), "{address}");
    assert!(query.contains("q=widget+%22Activity%22"), "{address}");

    browser.click("//a[. = 'anna-mbp']").await;
    browser.see("//h1[. = 'anna-mbp']").await;
    browser.see("//dd[. = '10.1.2.3']").await;
    browser
        .see("//a[contains(@class, 'chip')][contains(., 'Errors')][contains(., '1')]")
        .await;

    looks_through_a_machine(&browser).await;
    choose_dark_theme(&browser).await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.stop().await;
}

async fn first_user_logs_in(server: &TestServer, browser: &Browser) {
    let path = setup::offer(server.app.now(), &server.app.store)
        .await
        .unwrap()
        .unwrap();
    browser.open(&server.url(&path)).await;
    for (field, text) in [("password", "long enough"), ("again", "long enough")] {
        browser.fill(field, text).await;
    }
    browser.click("//button[. = 'Make the user']").await;
    browser.see("//h1[. = 'Log in']").await;
    for (field, text) in [("username", "admin"), ("password", "long enough")] {
        browser.fill(field, text).await;
    }
    browser.click("//button[. = 'Log in']").await;
    browser.see("//h1[. = 'Overview']").await;
}

/// Tabs, filter and history come without leaving the page, each with an address of its own.
async fn looks_through_a_machine(browser: &Browser) {
    browser.click("//summary[contains(., 'Firefox')]").await;
    browser
        .see("//div[@class = 'history'][contains(., 'Pending')]")
        .await;
    browser.run("window.stays = true").await;
    browser.click("//a[@id = 'tab-facts']").await;
    let filter = browser.see("//input[@id = 'tab-filter']").await;
    browser.see("//dt[. = 'os_vers']").await;
    filter.send_keys("IPV4").await.unwrap();
    browser
        .see("//section[@id = 'facts'][not(.//dt[. = 'os_vers'])]")
        .await;
    let address = browser.client.current_url().await.unwrap();
    assert_eq!(address.query(), Some("tab=facts&q=IPV4"));
    browser.click("//a[@id = 'tab-timeline']").await;
    browser
        .see("//section[@id = 'timeline'][contains(., 'first time')]")
        .await;
    browser.client.back().await.unwrap();
    browser.see("//section[@id = 'facts']").await;
}

async fn choose_dark_theme(browser: &Browser) {
    browser
        .click("//summary[starts-with(@aria-label, 'Account')]")
        .await;
    browser.click("//button[. = 'Dark']").await;
    browser.see("//html[@data-theme = 'dark']").await;
    browser.see("//h1[. = 'anna-mbp']").await;
}

fn checkin(key: &str, serial: &str, name: &str, user: &str) -> String {
    json!({
        "Machine": {
            "extra_data": {
                "serial": serial, "hostname": name, "console_user": user, "os_family": "Darwin",
                "operating_system": "15.1", "machine_model": "Mac15,3",
            },
            "facts": {"ipv4_address": "10.1.2.3", "os_vers": "15.1"},
        },
        "Munki": {
            "messages": [{"message_type": "ERROR", "text": "No manifest"}],
            "managed_items": {"Firefox": {"status": "PENDING", "date_managed": "2025-03-01T08:00:00Z", "data": {}}},
        },
        "Sal": {"extra_data": {"key": key, "sal_version": "5.0.1"}},
    })
    .to_string()
}
