//! `/database/`: what the database says of the login, and the journal of the move.

use axum::http::StatusCode;

use crate::site::Site;

async fn page(site: &Site) -> String {
    let mut admin = site.visitor("admin").await;
    let page = admin.get(site, "/database/").await;
    assert_eq!(page.status, StatusCode::OK);
    page.text
}

#[tokio::test]
async fn session_roles_and_connections_are_shown() {
    let site = Site::start().await;
    site.user(1, "admin", "GA", None).await;
    let text = page(&site).await;
    for shown in [
        "<span class=\"badge plain\">Not begun</span>",
        "<code>sal iam plan</code>",
        "PostgreSQL 1",
        "Not encrypted",
        "has its rights",
        "logs in for this server",
        "not in rds_iam",
        "administrator",
        "DB_PASS is set &#38; not used",
    ] {
        assert!(text.contains(shown), "{shown} in {text}");
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
    let text = page(&site).await;
    let after = text.split("<dt><code>keeper</code></dt>").nth(1);
    let line = after.unwrap().split("</dd>").next().unwrap();
    assert!(
        line.contains("owns Sal&#39;s tables") && line.contains("logs in with a token only"),
        "{line}"
    );
    assert!(line.contains("cannot log in"));
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
    let text = page(&site).await;
    for shown in [
        "Stopped at a step",
        "<code>sal iam apply</code>",
        "no &#60;rights&#62;",
        "postgres, anna on desk",
        "57 min ago",
    ] {
        assert!(text.contains(shown), "{shown} in {text}");
    }
    site.sql(
        "INSERT INTO salrs_iam.salrs_iam_journal VALUES (4, '2026-11-22T11:05:00Z', 'apply', '', 'done', '{}')",
    )
    .await;
    let text = page(&site).await;
    assert!(text.contains("<span class=\"badge ok\">Applied</span>"));
    assert!(text.contains("<code>sal iam verify</code>, then <code>sal iam finalize</code>"));
    // Whatever stands in the table, the page is shown.
    site.sql("UPDATE salrs_iam.salrs_iam_journal SET entry = 'no json'")
        .await;
    let text = page(&site).await;
    assert!(
        text.contains("did not answer") && text.contains("<h2>Login</h2>"),
        "{text}"
    );
}
