//! `sal user`: accounts of single sign-on, linked by hand.

use serde_json::Value;

use crate::stage::Stage;

const ISSUER: &str = "https://login.example.org";
const LINKS: &str =
    "SELECT coalesce(string_agg(user_id || ' ' || subject, ','), '') FROM salrs_identity";

/// A stage with the users `anna` (70) and `ben` (71).
async fn stage() -> Stage {
    let stage = Stage::set().await;
    assert_eq!(stage.settings().run(&["db", "init"]).await.code, Some(0));
    stage
        .run(
            "SET ROLE sal; INSERT INTO auth_user (id, password, is_superuser, username, first_name, last_name, email, is_staff, is_active, date_joined)
             VALUES (70, '!', false, 'anna', '', '', '', false, true, now()), (71, '!', false, 'ben', '', '', '', false, true, now())",
        )
        .await;
    stage
}

fn link<'a>(name: &'a str, subject: &'a str) -> [&'a str; 8] {
    [
        "user",
        "link",
        name,
        "--subject",
        subject,
        "--issuer",
        ISSUER,
        "--yes",
    ]
}

#[tokio::test]
async fn an_account_is_linked_to_one_user_and_a_user_to_one_account() {
    let stage = stage().await;
    let run = async |arguments: &[&str]| stage.settings().run(arguments).await;
    let done = run(&link("anna", "s1")).await;
    assert_eq!(done.code, Some(0), "{done:?}");
    let again = run(&link("anna", "s1")).await;
    assert!(
        again.code == Some(0) && again.stderr.contains("already"),
        "{again:?}"
    );
    for (arguments, words) in [
        (link("ben", "s1"), "belongs to the user `anna`"),
        (link("anna", "s2"), "unlink that one first"),
        (link("carl", "s3"), "there is no user `carl`"),
        (link("Anna", "s3"), "there is no user `Anna`"),
    ] {
        let ended = run(&arguments).await;
        assert_eq!(ended.code, Some(3), "{ended:?}");
        assert!(ended.stderr.contains(words), "{ended:?}");
    }
    assert_eq!(stage.value(LINKS).await, "70 s1");
    let listed = run(&["user", "links", "anna", "--json"]).await;
    let report: Value = serde_json::from_str(&listed.stdout).unwrap();
    assert_eq!(report[0]["subject"], "s1", "{report}");

    let configured = stage.settings().with("SAL_OIDC_ISSUER", ISSUER);
    let unlink = ["user", "unlink", "anna", "--subject", "s1", "--yes"];
    assert_eq!(configured.run(&unlink).await.code, Some(0));
    assert_eq!(configured.run(&unlink).await.code, Some(3));
    assert_eq!(stage.value(LINKS).await, "");
    let audit = "SELECT string_agg(username || ' ' || action || ' ' || object_name || ' ' || detail, ', ' ORDER BY id) FROM salrs_audit";
    assert_eq!(
        stage.value(audit).await,
        "(command line) linked anna to an account of https://login.example.org, \
         (command line) unlinked anna from an account of https://login.example.org"
    );
}

#[tokio::test]
async fn nothing_is_linked_without_a_yes_or_with_half_an_account() {
    let stage = stage().await;
    let unasked = [
        "user",
        "link",
        "anna",
        "--subject",
        "s1",
        "--issuer",
        ISSUER,
    ];
    let without_issuer = ["user", "link", "anna", "--subject", "s1", "--yes"];
    for (arguments, code, words) in [
        (&unasked[..], 4, "will be the user `anna`"),
        (&without_issuer, 2, "SAL_OIDC_ISSUER"),
        (&link("anna", " "), 2, "subject"),
        (
            &[
                "user",
                "link",
                "anna",
                "--subject",
                "s",
                "--issuer",
                "http://x.example",
                "--yes",
            ],
            2,
            "https://",
        ),
    ] {
        let ended = stage.settings().run(arguments).await;
        assert_eq!(ended.code, Some(code), "{ended:?}");
        assert!(ended.stderr.contains(words), "{ended:?}");
    }
    assert_eq!(stage.value(LINKS).await, "");
}
