//! `/login/`, `/logout/`, levels and scope.

use axum::http::{StatusCode, header};

use crate::site::{PASSWORD, Site, Visitor};

#[tokio::test]
async fn q043_a_user_of_sal_logs_in_and_out_with_the_password_sal_stored() {
    let site = Site::start().await;
    site.user(1, "anna", "GA", None).await;
    let mut anna = Visitor::default();
    let asked = anna.get(&site, "/machines/?q=a").await;
    assert_eq!(
        (asked.status, asked.location()),
        (StatusCode::FOUND, "/login?next=/machines/%3Fq%3Da")
    );
    let form = [
        ("username", "anna"),
        ("password", PASSWORD),
        ("next", "/machines/?q=a"),
    ];
    let answer = anna.post(&site, "/login/", &form).await;
    assert_eq!(
        (answer.status, answer.location()),
        (StatusCode::FOUND, "/machines/?q=a")
    );
    let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap();
    assert!(
        cookie.ends_with("; Path=/; Max-Age=1209600; HttpOnly; SameSite=Lax"),
        "{cookie}"
    );
    assert_eq!(
        site.number("SELECT count(*) FROM auth_user WHERE last_login IS NOT NULL")
            .await,
        1
    );

    let mut elsewhere = anna.copy();
    assert_eq!(elsewhere.get(&site, "/").await.status, StatusCode::OK);
    let question = anna.get(&site, "/logout/").await;
    assert!(question.text.contains("Log out?"));
    assert_eq!(
        anna.post(&site, "/logout/", &[]).await.location(),
        "/login/"
    );
    assert_eq!(elsewhere.get(&site, "/").await.location(), "/login?next=/");
    assert_eq!(site.number("SELECT count(*) FROM salrs_session").await, 0);
}

#[tokio::test]
async fn wrong_passwords_are_refused_and_the_eleventh_try_has_to_wait() {
    let site = Site::start().await;
    site.user(1, "anna", "GA", None).await;
    let mut stranger = Visitor::default();
    for _ in 0..10 {
        let answer = stranger
            .post(
                &site,
                "/login/",
                &[("username", "anna"), ("password", "guess")],
            )
            .await;
        assert_eq!(answer.status, StatusCode::OK);
        assert!(
            answer
                .text
                .contains("The user name or the password is wrong.")
        );
        assert!(answer.headers.get(header::SET_COOKIE).is_none());
        assert!(!answer.text.contains("guess"));
    }
    let answer = stranger
        .post(
            &site,
            "/login/",
            &[("username", "anna"), ("password", PASSWORD)],
        )
        .await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answer.headers[header::RETRY_AFTER], "900");
}

#[tokio::test]
async fn a_changed_password_or_a_disabled_account_ends_its_sessions() {
    let site = Site::start().await;
    site.user(1, "anna", "GA", None).await;
    site.user(2, "ben", "GA", None).await;
    let (mut anna, mut ben) = (site.visitor("anna").await, site.visitor("ben").await);
    site.sql("UPDATE auth_user SET password = '!' WHERE id = 1; UPDATE auth_user SET is_active = false WHERE id = 2").await;
    assert_eq!(anna.get(&site, "/").await.status, StatusCode::FOUND);
    assert_eq!(ben.get(&site, "/").await.status, StatusCode::FOUND);
}

#[tokio::test]
async fn a_session_ends_after_its_time_and_its_cookie_is_not_in_the_database() {
    let site = Site::start().await;
    site.user(1, "anna", "GA", None).await;
    let mut anna = site.visitor("anna").await;
    let days = site
        .number("SELECT extract(day FROM expires - created)::bigint FROM salrs_session")
        .await;
    assert_eq!(days, 14);
    site.sql("UPDATE salrs_session SET expires = created").await;
    assert_eq!(anna.get(&site, "/").await.status, StatusCode::FOUND);
}

#[tokio::test]
async fn a_login_ends_the_session_that_the_browser_brought_and_makes_another() {
    let site = Site::start().await;
    site.user(1, "anna", "GA", None).await;
    site.user(2, "eve", "RO", None).await;
    let mut planted = site.visitor("eve").await;
    let mut eve = planted.copy();
    let form = [("username", "anna"), ("password", PASSWORD)];
    assert_eq!(planted.post(&site, "/login/", &form).await.location(), "/");
    assert_eq!(eve.get(&site, "/").await.status, StatusCode::FOUND);
    assert_eq!(site.number("SELECT count(*) FROM salrs_session").await, 1);
}

