//! Searches in the tables: who sees and changes what, what a Django Sal finds there, and names.

use jiff::Timestamp;
use sal_query::check::Named;
use sal_store::{
    ids::{SearchId, UnitId, UserId},
    scope::Scope,
    searches::{
        self, Asker, Definition, Filter, NamedSearches, NewSearch, Overview, Search, Sharing,
    },
};
use sal_testkit::Database;
use tokio_postgres::Client;

use super::{small_fleet, then};

const ANNA: UserId = UserId(1);
const BERT: UserId = UserId(2);

/// The small fleet with two people; Anna sees unit 1.
async fn with_people() -> (Database, Client) {
    let (database, db) = small_fleet().await;
    db.batch_execute(
        "INSERT INTO auth_user (id, password, is_superuser, username, first_name, last_name, email, is_staff, is_active, date_joined)
         VALUES (1, '', false, 'anna', '', '', '', false, true, now()), (2, '', false, 'bert', '', '', '', false, true, now())",
    )
    .await
    .unwrap();
    (database, db)
}

fn at(hour: i64) -> Timestamp {
    Timestamp::from_second(1_764_000_000 + hour * 3600).unwrap()
}

fn new<'a>(name: &'a str, filter: &'a Filter, sharing: Sharing) -> NewSearch<'a> {
    NewSearch {
        name,
        filter,
        description: "",
        sharing,
        overview: Overview::No,
    }
}

async fn make(name: &str, filter: &str, sharing: Sharing, owner: UserId, db: &Client) -> SearchId {
    let filter = Filter::parse(filter).unwrap();
    searches::create(&new(name, &filter, sharing), owner, at(0), db)
        .await
        .unwrap()
}

fn asker(user: UserId, scope: &Scope) -> Asker<'_> {
    Asker {
        user: Some(user),
        scope,
        is_admin: false,
    }
}

async fn names(asker: &Asker<'_>, db: &Client) -> Vec<String> {
    let found = searches::list(asker, db).await.unwrap();
    found.into_iter().map(|search| search.name).collect()
}

async fn load(id: SearchId, db: &Client) -> Search {
    let found = searches::load(id, &Asker::BY_HAND, db).await.unwrap();
    found.unwrap()
}

#[tokio::test]
async fn q171_a_search_is_seen_by_its_owner_and_those_it_is_shared_with() {
    let (_database, db) = with_people().await;
    db.batch_execute(
        "INSERT INTO search_savedsearch (id, name, created, save_search, created_by_id)
         OVERRIDING SYSTEM VALUE VALUES (1000, 'sals own', now(), true, 2), (1001, NULL, now(), false, 2)",
    )
    .await
    .unwrap();
    let private = make("private", "anna", Sharing::Private, BERT, &db).await;
    make("everybody", "anna", Sharing::Everybody, BERT, &db).await;
    let unit = Sharing::Unit(UnitId(1));
    let shared = make("unit", "anna", unit, BERT, &db).await;
    let (one, other) = (Scope::Units(vec![1]), Scope::Units(vec![2]));
    let anna = asker(ANNA, &one);
    assert_eq!(names(&anna, &db).await, ["everybody", "sals own", "unit"]);
    let elsewhere = asker(ANNA, &other);
    assert_eq!(names(&elsewhere, &db).await, ["everybody", "sals own"]);
    let bert = asker(BERT, &other);
    let all = ["everybody", "private", "sals own", "unit"];
    assert_eq!(names(&bert, &db).await, all);
    assert_eq!(names(&Asker::BY_HAND, &db).await, all);
    for (id, seen) in [
        (private, false),
        (shared, true),
        (SearchId(1000), true),
        (SearchId(1001), true),
        (SearchId(5), false),
    ] {
        let found = searches::load(id, &anna, &db).await.unwrap();
        assert_eq!(found.is_some(), seen, "{id}");
        assert!(found.is_none_or(|found| !found.may_be_changed_by(&anna)));
    }
    assert!(load(private, &db).await.may_be_changed_by(&bert));
    assert!(load(private, &db).await.may_be_changed_by(&Asker::BY_HAND));
    // The unit goes, and with it everybody who saw the search by it.
    db.batch_execute("DELETE FROM server_fact; DELETE FROM server_pluginscriptrow; DELETE FROM server_pluginscriptsubmission; DELETE FROM profiles_payload; DELETE FROM profiles_profile; DELETE FROM inventory_inventoryitem; DELETE FROM server_machine; DELETE FROM server_machinegroup")
        .await
        .unwrap();
    sal_store::units::delete_unit_rows(&db, &UnitId(1))
        .await
        .unwrap();
    assert_eq!(load(shared, &db).await.sharing, Sharing::Private);
}

#[tokio::test]
async fn q170_a_django_sal_finds_what_its_rows_can_say_and_else_nothing() {
    let (_database, db) = with_people().await;
    for (filter, machines) in [
        ("hostname ~ alpha and os_family = \"Darwin\"", "A1 B2"),
        ("os_version < 15.9", ""),
        ("everything", ""),
    ] {
        let id = make("x", filter, Sharing::Everybody, ANNA, &db).await;
        let search = load(id, &db).await;
        assert_eq!(search.definition, Definition::Filter(filter.to_owned()));
        assert_eq!(
            then(&search.sal, &db).await.unwrap().join(" "),
            machines,
            "{filter}"
        );
        assert!(searches::delete(id, &db).await.unwrap());
        assert!(!searches::delete(id, &db).await.unwrap());
    }
    let left = "SELECT (SELECT count(*) FROM search_savedsearch) + (SELECT count(*) FROM search_searchgroup)
        + (SELECT count(*) FROM search_searchrow) + (SELECT count(*) FROM salrs_search)";
    let left: i64 = db.query_one(left, &[]).await.unwrap().get(0);
    assert_eq!(left, 0);
}

