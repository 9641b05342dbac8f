//! `/setup/<token>/`: the link that makes the first user.

use axum::http::StatusCode;
use sal_http::access::setup;

use crate::site::{Site, Visitor};

#[tokio::test]
async fn q013_the_link_makes_the_first_user_once_and_that_user_can_log_in() {
    let site = Site::start().await;
    let path = setup::offer(site.app.now(), &site.app.store)
        .await
        .unwrap()
        .unwrap();
    let mut visitor = Visitor::default();
    assert_eq!(visitor.get(&site, &path).await.status, StatusCode::OK);
    let form = |again| {
        [
            ("username", "anna"),
            ("password", "long enough"),
            ("again", again),
        ]
    };
    let mistyped = visitor.post(&site, &path, &form("long enuogh")).await;
    assert_eq!(mistyped.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        mistyped.text.contains("The two passwords differ.")
            && !mistyped.text.contains("long enough")
    );
    let made = visitor.post(&site, &path, &form("long enough")).await;
    assert_eq!(made.location(), "/login/");
    let audit = "SELECT count(*) FROM salrs_audit WHERE kind = 'user' AND action = 'made' AND username = 'anna'
         AND user_id IS NULL AND object_name = 'anna'";
    assert_eq!(site.number(audit).await, 1);
    assert_eq!(
        visitor
            .post(&site, &path, &form("long enough"))
            .await
            .status,
        StatusCode::NOT_FOUND
    );
    let login = [("username", "anna"), ("password", "long enough")];
    assert_eq!(visitor.post(&site, "/login/", &login).await.location(), "/");
    assert_eq!(
        visitor.get(&site, "/database/").await.status,
        StatusCode::OK
    );
    assert_eq!(
        setup::offer(site.app.now(), &site.app.store).await.unwrap(),
        None
    );
}

#[tokio::test]
async fn a_wrong_or_old_link_or_one_beside_a_user_makes_nobody() {
    let site = Site::start().await;
    let path = setup::offer(site.app.now(), &site.app.store)
        .await
        .unwrap()
        .unwrap();
    let mut visitor = Visitor::default();
    let form = [
        ("username", "eve"),
        ("password", "long enough"),
        ("again", "long enough"),
    ];
    assert_eq!(
        visitor.post(&site, "/setup/guess/", &form).await.status,
        StatusCode::NOT_FOUND
    );
    site.sql("UPDATE salrs_setup_link SET expires = expires - interval '2 days'")
        .await;
    assert_eq!(
        visitor.post(&site, &path, &form).await.status,
        StatusCode::NOT_FOUND
    );
    let fresh = setup::offer(site.app.now(), &site.app.store)
        .await
        .unwrap()
        .unwrap();
    site.user(1, "anna", "GA", None).await;
    assert_eq!(
        visitor.post(&site, &fresh, &form).await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        site.number("SELECT count(*) FROM auth_user WHERE username = 'eve'")
            .await,
        0
    );
}
