//! `/changepassword/`.

use axum::http::StatusCode;

use crate::site::{PASSWORD, Site, Visitor};

const NEW: &str = "four blue kettles";

fn form<'a>(old: &'a str, new: &'a str, again: &'a str) -> [(&'static str, &'a str); 3] {
    [("old", old), ("password", new), ("again", again)]
}

#[tokio::test]
async fn everybody_changes_the_own_password_and_all_other_sessions_end() {
    let site = Site::start().await;
    site.user(1, "so", "SO", None).await;
    let mut here = site.visitor("so").await;
    let (mut elsewhere, mut copied) = (site.visitor("so").await, here.copy());
    assert!(
        here.get(&site, "/changepassword/")
            .await
            .text
            .contains("Old password")
    );
    let done = here
        .post(&site, "/changepassword/", &form(PASSWORD, NEW, NEW))
        .await;
    assert_eq!(done.location(), "/changepassword/done/", "{}", done.text);
    let page = here.get(&site, "/changepassword/done/").await;
    assert_eq!(page.status, StatusCode::OK);
    for other in [&mut elsewhere, &mut copied] {
        let answer = other.get(&site, "/changepassword/done/").await;
        assert_eq!(answer.status, StatusCode::FOUND);
    }
    let login = [("username", "so"), ("password", NEW)];
    let answer = Visitor::default().post(&site, "/login/", &login).await;
    assert_eq!(answer.location(), "/");
    let audit = "SELECT count(*) FROM salrs_audit WHERE kind = 'user' AND action = 'changed' AND username = 'so'
         AND object_id = '1' AND detail = 'the own password'";
    assert_eq!(site.number(audit).await, 1);
}

#[tokio::test]
async fn bad_new_passwords_change_nothing() {
    let site = Site::start().await;
    site.user(1, "anna.lee", "RO", None).await;
    let mut anna = site.visitor("anna.lee").await;
    let long = "ab ".repeat(2000);
    for (new, again, words) in [
        ("short", "short", "10 characters"),
        (NEW, "four blue kettle", "differ"),
        ("20261122202611", "20261122202611", "digits"),
        ("Password1234", "Password1234", "commonest"),
        ("anna.lee.1", "anna.lee.1", "too similar"),
        (PASSWORD, PASSWORD, "is the old one"),
        (long.as_str(), long.as_str(), "at most 4096"),
    ] {
        let answer = anna
            .post(&site, "/changepassword/", &form(PASSWORD, new, again))
            .await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{words}");
        assert!(answer.text.contains(words), "{words}");
        assert!(!answer.text.contains(NEW));
    }
    assert_eq!(
        anna.get(&site, "/changepassword/").await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn the_old_password_cannot_be_guessed_here() {
    let site = Site::start().await;
    site.user(1, "anna", "RO", None).await;
    let mut anna = site.visitor("anna").await;
    for _ in 0..10 {
        let answer = anna
            .post(&site, "/changepassword/", &form("guess", NEW, NEW))
            .await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(answer.text.contains("The old password is wrong."));
    }
    let path = "/changepassword/";
    let answer = anna.post(&site, path, &form(PASSWORD, NEW, NEW)).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    // The login page counts the same tries.
    let login = [("username", "anna"), ("password", PASSWORD)];
    let answer = Visitor::default().post(&site, "/login/", &login).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    let rows = "SELECT count(*) FROM salrs_audit WHERE kind = 'login' AND username = 'anna'
         AND action IN ('refused', 'locked out')";
    assert_eq!(site.number(rows).await, 2, "one of each, not eleven");
}

#[tokio::test]
async fn who_has_no_password_is_told_so() {
    let site = Site::start().await;
    site.user(1, "anna", "RO", None).await;
    let mut anna = site.visitor("anna").await;
    // A session of single sign-on: made while the stored password is unusable.
    site.sql(
        "UPDATE salrs_session SET token_hash = sha256('x');
         UPDATE auth_user SET password = '!sso'",
    )
    .await;
    assert_eq!(
        anna.get(&site, "/changepassword/").await.status,
        StatusCode::FOUND
    );
    let cookie = sal_http::access::session::SessionCookie::new(sal_store::ids::UserId(1), false);
    let set = cookie
        .start(site.app.now(), &site.app)
        .await
        .unwrap()
        .unwrap();
    let mut anna = Visitor::with_cookie(set.to_str().unwrap());
    let page = anna.get(&site, "/changepassword/").await;
    assert!(page.text.contains("single sign-on") && !page.text.contains("Old password"));
    let answer = anna
        .post(&site, "/changepassword/", &form("!sso", NEW, NEW))
        .await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
}
