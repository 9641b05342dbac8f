//! `/database/`: what the database says of the login, and the journal of the move.

use axum::http::StatusCode;
use sal_testkit::Page;

use crate::site::Site;

async fn page(site: &Site) -> Page {
    let mut admin = site.visitor("admin").await;
    let page = admin.get(site, "/database/").await;
    assert_eq!(page.status, StatusCode::OK);
    page.page()
}

/// What the page says of something, or nothing.
fn said(of: &str, page: &Page) -> String {
    let pairs = page.described("main").into_iter();
    let mut found = pairs.filter(|(name, _)| name == of).map(|(_, said)| said);
    found.next().unwrap_or_default()
}

#[tokio::test]
async fn session_roles_and_connections_are_shown() {
    let site = Site::start().await;
    site.user(1, "admin", "GA", None).await;
    let page = page(&site).await;
    assert_eq!(page.text(".move .badge"), "Not begun");
    assert_eq!(
        page.texts(".move > p > code"),
        ["sal iam doctor", "sal iam plan"]
    );
    assert_eq!(page.texts(".alert.warn")[0], "DB_PASS is set & not used");
    assert!(said("Server", &page).starts_with("PostgreSQL 1"));
    assert_eq!(said("Encryption", &page), "Not encrypted");
    assert_eq!(
        said("Owner of Sal's tables", &page),
        "postgres has its rights"
    );
    let role = said("postgres", &page);
    for part in ["logs in for this server", "not in rds_iam", "administrator"] {
        assert!(role.contains(part), "{part} in {role}");
    }
}

#[tokio::test]
async fn membership_in_rds_iam_is_found_through_other_roles() {
    let site = Site::alone().await;
    site.user(1, "admin", "GA", None).await;
    site.sql(
        "CREATE ROLE rds_iam; CREATE ROLE \"between\"; CREATE ROLE keeper;
         GRANT rds_iam TO \"between\"; GRANT \"between\" TO keeper; ALTER TABLE server_machine OWNER TO keeper",
    )
    .await;
    let keeper = said("keeper", &page(&site).await);
    for part in [
        "owns Sal's tables",
        "logs in with a token only",
        "cannot log in",
    ] {
        assert!(keeper.contains(part), "{part} in {keeper}");
    }
}

#[tokio::test]
async fn the_journal_says_where_the_move_stands() {
    let site = Site::start().await;
    site.user(1, "admin", "GA", None).await;
    site.sql(
        "CREATE SCHEMA salrs_iam;
         CREATE TABLE salrs_iam.salrs_iam_journal (seq bigint PRIMARY KEY, written timestamptz NOT NULL DEFAULT now(),
             command text NOT NULL, step text NOT NULL, phase text NOT NULL, entry text NOT NULL);
         INSERT INTO salrs_iam.salrs_iam_journal
         SELECT n, timestamptz '2026-11-22T11:00:00Z' + n * interval '1 minute', 'apply', step, phase,
             '{\"actor\": {\"database_user\": \"postgres\", \"system_user\": \"anna\", \"host\": \"desk\"}, \"note\": \"' || note || '\"}'
         FROM (VALUES (1, '', 'started', ''), (2, 'create-role', 'started', ''), (3, 'create-role', 'failed', 'no <rights>')) AS v (n, step, phase, note)",
    )
    .await;
    let stopped = page(&site).await;
    assert_eq!(stopped.text(".move > p > .badge"), "Stopped at a step");
    assert_eq!(stopped.texts(".move > p > code"), ["sal iam apply"]);
    let journal = stopped.rows(".move table");
    let failed = journal.iter().find(|line| line[2].contains("no <rights>"));
    let failed = failed.unwrap_or_else(|| panic!("{journal:?}"));
    assert_eq!(
        (failed[1].as_str(), failed[3].as_str()),
        ("57 min ago", "postgres, anna on desk")
    );
    site.sql(
        "INSERT INTO salrs_iam.salrs_iam_journal VALUES (4, '2026-11-22T11:05:00Z', 'apply', '', 'done', '{}')",
    )
    .await;
    let applied = page(&site).await;
    assert_eq!(applied.text(".move > p > .badge.ok"), "Applied");
    assert_eq!(
        applied.texts(".move > p > code"),
        ["sal iam verify", "sal iam finalize"]
    );
    // Whatever stands in the table, the page is shown.
    site.sql("UPDATE salrs_iam.salrs_iam_journal SET entry = 'no json'")
        .await;
    let broken = page(&site).await;
    assert!(broken.text(".alert.bad").contains("did not answer"));
    assert_eq!(broken.texts("main h2")[0], "Login");
}
