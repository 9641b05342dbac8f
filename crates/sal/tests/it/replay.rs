//! `sal checkin`: a check-in that was refused is found in the journal, and taken once its reason is gone.

use crate::checkins::Macs;
use crate::server::Server;
use crate::stage::{KEY, Stage};

#[tokio::test]
async fn a_refused_check_in_is_kept_explained_and_sent_again() {
    let stage = Stage::set().await;
    let settings = stage.settings();
    let mut server = Server::start(&settings).await;
    stage.make_group().await;
    let macs = Macs::new(1);
    // The group of the body's key is not there yet; another group's key opens the door.
    stage
        .run(&format!(
            "UPDATE server_machinegroup SET key = 'later' WHERE key = '{KEY}'"
        ))
        .await;
    stage.run("INSERT INTO server_machinegroup (business_unit_id, name, key) SELECT business_unit_id, 'Door', 'door' FROM server_machinegroup").await;
    let body = macs.checkin(0, 0);
    let client =
        fake_fleet::Client::new(&server.url, "door", std::time::Duration::from_secs(8)).unwrap();
    assert_eq!(client.submit(&body).await.unwrap().status, 404);

    let journal = settings
        .run(&["checkin", "journal", "--serial", &body.serial])
        .await;
    assert_eq!(journal.code, Some(0), "{journal:?}");
    assert!(
        journal.stdout.contains("never checked in") || journal.stdout.contains("ever checked in"),
        "{journal:?}"
    );
    assert!(
        journal
            .stdout
            .contains("the key in the body is no machine group's"),
        "{journal:?}"
    );
    let listed = settings.run(&["checkin", "rejected"]).await;
    assert!(
        listed.stdout.contains(&body.serial) && listed.stdout.contains("/checkin/"),
        "{listed:?}"
    );
    assert!(!format!("{listed:?}{journal:?}").contains(KEY));

    let too_early = settings
        .run(&["checkin", "replay", "--url", &server.url])
        .await;
    assert_eq!(too_early.code, Some(3), "{too_early:?}");
    stage
        .run(&format!(
            "UPDATE server_machinegroup SET key = '{KEY}' WHERE key = 'later'"
        ))
        .await;
    let taken = settings
        .run(&["checkin", "replay", "--url", &server.url])
        .await;
    assert_eq!(taken.code, Some(0), "{taken:?}");
    assert!(taken.stdout.contains("Sal report submitted"), "{taken:?}");
    let none = settings.run(&["checkin", "rejected"]).await;
    assert_eq!((none.code, none.stdout.as_str()), (Some(0), ""), "{none:?}");
    let journal = settings
        .run(&["checkin", "journal", "--serial", &body.serial, "--json"])
        .await;
    assert!(
        journal.stdout.contains("\"taken_here\": \"20"),
        "{journal:?}"
    );
    assert!(server.stop().await.success());
}
