//! `/settings/api-tokens/`.

use axum::http::{StatusCode, header};
use sal_http::api_token::TokenSecret;

use super::site_with_admin;
use crate::site::{Site, Visitor};

/// The secret that a page shows, where it shows one.
fn secret(text: &str) -> Option<TokenSecret> {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    words
        .filter_map(|word| TokenSecret::parse(word).ok())
        .next()
}

async fn is_stored(secret: &TokenSecret, column: &str, site: &Site) -> bool {
    let hash: String = secret
        .hash()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let sql = format!("SELECT count(*) FROM salrs_api_token WHERE {column} = '\\x{hash}'");
    site.number(&sql).await == 1
}

/// Makes a token with these fields of the form, and has its secret shown.
async fn made(form: &[(&str, &str)], admin: &mut Visitor, site: &Site) -> (String, TokenSecret) {
    let made = admin.post(site, "/settings/api-tokens/new/", form).await;
    let path = made.location().to_owned();
    assert!(path.starts_with("/settings/api-tokens/secret/"), "{path}");
    let shown = admin.post(site, &path, &[("secrets", "0")]).await;
    (path, secret(&shown.text).unwrap())
}

#[tokio::test]
async fn the_secret_of_a_token_is_shown_once_and_only_on_request() {
    let site = site_with_admin().await;
    let mut admin = site.visitor("admin").await;
    let page = admin.get(&site, "/settings/api-tokens/new/").await.page();
    assert_eq!(page.field("days").as_deref(), Some("90"));
    let form = [("name", "<imaging>"), ("days", "30")];
    let made = admin.post(&site, "/settings/api-tokens/new/", &form).await;
    let path = made.location().to_owned();
    let unseen = "SELECT count(*) FROM salrs_api_token WHERE secret_hash IS NULL AND NOT can_write AND NOT sees_keys
        AND units IS NULL AND expires = created + interval '30 days' AND name = '<imaging>'";
    for _ in 0..2 {
        let asked = admin.get(&site, &path).await;
        assert!(asked.text.contains("Show the token?") && secret(&asked.text).is_none());
        assert_eq!(site.number(unseen).await, 1);
    }
    let shown = admin.post(&site, &path, &[("secrets", "0")]).await;
    assert_eq!(shown.headers[header::CACHE_CONTROL], "no-store");
    assert!(shown.page().words().contains("<imaging>"));
    let first = secret(&shown.text).unwrap();
    assert!(is_stored(&first, "secret_hash", &site).await);
    // The form once more, by a browser that goes back.
    let again = admin.post(&site, &path, &[("secrets", "0")]).await;
    assert_eq!(again.location(), "/settings/api-tokens/");
    assert!(is_stored(&first, "secret_hash", &site).await);
    let list = admin.get(&site, "/settings/api-tokens/").await;
    assert!(secret(&list.text).is_none());
    let [row] = &list.page().rows("table.devices")[..] else {
        panic!("{}", list.text)
    };
    assert_eq!(row[..4], ["<imaging> of admin", "Works", "read", "All"]);
    assert_eq!(row[5], "Never");
}

#[tokio::test]
async fn a_new_secret_leaves_the_one_before_until_its_end() {
    let site = site_with_admin().await;
    let mut admin = site.visitor("admin").await;
    let (path, first) = made(&[("name", "a"), ("days", "9")], &mut admin, &site).await;
    let asked = admin.get(&site, &path).await;
    assert_eq!(asked.page().field("days").as_deref(), Some("7"));
    let renew = [("secrets", "1"), ("days", "7")];
    let shown = admin.post(&site, &path, &renew).await;
    let second = secret(&shown.text).unwrap();
    assert!(is_stored(&second, "secret_hash", &site).await);
    assert!(is_stored(&first, "former_hash", &site).await);
    let ends = "SELECT extract(day FROM former_ends - created)::bigint FROM salrs_api_token";
    assert_eq!(site.number(ends).await, 7);
    // Sent twice, it must not end the secret of the first time.
    let again = admin.post(&site, &path, &renew).await;
    assert_eq!(again.location(), "/settings/api-tokens/");
    assert!(is_stored(&second, "secret_hash", &site).await);
    let list = admin.get(&site, "/settings/api-tokens/").await;
    assert!(
        list.page()
            .words()
            .contains("The previous secret works, too")
    );
    let former = path.replace("secret", "former");
    let asked = admin.get(&site, &former).await;
    assert!(asked.text.contains("Nobody has used it since"));
    assert!(is_stored(&first, "former_hash", &site).await);
    admin.post(&site, &former, &[]).await;
    assert!(!is_stored(&first, "former_hash", &site).await);
    assert!(is_stored(&second, "secret_hash", &site).await);
    let ended = admin.get(&site, &former).await;
    assert_eq!(ended.status, StatusCode::NOT_FOUND);
    assert!(ended.page().words().contains("no previous secret"));
    for (secrets, days) in [("2", "0"), ("3", "1")] {
        admin
            .post(&site, &path, &[("secrets", secrets), ("days", days)])
            .await;
    }
    for (action, detail) in [
        ("made", "read"),
        ("shown", "the secret, once"),
        ("renewed", "the previous secret works for 7 more days"),
        ("changed", "the previous secret ended"),
        ("renewed", "the previous secret ended"),
        ("renewed", "the previous secret works for 1 more day"),
    ] {
        let rows = format!(
            "SELECT count(*) FROM salrs_audit WHERE kind = 'API token' AND action = '{action}' AND detail = '{detail}' AND object_name = 'a'"
        );
        assert_eq!(site.number(&rows).await, 1, "{action}");
    }
}

