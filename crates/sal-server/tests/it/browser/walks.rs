//! What people do with the pages, in a browser: follow a number, search, export, change settings and the order of
//! plugins, with the keyboard alone, on a telephone, and without JavaScript.

use sal_testkit::{Filled, TestServer};

use super::driver::Browser;
use crate::plugins::demo_fleet;

/// A browser at the overview of the demo fleet, logged in as its administrator.
async fn at_the_overview(server: &TestServer, arguments: &[&str]) -> Browser {
    let browser = Browser::with(arguments).await;
    browser.open(&server.url("/")).await;
    for (field, text) in [("username", "admin"), ("password", "password")] {
        browser.fill(field, text).await;
    }
    browser.click("//button[. = 'Log in']").await;
    browser.see("//h1[. = 'Overview']").await;
    browser
}

#[tokio::test]
async fn a_number_leads_to_its_list_the_list_to_a_file_and_a_machine() {
    let (server, _db) = demo_fleet().await;
    let browser = at_the_overview(&server, &[]).await;
    let line = browser
        .see("//section[@id = 'widget-Encryption']//a[contains(., 'Not encrypted')]")
        .await;
    let number = line.text().await.unwrap();
    let number: usize = number.split_whitespace().last().unwrap().parse().unwrap();
    line.click().await.unwrap();
    browser
        .see("//h1[. = 'Laptops without encryption enabled']")
        .await;
    assert_eq!(browser.count("//tbody/tr").await, number);

    // The file has the same machines, under the same filter.
    let csv = browser
        .see("//a[contains(@href, '/machines/export/')][contains(@href, 'format=csv')]")
        .await;
    let href = csv.attr("href").await.unwrap().unwrap();
    let script = format!("const answer = await fetch({href:?}); return await answer.text();");
    let text = browser
        .run(&format!("return (async () => {{ {script} }})()"))
        .await;
    assert_eq!(text.as_str().unwrap().lines().count(), number + 1);

    browser.click("(//tbody//a[@data-row-link])[1]").await;
    browser
        .see("//section[@id = 'detail-MachineDetailSecurity']")
        .await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.stop().await;
}

#[tokio::test]
async fn the_order_of_plugins_and_a_setting_are_changed_and_noted() {
    let (server, db) = demo_fleet().await;
    let browser = at_the_overview(&server, &[]).await;
    let first = "(//div[@class = 'grid']/section)[1]";
    assert_eq!(
        browser.see(first).await.attr("id").await.unwrap().unwrap(),
        "widget-Activity"
    );
    browser.open(&server.url("/settings/plugins/")).await;
    browser
        .click("//button[@aria-label = 'Move Activity down']")
        .await;
    browser
        .see("//button[@aria-label = 'Move Status up'][@disabled]")
        .await;
    browser.open(&server.url("/")).await;
    assert_eq!(
        browser.see(first).await.attr("id").await.unwrap().unwrap(),
        "widget-Status"
    );

    browser.open(&server.url("/settings/all/")).await;
    browser.fill("historical_retention", "90").await;
    browser
        .click("//form[.//input[@name = 'historical_retention']]//button[@class = 'primary' or not(@class)][1]")
        .await;
    browser.open(&server.url("/activity/")).await;
    browser.see("//*[contains(., 'moved down')]").await;
    let kept: String = db
        .query_one(
            "SELECT value FROM server_salsetting WHERE name = 'historical_retention'",
            &[],
        )
        .await
        .unwrap()
        .get(0);
    assert_eq!(kept, "90");
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.stop().await;
}

#[tokio::test]
async fn the_keyboard_alone_finds_and_opens_a_machine() {
    let (server, _db) = demo_fleet().await;
    let browser = at_the_overview(&server, &[]).await;
    browser.open(&server.url("/machines/")).await;
    browser.see("//tbody/tr").await;
    // `j` goes to the first line and on, Enter opens it.
    browser.press("j").await;
    browser.press("j").await;
    let name = browser
        .client
        .active_element()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    browser.press("\u{e007}").await;
    browser.see(&format!("//h1[. = {}]", quoted(&name))).await;
    // The first thing that Tab reaches leads past the navigation.
    browser.press("\u{e004}").await;
    let skip = browser.client.active_element().await.unwrap();
    assert_eq!(skip.attr("class").await.unwrap().as_deref(), Some("skip"));
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.stop().await;
}

/// A text in XPath, whichever quotes it holds.
fn quoted(text: &str) -> String {
    let parts: Vec<String> = text.split('"').map(|part| format!("\"{part}\"")).collect();
    format!("concat({}, '')", parts.join(", '\"', "))
}

#[tokio::test]
async fn no_page_is_wider_than_a_telephone() {
    let (server, _db) = demo_fleet().await;
    let browser = at_the_overview(&server, &[]).await;
    browser.size(390, 844).await;
    for path in PAGES {
        browser.open(&server.url(path)).await;
        let wide =
            "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
        assert_eq!(browser.run(wide).await, 0, "{path}");
    }
    browser.stop().await;
}

#[tokio::test]
async fn without_javascript_pages_are_read_and_links_followed() {
    let (server, _db) = demo_fleet().await;
    let off = "--blink-settings=scriptEnabled=false";
    let browser = at_the_overview(&server, &[off]).await;
    browser
        .click("//a[contains(@class, 'tile')][contains(., 'Today')]")
        .await;
    browser.see("//h1[. = 'Machines seen today']").await;
    browser.click("(//tbody//a[@data-row-link])[1]").await;
    browser.click("//a[@id = 'tab-facts']").await;
    browser.see("//section[@id = 'facts']").await;
    browser.open(&server.url("/inventory/")).await;
    browser.see("//h1").await;
    browser.stop().await;
}

#[tokio::test]
async fn an_empty_server_and_one_with_200_versions_keep_their_shape() {
    let server = TestServer::start(Filled::Seeded).await;
    let browser = at_the_overview(&server, &[]).await;
    for path in [
        "/",
        "/machines/",
        "/updates/",
        "/reports/",
        "/activity/",
        "/licenses/",
    ] {
        browser.open(&server.url(path)).await;
        browser.see("//main//*[self::h1 or self::h2]").await;
    }
    let db = server.database.connect().await;
    db.batch_execute(
        "INSERT INTO server_machine (serial, machine_group_id, operating_system, memory_kb, os_family, deployed, broken_client, last_checkin)
         SELECT 'V' || n, (SELECT min(id) FROM server_machinegroup), n / 10 || '.' || n % 10 || '.a-very-long-name-of-a-version', 0, 'Linux', true, false, now()
         FROM generate_series(1, 200) n",
    )
    .await
    .unwrap();
    browser.open(&server.url("/")).await;
    browser.see("//summary[. = '195 more']").await;
    let wide = "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
    assert_eq!(browser.run(wide).await, 0);
    browser.stop().await;
}

/// Pages that are looked at in every shape.
pub(super) const PAGES: &[&str] = &[
    "/",
    "/machines/",
    "/machine_detail/1/",
    "/machine_detail/1/?tab=timeline",
    "/inventory/all/0/",
    "/updates/",
    "/report/InstallReport/all/0/",
    "/report/MunkiInfo/all/0/",
    "/activity/",
    "/licenses/",
    "/units/",
    "/settings/",
    "/settings/all/",
    "/settings/users/",
    "/settings/plugins/",
    "/settings/maintenance/",
    "/settings/api-keys/",
    "/database/",
    "/changepassword/",
];
