//! Pages judged by others: axe-core looks for what keeps people out (WCAG 2.1 A and AA), in both themes; the browser
//! itself says whether anything hostile ran.

use std::path::PathBuf;

use serde_json::Value;

use super::{driver::Browser, walks::PAGES};
use crate::{pages::hostile_fleet, plugins::demo_fleet};

async fn logged_in(url: &str, arguments: &[&str]) -> Browser {
    let browser = Browser::with(arguments).await;
    browser.open(url).await;
    for (field, text) in [("username", "admin"), ("password", "password")] {
        browser.fill(field, text).await;
    }
    browser.click("//button[. = 'Log in']").await;
    browser.see("//nav[@aria-label = 'Main']").await;
    browser
}

#[tokio::test]
async fn axe_finds_no_barrier_on_any_page_in_either_theme() {
    #[expect(
        clippy::disallowed_methods,
        reason = "`./dev test` says where it put the judge"
    )]
    let folder = std::env::var_os("SAL_TESTS_AXE")
        .map_or_else(|| PathBuf::from("/var/tmp/sal-tests-axe"), PathBuf::from);
    let file = folder.join("node_modules/axe-core/axe.min.js");
    let axe = std::fs::read_to_string(&file).expect("axe-core is installed; `./dev test` does it");
    let (server, _db) = demo_fleet().await;
    let browser = logged_in(&server.url("/login/"), &[]).await;
    browser
        .run("document.cookie = 'sal_theme=light; path=/'")
        .await;
    let mut barriers = Vec::new();
    for path in PAGES {
        browser.open(&server.url(path)).await;
        browser.run(&format!("{axe}; return null")).await;
        let found = violations(WCAG, &browser).await;
        barriers.extend(found.iter().map(|one| format!("light {path} {one}")));
        // The theme is one attribute, and changes nothing but colours.
        browser
            .run("document.documentElement.dataset.theme = 'dark'")
            .await;
        let found = violations(OF_COLOURS, &browser).await;
        barriers.extend(found.iter().map(|one| format!("dark {path} {one}")));
    }
    browser.stop().await;
    assert!(barriers.is_empty(), "{}", barriers.join("\n"));
}

const WCAG: &str = "['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']";
const OF_COLOURS: &str = "{type: 'rule', values: ['color-contrast', 'link-in-text-block']}";

/// What axe-core finds against some of its rules.
async fn violations(rules: &str, browser: &Browser) -> Vec<String> {
    let script = format!(
        "return axe.run(document, {{runOnly: {rules}, resultTypes: ['violations']}})
         .then(result => result.violations.map(one => one.id + ': ' + one.nodes.slice(0, 3).map(node => node.html.slice(0, 160)).join(' | ')))"
    );
    let found = browser.run(&script).await;
    let found = found.as_array().unwrap().iter();
    found.filter_map(Value::as_str).map(str::to_owned).collect()
}

#[tokio::test]
async fn nothing_hostile_runs_and_nothing_is_fetched_from_elsewhere() {
    let stage = hostile_fleet().await;
    let browser = logged_in(&stage.server.url("/login/"), &[]).await;
    for path in stage.pages() {
        browser.open(&stage.server.url(&path)).await;
        assert_eq!(
            browser.run("return window.ran").await,
            Value::Null,
            "{path}"
        );
        let elsewhere = browser
            .run("return performance.getEntriesByType('resource').map(one => one.name).filter(name => !name.startsWith(location.origin))")
            .await;
        assert_eq!(elsewhere, Value::Array(Vec::new()), "{path}");
    }
    let mut complaints = browser.complaints().await;
    // Some of the addresses are of forms only, or of nothing: that is no fault of the page.
    complaints.retain(|line| !line.contains("the server responded with a status of 4"));
    assert_eq!(complaints, Vec::<String>::new());
    browser.stop().await;
}