#[tokio::test]
async fn a_login_leads_nowhere_else_and_a_logged_in_visitor_neither() {
    let site = Site::start().await;
    site.user(1, "anna", "GA", None).await;
    for next in [
        "//evil.example/",
        "https://evil.example/",
        "/\\evil.example",
        "/a\r\nX: y",
    ] {
        let form = [("username", "anna"), ("password", PASSWORD), ("next", next)];
        let mut anna = Visitor::default();
        let answer = anna.post(&site, "/login/", &form).await;
        assert_eq!(answer.location(), "/", "{next}");
        let again = anna.get(&site, "/login/?next=%2F%2Fevil.example").await;
        assert_eq!(again.location(), "/");
    }
}

#[tokio::test]
async fn inactive_unusable_endless_and_impossible_logins_are_all_just_wrong() {
    let site = Site::start().await;
    site.user(1, "off", "GA", None).await;
    site.user(2, "sso", "GA", None).await;
    site.user(3, "anna", "GA", None).await;
    site.sql("UPDATE auth_user SET is_active = false WHERE id = 1; UPDATE auth_user SET password = '!x' WHERE id = 2")
        .await;
    let (long, name) = ("x".repeat(5000), "n".repeat(100_000));
    for (username, password) in [
        ("off", PASSWORD),
        ("sso", "!x"),
        ("sso", ""),
        ("anna", long.as_str()),
        ("an\0na", PASSWORD),
        (name.as_str(), PASSWORD),
        ("' OR 1=1 --", PASSWORD),
    ] {
        let form = [("username", username), ("password", password)];
        let answer = Visitor::default().post(&site, "/login/", &form).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert!(
            answer
                .text
                .contains("The user name or the password is wrong.")
        );
        assert!(answer.headers.get(header::SET_COOKIE).is_none());
    }
    assert_eq!(site.number("SELECT count(*) FROM salrs_session").await, 0);
}

#[tokio::test]
async fn cookies_that_are_no_session_log_nobody_in() {
    let site = Site::start().await;
    site.user(1, "anna", "GA", None).await;
    let valid = site.visitor("anna").await;
    for cookie in [
        "sal_session=".to_owned(),
        "sal_session=1-".to_owned(),
        format!("sal_session=1-{}", "A".repeat(43)),
        format!("sal_session=99999999999-{}", "A".repeat(43)),
        format!("sal_session=1-{}", "'".repeat(43)),
    ] {
        let mut visitor = Visitor::with_cookie(&cookie);
        assert_eq!(
            visitor.get(&site, "/").await.status,
            StatusCode::FOUND,
            "{cookie}"
        );
    }
    // Nobody's session is another's.
    site.user(2, "ben", "GA", None).await;
    let cookie = valid.cookie().replace("=1-", "=2-");
    let mut visitor = Visitor::with_cookie(&cookie);
    assert_eq!(visitor.get(&site, "/").await.status, StatusCode::FOUND);
    assert_eq!(valid.copy().get(&site, "/").await.status, StatusCode::OK);
}

#[tokio::test]
async fn only_global_admins_reach_the_database_page() {
    let site = Site::start().await;
    site.machines(1).await;
    site.user(1, "anna", "GA", None).await;
    for (id, level) in [(2, "SO"), (3, "RO"), (4, "RW")] {
        site.user(id, level, level, Some(1)).await;
        let mut visitor = site.visitor(level).await;
        let answer = visitor.get(&site, "/database/").await;
        assert_eq!(
            (answer.status, answer.location()),
            (StatusCode::FOUND, "/"),
            "{level}"
        );
        assert!(!visitor.get(&site, "/").await.text.contains("/database/"));
        assert_eq!(
            visitor
                .post(&site, "/first-group/", &[("unit", "a"), ("group", "b")])
                .await
                .location(),
            "/"
        );
    }
    assert_eq!(
        site.number("SELECT count(*) FROM server_machinegroup")
            .await,
        2
    );
    let page = site.visitor("anna").await.get(&site, "/database/").await;
    assert_eq!(page.status, StatusCode::OK);
    let words = page.page().words();
    for text in [
        "Logged in",
        "db.example:5432",
        "DB_PASS is set & not used",
        "of at most 16",
    ] {
        assert!(words.contains(text), "{text}");
    }
}