#[tokio::test]
async fn q172_what_a_django_sal_changed_counts() {
    let (_database, db) = with_people().await;
    let id = make("x", "hostname ~ alpha", Sharing::Private, ANNA, &db).await;
    db.batch_execute("UPDATE search_searchrow SET search_term = 'delta'")
        .await
        .unwrap();
    let search = load(id, &db).await;
    let before = Definition::ChangedInSal("hostname ~ alpha".to_owned());
    assert_eq!(search.definition, before);
    assert_eq!(search.text().unwrap(), "hostname ~ \"delta\"");
    assert_eq!(search.sharing, Sharing::Private);
    // Saved here again, it is ours again.
    let filter = Filter::parse("hostname ~ echo").unwrap();
    assert!(
        searches::update(id, &new("y", &filter, Sharing::Everybody), at(1), &db)
            .await
            .unwrap()
    );
    let search = load(id, &db).await;
    assert_eq!(
        search.definition,
        Definition::Filter("hostname ~ echo".to_owned())
    );
    assert_eq!(
        (search.name.as_str(), search.sharing),
        ("y", Sharing::Everybody)
    );
    assert_eq!(search.updated, Some(at(1)));
}

#[tokio::test]
async fn a_search_of_sals_that_gets_a_name_here_keeps_its_rows() {
    let (_database, db) = with_people().await;
    db.batch_execute(
        "INSERT INTO search_savedsearch (id, name, created, save_search, created_by_id) VALUES (1000, NULL, now(), false, 1);
         INSERT INTO search_searchgroup (id, saved_search_id, and_or, position) VALUES (1000, 1000, 'OR', 3), (1001, 1000, 'AND', 1);
         INSERT INTO search_searchrow (search_group_id, and_or, search_models, search_field, operator, search_term, position) VALUES
            (1000, 'AND', 'Machine', 'operating_system', '<', '15.9', 0), (1001, 'OR', 'Facter', 'role', '=', 'lab', 1), (1001, 'AND', 'Facter', 'arch', '=', 'arm64', 0)",
    )
    .await
    .unwrap();
    let id = SearchId(1000);
    let search = load(id, &db).await;
    let text = "fact \"arch\" == \"arm64\" or fact \"role\" == \"lab\" or operating_system < 15.9";
    assert_eq!(
        (search.definition.clone(), search.text().unwrap()),
        (Definition::Sal, text.to_owned())
    );
    assert_eq!(
        (search.title().as_str(), search.is_saved),
        ("Unsaved search 1000", false)
    );
    let filter = Filter::of(search.expr().unwrap());
    let rows = "SELECT string_agg(concat(r.ctid, r.search_field), ' ' ORDER BY r.id) FROM search_searchrow r";
    let before: String = db.query_one(rows, &[]).await.unwrap().get(0);
    searches::update(id, &new("Named", &filter, Sharing::Everybody), at(2), &db)
        .await
        .unwrap();
    let after: String = db.query_one(rows, &[]).await.unwrap().get(0);
    assert_eq!(before, after);
    let named = load(id, &db).await;
    assert_eq!(
        (named.definition, named.is_saved),
        (Definition::Filter(text.to_owned()), true)
    );
}

#[tokio::test]
async fn a_name_means_the_own_search_first_and_tells_who_uses_it() {
    let (_database, db) = with_people().await;
    let all = Scope::All;
    let (anna, bert) = (asker(ANNA, &all), asker(BERT, &all));
    make("Kiosks", "hostname ~ old", Sharing::Everybody, BERT, &db).await;
    let own = make("kiosks", "hostname ~ own", Sharing::Private, ANNA, &db).await;
    let text = |named: &NamedSearches, name: &str| named.search(name).map(|expr| expr.to_string());
    let of_anna = NamedSearches::load(&anna, &db).await.unwrap();
    let of_bert = NamedSearches::load(&bert, &db).await.unwrap();
    assert_eq!(text(&of_anna, "KIOSKS").unwrap(), "hostname ~ \"own\"");
    assert_eq!(text(&of_bert, "KIOSKS").unwrap(), "hostname ~ \"old\"");
    assert_eq!(text(&of_bert, "Kiosk"), None);
    let uses = make(
        "Uses",
        "search = \"KIOSKS\" and not (search != Kiosks)",
        Sharing::Private,
        BERT,
        &db,
    )
    .await;
    make("Not", "hostname = kiosks", Sharing::Everybody, BERT, &db).await;
    let search = load(own, &db).await;
    let usage = searches::usage(&search, &anna, &db).await.unwrap();
    assert_eq!((usage.visible.len(), usage.hidden), (0, 1));
    let usage = searches::usage(&search, &bert, &db).await.unwrap();
    assert_eq!(
        usage.visible,
        [(uses, "Uses".to_owned(), "bert".to_owned())]
    );
}
