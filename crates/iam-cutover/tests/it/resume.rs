//! A run that ends anywhere is continued by the same command; two at once do not meet; the journal tells it all.

use std::sync::atomic::{AtomicUsize, Ordering};

use iam_cutover::{
    CutoverError,
    journal::{self, JournalError, Phase},
    logins::Who,
    plan::{Extent, Purpose},
    run::Event,
};

use crate::stage::{Owner, Stage};

/// Ends a run before its n-th event, by dropping it as a crash would: sessions and lock go, nothing is tidied.
async fn stop_at(event: usize, purpose: Purpose, stage: &Stage) -> bool {
    let count = AtomicUsize::new(0);
    let stopped = tokio::sync::Notify::new();
    let audience = |_event: Event| {
        if count.fetch_add(1, Ordering::Relaxed) == event {
            stopped.notify_one();
        }
    };
    let prepared = stage.prepared(purpose).await.unwrap();
    tokio::select! {
        biased;
        () = stopped.notified() => true,
        done = prepared.carry_out(&audience) => {
            done.unwrap();
            false
        }
    }
}

#[tokio::test]
async fn a_run_that_is_stopped_anywhere_is_continued_by_the_next() {
    for (version, owner) in [("15.5", Owner::Plain), ("18.4", Owner::Master)] {
        let stage = Stage::set(version, owner).await;
        stage.run(Who::Old, "CREATE TABLE t (x int)").await;
        let mut event = 0;
        while stop_at(event, Purpose::ToIam, &stage).await {
            assert!(
                stage.logs_in(Who::Admin).await && stage.logs_in(Who::Old).await,
                "stopped at {event}"
            );
            // The next run meets whatever the stopped one left.
            event += 1;
            if event % 3 == 0 {
                stage.carry_out(Purpose::ToIam).await.unwrap();
                stage
                    .carry_out(Purpose::RollBack(Extent::Everything))
                    .await
                    .unwrap();
            }
        }
        assert!(event > 5, "{event}");
        assert!(stage.logs_in(Who::New).await);
        journal::check(&stage.journal(), "the file").unwrap();
    }
}

#[tokio::test]
async fn the_second_of_two_runs_at_once_is_refused_and_named() {
    let stage = Stage::set("15.5", Owner::Plain).await;
    let first = stage.prepared(Purpose::ToIam).await.unwrap();
    let Err(error) = stage.prepared(Purpose::ToIam).await else {
        panic!("two hold the lock")
    };
    assert!(matches!(error, CutoverError::AnotherRun { .. }), "{error}");
    assert!(
        error.to_string().contains("pg_terminate_backend"),
        "{error}"
    );
    first.carry_out(&|_event| {}).await.unwrap();
    stage.carry_out(Purpose::ToIam).await.unwrap();
}

#[tokio::test]
async fn the_journal_is_in_the_file_and_in_the_table_and_each_gets_what_it_lacks() {
    let stage = Stage::set("15.5", Owner::Plain).await;
    stage.carry_out(Purpose::ToIam).await.unwrap();
    let session = stage.open(Who::Old).await;
    let in_table = journal::read_table(&session.client).await.unwrap();
    let in_file = stage.journal();
    assert_eq!(in_table, in_file);
    journal::check(&in_file, "the file").unwrap();
    let steps: Vec<(&str, Phase)> = in_file
        .iter()
        .map(|entry| (entry.step.as_str(), entry.phase))
        .collect();
    assert_eq!(steps.first().unwrap(), &("", Phase::Started));
    assert_eq!(steps.last().unwrap(), &("", Phase::Done));
    for step in [
        "create-role",
        "grant-membership",
        "set-role",
        "grant-rds-iam",
    ] {
        assert!(
            steps.contains(&(step, Phase::Started)) && steps.contains(&(step, Phase::Done)),
            "{step}"
        );
    }
    let entry = in_file
        .iter()
        .find(|entry| entry.step == "create-role" && entry.phase == Phase::Done)
        .unwrap();
    assert!(entry.before["new_user"].is_null() && entry.after["new_user"]["login"] == true);
    assert_eq!(entry.actor.database_user, "postgres");
    assert_eq!(entry.actor.system_user, "tester");

    // A crash between file and table: the table gets the line. A new container without the file: the file gets all.
    stage
        .superuser("DELETE FROM salrs_iam.salrs_iam_journal WHERE seq > 3")
        .await;
    stage.carry_out(Purpose::ToIam).await.unwrap();
    std::fs::remove_file(stage.folder.path().join("journal")).unwrap();
    stage.carry_out(Purpose::ToIam).await.unwrap();
    assert_eq!(
        journal::read_table(&session.client).await.unwrap(),
        stage.journal()
    );
    assert!(stage.journal().len() > in_file.len());
}

#[tokio::test]
async fn a_journal_that_was_changed_stops_the_run() {
    let stage = Stage::set("15.5", Owner::Plain).await;
    stage.carry_out(Purpose::ToIam).await.unwrap();
    let sql = "UPDATE salrs_iam.salrs_iam_journal SET entry = replace(entry, 'tester', 'nobody') WHERE seq = 4";
    stage.superuser(sql).await;
    let error = stage.prepared(Purpose::ToIam).await.err().unwrap();
    assert!(
        matches!(
            error,
            CutoverError::Journal(JournalError::Broken { seq: 4, .. })
        ),
        "{error}"
    );
    let path = stage.folder.path().join("journal");
    let text = std::fs::read_to_string(&path)
        .unwrap()
        .replace("tester", "nobody");
    std::fs::write(&path, text).unwrap();
    let error = stage.prepared(Purpose::ToIam).await.err().unwrap();
    assert!(error.to_string().contains("was changed: line 1"), "{error}");
}

#[tokio::test]
async fn no_secret_is_in_the_journal() {
    let stage = Stage::set("15.5", Owner::Plain).await;
    stage.carry_out(Purpose::ToIam).await.unwrap();
    stage.carry_out(Purpose::Finalize).await.unwrap();
    stage
        .carry_out(Purpose::RollBack(Extent::Everything))
        .await
        .unwrap();
    let text = std::fs::read_to_string(stage.folder.path().join("journal")).unwrap();
    let credential = stage.lab.static_credentials();
    for secret in [
        crate::stage::PASSWORD,
        stage.lab.master_password(),
        &credential.secret_access_key,
        "X-Amz-",
    ] {
        assert!(!text.contains(secret));
    }
    assert!(text.contains("ALTER ROLE"));
}
