//! A question of an admin's day, from the first letter to the file, with the keyboard alone: no click, and no script that
//! puts anything in.

use sal_testkit::{Filled, TestServer};

use super::driver::Browser;

const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";
const ESCAPE: &str = "\u{e00c}";
const DOWN: &str = "\u{e015}";

/// Presses Tab until the focus is there.
async fn tab_to(browser: &Browser, xpath: &str) {
    browser.see(xpath).await;
    let is_there = format!(
        "return document.evaluate({xpath:?}, document, null, XPathResult.FIRST_ORDERED_NODE_TYPE, null).singleNodeValue \
         === document.activeElement"
    );
    for _ in 0..120 {
        if browser.run(&is_there).await == true {
            return;
        }
        browser.press(TAB).await;
    }
    let source = browser.client.source().await.unwrap();
    assert!(source.is_empty(), "Tab does not lead to {xpath}\n{source}");
}

async fn log_in(browser: &Browser, server: &TestServer, user: &str) {
    browser.open(&server.url("/login/")).await;
    tab_to(browser, "//input[@name = 'username']").await;
    browser.press(user).await;
    browser.press(TAB).await;
    let password = match user {
        "admin" => "password",
        _ => "ro-pass",
    };
    browser.press(password).await;
    browser.press(ENTER).await;
    browser.see("//nav[@aria-label = 'Main']").await;
}

/// A laptop that is meant, and three that differ in one point each.
async fn laptops(server: &TestServer) {
    let db = server.database.connect().await;
    db.batch_execute(
        "INSERT INTO server_machine (id, serial, hostname, os_family, operating_system, memory_kb, machine_group_id, deployed,
             broken_client, last_checkin, machine_model, console_user)
         SELECT 900 + n, 'WALK' || n, 'walk-' || n, 'Darwin', CASE n WHEN 2 THEN '15.1' ELSE '14.' || n END, 0,
             (SELECT id FROM server_machinegroup WHERE name = 'Default'), true, false,
             now() - CASE n WHEN 3 THEN interval '1 day' ELSE interval '40 days' END, 'MacBookPro18,3', 'user-' || n
         FROM generate_series(1, 4) n;
         INSERT INTO inventory_application (id, name, bundleid, bundlename, \"servicepackIneffect\")
         VALUES (900, 'Firefox', 'org.mozilla.firefox', 'Firefox', '');
         INSERT INTO inventory_inventoryitem (machine_id, application_id, version)
         SELECT 900 + n, 900, CASE n WHEN 4 THEN '131.0' ELSE '99.0' END FROM generate_series(1, 4) n",
    )
    .await
    .unwrap();
}

/// The lines of a list of machines.
const LINES: &str = "//div[@id = 'devices']//tbody/tr";

const QUESTION: &str = "< 15 and machine_model ~ book and last_checkin older than 30d and application \"Firefox\" < 130";

#[tokio::test]
async fn a_question_is_typed_counted_saved_shared_opened_by_another_and_exported_by_keyboard() {
    let server = TestServer::start(Filled::Seeded).await;
    laptops(&server).await;
    let browser = Browser::start().await;
    log_in(&browser, &server, "admin").await;

    // A suggestion completes the field; the number is there before Enter.
    browser.press("/").await;
    browser.press("os_v").await;
    browser
        .see("//div[@role = 'option'][contains(., 'os_version')]")
        .await;
    browser.press(DOWN).await;
    browser.press(ENTER).await;
    browser.press(QUESTION).await;
    browser
        .see("//div[@class = 'matches'][. = '1 machine match' or . = '1 machine matches' or contains(., '1 machine')]")
        .await;
    browser.press(ESCAPE).await;
    browser.press(ENTER).await;
    browser
        .see(&format!("{LINES}[contains(., 'walk-1')]"))
        .await;
    assert_eq!(browser.count(LINES).await, 1);

    save(&browser).await;
    log_out(&browser).await;

    log_in(&browser, &server, "ro").await;
    tab_to(&browser, "//nav[@aria-label = 'Main']//a[. = 'Searches']").await;
    browser.press(ENTER).await;
    tab_to(&browser, "//tbody//a[. = 'Forgotten laptops']").await;
    browser.press(ENTER).await;
    browser
        .see(&format!("{LINES}[contains(., 'walk-1')]"))
        .await;
    assert_eq!(browser.count(LINES).await, 1);

    let csv = "//a[contains(@href, '/machines/export/')][contains(@href, 'format=csv')]";
    tab_to(&browser, csv).await;
    let href = browser.see(csv).await.attr("href").await.unwrap().unwrap();
    let script = format!("const answer = await fetch({href:?}); return await answer.text();");
    let text = browser
        .run(&format!("return (async () => {{ {script} }})()"))
        .await;
    let lines: Vec<&str> = text.as_str().unwrap().lines().collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[1].contains("walk-1"), "{lines:?}");
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.stop().await;
}

async fn save(browser: &Browser) {
    tab_to(browser, "//a[@id = 'build']").await;
    browser.press(ENTER).await;
    browser.see("//strong[. = '1 machine']").await;
    // The builder knows the values that there are, and how many have each.
    tab_to(browser, "//input[@data-values-of = 'os_version < ']").await;
    browser
        .see("//datalist[contains(@id, '-values')]/option[@value = '14.1'][. = '1 machine']")
        .await;
    tab_to(browser, "//input[@name = 'name']").await;
    browser.press("Forgotten laptops").await;
    tab_to(browser, "//input[@name = 'sharing'][@value = 'private']").await;
    browser.press(DOWN).await;
    browser.press(DOWN).await;
    tab_to(browser, "//form[@id = 'save']//button[. = 'Save']").await;
    browser.press(ENTER).await;
    browser
        .see("//tbody/tr[contains(., 'Forgotten laptops')][contains(., 'Everybody')]")
        .await;
}

async fn log_out(browser: &Browser) {
    tab_to(browser, "//summary[starts-with(@aria-label, 'Account of')]").await;
    browser.press(ENTER).await;
    tab_to(browser, "//button[. = 'Log out']").await;
    browser.press(ENTER).await;
    browser.see("//input[@name = 'username']").await;
}