#[tokio::test]
async fn what_a_token_may_do_is_what_was_ticked() {
    let site = site_with_admin().await;
    let mut admin = site.visitor("admin").await;
    site.sql("INSERT INTO server_businessunit (id, name) VALUES (1, 'Labs')")
        .await;
    let form = [
        ("name", "all of it"),
        ("endless", "on"),
        ("write", "on"),
        ("keys", "on"),
        ("units", "some"),
        ("unit", "1"),
    ];
    made(&form, &mut admin, &site).await;
    let token = "SELECT count(*) FROM salrs_api_token WHERE can_write AND sees_keys AND units = '{1}' AND expires IS NULL";
    assert_eq!(site.number(token).await, 1);
    for (form, words) in [
        (
            vec![("name", ""), ("days", "1")],
            "A name has 1 to 255 characters.",
        ),
        (
            vec![("name", "b"), ("days", "0")],
            "A token lasts 1 to 3650 days.",
        ),
        (
            vec![("name", "b"), ("days", "soon")],
            "A token lasts 1 to 3650 days.",
        ),
        (
            vec![("name", "b"), ("days", "1"), ("units", "some")],
            "Choose the business units",
        ),
        (
            vec![
                ("name", "b"),
                ("days", "1"),
                ("units", "some"),
                ("unit", "1"),
                ("unit", "99"),
            ],
            "Choose the business units",
        ),
        (
            vec![("name", "all of it"), ("days", "1")],
            "There is a token all of it already.",
        ),
    ] {
        let answer = admin.post(&site, "/settings/api-tokens/new/", &form).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{form:?}");
        assert!(
            answer.page().words().contains(words),
            "{words}: {}",
            answer.text
        );
    }
    assert_eq!(site.number("SELECT count(*) FROM salrs_api_token").await, 1);
}

#[tokio::test]
async fn a_revoked_token_stays_in_the_list_and_gives_its_name_away() {
    let site = site_with_admin().await;
    let mut admin = site.visitor("admin").await;
    let form = [("name", "a"), ("days", "9")];
    let (path, _) = made(&form, &mut admin, &site).await;
    let revoke = path.replace("secret", "revoke");
    let asked = admin.get(&site, &revoke).await;
    assert_eq!(asked.page().text("h1"), "Revoke API token a?");
    let revoked = "SELECT count(*) FROM salrs_api_token WHERE revoked IS NOT NULL";
    assert_eq!(site.number(revoked).await, 0, "asking revokes nothing");
    admin.post(&site, &revoke, &[]).await;
    assert_eq!(site.number(revoked).await, 1);
    for path in [&path, &revoke] {
        let answer = admin.get(&site, path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
    let renew = admin.post(&site, &path, &[("secrets", "1")]).await;
    assert_eq!(renew.location(), "/settings/api-tokens/");
    made(&form, &mut admin, &site).await;
    let list = admin.get(&site, "/settings/api-tokens/").await.page();
    let states: Vec<String> = list
        .rows("table.devices")
        .iter()
        .map(|row| row[1].clone())
        .collect();
    assert_eq!(states, ["Works", "Revoked"]);
}
