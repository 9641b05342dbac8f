//! Finding or making a business unit and a machine group by name, as scripts do that set machines up.

use reqwest::{Method, StatusCode};
use sal_testkit::{Filled, TestServer};
use serde_json::json;

use super::Program;
use super::tokens::{Bearer, WRITES, number, token};
use super::units::OWN;
use crate::access::FURNITURE;

#[tokio::test]
async fn fifty_scripts_that_look_for_one_name_get_one_unit_and_one_group_with_its_key() {
    let server = TestServer::start(Filled::Seeded).await;
    let program = Program {
        server: &server,
        keys: Some("rw"),
    };
    let unit = json!({"name": "Studio"});
    let path = "/api/v2/business_units/?find=name";
    let asked = (0..50).map(|_| program.send(Method::POST, path, Some(unit.clone())));
    let units = futures_util::future::join_all(asked).await;
    let group = json!({"name": "iMacs", "business_unit": units[0].body["id"]});
    let path = "/api/v2/machine_groups/?find=name";
    let asked = (0..50).map(|_| program.send(Method::POST, path, Some(group.clone())));
    let groups = futures_util::future::join_all(asked).await;
    for answers in [&units, &groups] {
        let made = answers
            .iter()
            .filter(|answer| answer.status == StatusCode::CREATED);
        assert_eq!(made.count(), 1);
        for answer in answers {
            assert!(answer.status.is_success(), "{}", answer.body);
            assert_eq!(answer.body, answers[0].body);
        }
    }
    assert_eq!(groups[0].body["key"].as_str().unwrap().len(), 128);
    let db = server.database.connect().await;
    let noted = "SELECT count(*) FROM salrs_audit WHERE action = 'made'";
    assert_eq!(number(noted, &db).await, 2, "what was found is not noted");
    // The same name in another unit is another group, and without `find` a second one is made, as in Sal.
    let other = json!({"name": "iMacs", "business_unit": 1});
    let other = program.send(Method::POST, path, Some(other)).await;
    assert_eq!(other.status, StatusCode::CREATED, "{}", other.body);
    let second = program
        .send(Method::POST, "/api/v2/machine_groups/", Some(group))
        .await;
    assert_eq!(second.status, StatusCode::CREATED);
    assert_ne!(second.body["id"], groups[0].body["id"]);
}

#[tokio::test]
async fn only_names_of_units_and_groups_are_found() {
    let server = TestServer::start(Filled::Seeded).await;
    let program = Program {
        server: &server,
        keys: Some("rw"),
    };
    for path in [
        "business_units/?find=id",
        "machines/?find=name",
        "machine_groups/?find=",
    ] {
        let answer = program
            .send(Method::POST, &format!("/api/v2/{path}"), Some(json!({})))
            .await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}");
        assert!(
            answer.body["find"][0].is_string(),
            "{path}: {}",
            answer.body
        );
    }
}

#[tokio::test]
async fn a_token_for_a_unit_finds_its_own_unit_and_makes_no_other() {
    let server = TestServer::start(Filled::Seeded).await;
    let db = server.database.connect().await;
    db.batch_execute(FURNITURE).await.unwrap();
    let secret = token("own", &[OWN, WRITES], &db).await;
    let program = Bearer {
        server: &server,
        secret: &secret,
    };
    let units = number("SELECT count(*) FROM server_businessunit", &db).await;
    for (name, status) in [("Acme IT", 200), ("Engineering", 403), ("New", 403)] {
        let body = json!({"name": name});
        let answer = program
            .send(
                Method::POST,
                "/api/v2/business_units/?find=name",
                Some(body),
            )
            .await;
        assert_eq!(answer.status.as_u16(), status, "{name}: {}", answer.body);
    }
    assert_eq!(
        number("SELECT count(*) FROM server_businessunit", &db).await,
        units
    );
}
