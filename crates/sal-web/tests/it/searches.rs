//! `/search/…`: saved searches, who sees and changes them, the builder, and Sal's addresses.

mod numbers;

use axum::http::StatusCode;

use sal_testkit::Page;

use crate::site::{Answer, Site, Visitor, names};

/// Ten machines; a global admin, and two members of unit Science, which has those with even numbers.
async fn site() -> (Site, Visitor, Visitor, Visitor) {
    let site = Site::start().await;
    site.machines(10).await;
    site.user(1, "bert", "RO", Some(1)).await;
    site.user(2, "cora", "RW", None).await;
    site.user(3, "anna", "GA", None).await;
    site.sql("INSERT INTO server_businessunit_users (businessunit_id, user_id) VALUES (1, 2)")
        .await;
    let anna = site.visitor("anna").await;
    let bert = site.visitor("bert").await;
    let cora = site.visitor("cora").await;
    (site, anna, bert, cora)
}

async fn save(visitor: &mut Visitor, site: &Site, form: &[(&str, &str)]) -> Answer {
    visitor.post(site, "/search/save/", form).await
}

async fn id_of(site: &Site, name: &str) -> i64 {
    site.number(&format!(
        "SELECT id FROM search_savedsearch WHERE name = '{name}'"
    ))
    .await
}

fn assert_saved(answer: &Answer) {
    assert_eq!(
        (answer.status, answer.location()),
        (StatusCode::FOUND, "/search/list/"),
        "{}",
        answer.text
    );
}

#[tokio::test]
async fn a_search_is_saved_shared_used_by_name_and_exported() {
    let (site, mut anna, mut bert, _) = site().await;
    let form = [
        ("q", "os_version = 15.1"),
        ("name", "On 15.1"),
        ("description", "Ready <for> it"),
        ("sharing", "everybody"),
    ];
    assert_saved(&save(&mut anna, &site, &form).await);
    let page = bert.get(&site, "/search/list/").await.page();
    // Another's search can be copied and not changed.
    assert_eq!(
        page.rows("table.devices"),
        [[
            "On 15.1 Ready <for> it",
            "os_version = 15.1",
            "Show",
            "anna",
            "Everybody",
            "just now",
            "CSV Copy"
        ]]
    );
    let id = id_of(&site, "On 15.1").await;
    let run = bert.get(&site, &format!("/search/run_search/{id}/")).await;
    assert_eq!(run.location(), "/machines/?q=os%5Fversion%20%3D%2015%2E1");
    // Bert sees the machines of Science only: of 3, 6 and 9 that is 6.
    let list = bert.get(&site, run.location()).await.page();
    assert_eq!(names(&list), ["mac-6"]);
    let count = bert.get(&site, &format!("/search/count/{id}/")).await;
    assert_eq!(count.page().words(), "1 machine");
    let named = bert
        .get(
            &site,
            "/machines/?q=search+%3D+%22on+15.1%22+and+not+serial6",
        )
        .await;
    assert_eq!(named.status, StatusCode::OK);
    let filters = named.page().texts("a.filter > span:first-child");
    assert!(
        filters.contains(&"Search: on 15.1".to_owned()),
        "{filters:?}"
    );
    let csv = bert.get(&site, &format!("/search/csv/{id}/")).await;
    assert!(csv.text.contains("SERIAL6") && !csv.text.contains("SERIAL3"));
    assert_eq!(
        csv.headers["content-disposition"],
        "attachment; filename=\"On 15.1.csv\""
    );
}

#[tokio::test]
async fn only_the_owner_and_global_admins_change_a_search() {
    let (site, mut anna, mut bert, mut cora) = site().await;
    let mine = [("q", "mac-2"), ("name", "Mine"), ("sharing", "private")];
    assert_saved(&save(&mut bert, &site, &mine).await);
    let ours = [
        ("q", "mac-4"),
        ("name", "Ours"),
        ("sharing", "unit"),
        ("unit", "1"),
    ];
    assert_saved(&save(&mut bert, &site, &ours).await);
    let (mine, ours) = (id_of(&site, "Mine").await, id_of(&site, "Ours").await);
    let page = cora.get(&site, "/search/list/").await.page();
    assert_eq!(names(&page), ["Ours"]);
    for (path, status) in [
        (format!("/search/run_search/{mine}/"), StatusCode::NOT_FOUND),
        (format!("/search/csv/{mine}/"), StatusCode::NOT_FOUND),
        (
            format!("/search/build_search/{mine}/"),
            StatusCode::NOT_FOUND,
        ),
        (format!("/search/count/{mine}/"), StatusCode::NOT_FOUND),
        (
            format!("/search/delete_search/{mine}/"),
            StatusCode::NOT_FOUND,
        ),
        (
            format!("/search/delete_search/{ours}/"),
            StatusCode::FORBIDDEN,
        ),
        (format!("/search/build_search/{ours}/"), StatusCode::OK),
        ("/search/run_search/999/".to_owned(), StatusCode::NOT_FOUND),
        (
            "/search/run_search/99999999999999999999/".to_owned(),
            StatusCode::NOT_FOUND,
        ),
        ("/search/run_search/x/".to_owned(), StatusCode::NOT_FOUND),
    ] {
        assert_eq!(cora.get(&site, &path).await.status, status, "{path}");
    }
    others_change_nothing(&site, &mut anna, &mut cora, ours).await;
}

/// Cora, who may use the search, cannot change it; Anna, a global admin, can.
async fn others_change_nothing(site: &Site, anna: &mut Visitor, cora: &mut Visitor, ours: i64) {
    let id = ours.to_string();
    let change = [
        ("id", id.as_str()),
        ("q", "mac-6"),
        ("name", "Hers"),
        ("sharing", "private"),
    ];
    assert_eq!(
        save(cora, site, &change).await.status,
        StatusCode::FORBIDDEN
    );
    for step in ["new_search_group", "save_search", "delete_search"] {
        let path = format!("/search/{step}/{ours}/");
        let answer = cora.post(site, &path, &[("name", "Hers")]).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
    }
    // A global admin does all of it.
    assert_saved(&save(anna, site, &change).await);
    assert_eq!(id_of(site, "Hers").await, ours);
    assert_eq!(
        site.number(&format!(
            "SELECT created_by_id::bigint FROM search_savedsearch WHERE id = {ours}"
        ))
        .await,
        1
    );
}

#[tokio::test]
async fn a_form_that_says_nothing_useful_is_shown_again() {
    let (site, _, mut bert, _) = site().await;
    let long = "x".repeat(101);
    for (form, problem) in [
        (
            &[("q", "a"), ("name", " "), ("sharing", "private")][..],
            "Give the search a name.",
        ),
        (
            &[("q", "a"), ("name", long.as_str()), ("sharing", "private")],
            "longer than 100 characters",
        ),
        (
            &[("q", "os_version <"), ("name", "a"), ("sharing", "private")],
            "The filter cannot be read",
        ),
        (
            &[
                ("q", "os_versoin < 1"),
                ("name", "a"),
                ("sharing", "private"),
            ],
            "There is no field `os_versoin`.",
        ),
        (&[("q", "a"), ("name", "a")], "Choose with whom"),
        (
            &[("q", "a"), ("name", "a"), ("sharing", "unit")],
            "Choose the business unit",
        ),
        (
            &[
                ("q", "a"),
                ("name", "a"),
                ("sharing", "unit"),
                ("unit", "2"),
            ],
            "Choose the business unit",
        ),
        (
            &[("q", "search = A"), ("name", "a"), ("sharing", "private")],
            "would use itself",
        ),
    ] {
        let answer = save(&mut bert, &site, form).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
        let said = answer.page().text("#save [role=alert]");
        assert!(said.contains(problem), "{problem}: {said}");
    }
    assert_eq!(
        site.number("SELECT count(*) FROM search_savedsearch").await,
        0
    );
}

#[tokio::test]
async fn a_circle_over_two_searches_is_refused() {
    let (site, mut anna, _, _) = site().await;
    let one = [("q", "mac-1"), ("name", "One"), ("sharing", "private")];
    assert_saved(&save(&mut anna, &site, &one).await);
    let two = [
        ("q", "search = One"),
        ("name", "Two"),
        ("sharing", "private"),
    ];
    assert_saved(&save(&mut anna, &site, &two).await);
    let id = id_of(&site, "One").await.to_string();
    let circle = [
        ("id", id.as_str()),
        ("q", "search = Two"),
        ("name", "One"),
        ("sharing", "private"),
    ];
    let answer = save(&mut anna, &site, &circle).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        answer.text.contains("uses itself") || answer.text.contains("would use itself"),
        "{}",
        answer.text
    );
}

#[tokio::test]
async fn q178_a_search_is_deleted_by_a_button_and_whoever_uses_it_is_named() {
    let (site, mut anna, _, _) = site().await;
    let one = [("q", "mac-1"), ("name", "One"), ("sharing", "private")];
    assert_saved(&save(&mut anna, &site, &one).await);
    let two = [
        ("q", "search = One"),
        ("name", "Two"),
        ("sharing", "private"),
    ];
    assert_saved(&save(&mut anna, &site, &two).await);
    let path = format!("/search/delete_search/{}/", id_of(&site, "One").await);
    let question = anna.get(&site, &path).await;
    assert!(
        question.text.contains("The search Two of anna uses it"),
        "{}",
        question.text
    );
    assert_eq!(
        site.number("SELECT count(*) FROM search_savedsearch").await,
        2
    );
    assert_saved(&anna.post(&site, &path, &[]).await);
    assert_eq!(
        site.number("SELECT count(*) FROM search_savedsearch").await,
        1
    );
    assert_eq!(site.number("SELECT count(*) FROM salrs_search").await, 1);
    assert_eq!(
        anna.post(&site, &path, &[]).await.status,
        StatusCode::NOT_FOUND
    );
    let run = format!("/search/run_search/{}/", id_of(&site, "Two").await);
    let list = anna
        .get(&site, anna.copy().get(&site, &run).await.location())
        .await;
    assert_eq!(list.status, StatusCode::UNPROCESSABLE_ENTITY);
    let list = list.page();
    let said = list.text("[role=alert] p:nth-of-type(2)");
    assert_eq!(said, "There is no saved search One that you can use.");
    assert_eq!(list.texts("[role=alert] p:nth-of-type(2) code"), ["One"]);
}

/// What Sal's form of a row sends.
fn row(term: &str) -> [(&'static str, &str); 5] {
    [
        ("search_models", "Machine"),
        ("search_field", "hostname"),
        ("and_or", "OR"),
        ("operator", "Contains"),
        ("search_term", term),
    ]
}

/// A search of Bert's that Sal's forms made, with two rows: its path in the builder, its group, its last row.
async fn begun(site: &Site, bert: &mut Visitor) -> (String, i64, i64) {
    let made = bert.post(site, "/search/new/", &[]).await;
    assert_eq!(made.status, StatusCode::FOUND);
    let path = made.location().to_owned();
    let group = site.number("SELECT id FROM search_searchgroup").await;
    for term in ["mac-2", "mac-4"] {
        let to = format!("/search/new_search_row/{group}/");
        let added = bert.post(site, &to, &row(term)).await;
        let answer = (added.status, added.location());
        assert_eq!(answer, (StatusCode::FOUND, path.as_str()));
    }
    let last = site.number("SELECT max(id) FROM search_searchrow").await;
    (path, group, last)
}

async fn rows(site: &Site) -> i64 {
    site.number("SELECT count(*) FROM search_searchrow").await
}

#[tokio::test]
async fn q177_the_links_of_sals_builder_lead_to_ours_and_change_nothing() {
    let (site, _, mut bert, _) = site().await;
    let new = bert.get(&site, "/search/new/").await;
    assert_eq!(new.location(), "/search/builder/");
    let searches = site.number("SELECT count(*) FROM search_savedsearch").await;
    assert_eq!(searches, 0);
    let (path, group, last) = begun(&site, &mut bert).await;
    for step in [
        format!("/search/delete_search_row/{last}/"),
        format!("/search/edit_search_row/{last}/"),
        format!("/search/and_or_group/{group}/"),
        format!("/search/delete_search_group/{group}/"),
    ] {
        assert_eq!(bert.get(&site, &step).await.location(), path, "{step}");
    }
    assert_eq!(rows(&site).await, 2);
}

#[tokio::test]
async fn q177_the_forms_of_sals_builder_work() {
    let (site, _, mut bert, _) = site().await;
    let (path, group, last) = begun(&site, &mut bert).await;
    let page = bert.get(&site, &path).await.page();
    assert_eq!(
        page.text("textarea[name=q]"),
        "hostname ~ \"mac-2\" or hostname ~ \"mac-4\""
    );
    let edit = format!("/search/edit_search_row/{last}/");
    let edited = bert.post(&site, &edit, &row("mac-6")).await;
    assert_eq!(edited.status, StatusCode::FOUND);
    let name = path.replace("build_search", "save_search");
    let named = bert.post(&site, &name, &[("name", "Two of them")]).await;
    assert_eq!(named.location(), path);
    let run = path.replace("build_search", "run_search");
    let list = bert.get(&site, &run).await.location().to_owned();
    let list = bert.get(&site, &list).await.page();
    assert_eq!(names(&list), ["mac-2", "mac-6"]);
    let turn = format!("/search/and_or_group/{group}/");
    bert.post(&site, &turn, &[]).await;
    let turned = "SELECT count(*) FROM search_searchgroup WHERE and_or = 'OR'";
    assert_eq!(site.number(turned).await, 1);
    let remove = format!("/search/delete_search_row/{last}/");
    bert.post(&site, &remove, &[]).await;
    assert_eq!(rows(&site).await, 1);
    let remove = format!("/search/delete_search_group/{group}/");
    bert.post(&site, &remove, &[]).await;
    let groups = site.number("SELECT count(*) FROM search_searchgroup").await;
    assert_eq!((groups, rows(&site).await), (0, 0));
}

#[tokio::test]
async fn a_row_that_sal_would_not_take_is_refused_by_name() {
    let (site, _, mut bert, _) = site().await;
    let (_, group, _) = begun(&site, &mut bert).await;
    for (field, value) in [
        ("search_models", "Machines"),
        ("operator", "LIKE"),
        ("and_or", "XOR"),
        ("search_term", ""),
        ("search_field", "\0"),
    ] {
        let form = row("a").map(|(name, old)| (name, if name == field { value } else { old }));
        let to = format!("/search/new_search_row/{group}/");
        let refused = bert.post(&site, &to, &form).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{field}");
        assert!(refused.text.contains(field), "{}", refused.text);
    }
    assert_eq!(rows(&site).await, 2);
}

/// How many machines the builder says match.
fn matching(page: &Page) -> String {
    page.text(".outcome strong")
}

#[tokio::test]
async fn the_builder_and_the_text_are_one_filter() {
    let (site, mut anna, _, _) = site().await;
    let path = "/search/builder/?q=os_version+%3D+15.1+and+not+(serial3+or+hostname+~+mac-9)";
    let page = anna.get(&site, path).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    let page = page.page();
    assert_eq!(matching(&page), "1 machine");
    for (field, value) in [
        ("k", "all"),
        ("f.0", "os_version"),
        ("o.0", "="),
        ("v.0", "15.1"),
        ("k.1", "none"),
        ("t.1.0", "serial3"),
        ("f.1.1", "hostname"),
        ("o.1.1", "~"),
        ("v.1.1", "mac-9"),
    ] {
        assert_eq!(page.field(field).as_deref(), Some(value), "{field}");
    }
    let form = "k=all&f.0=os_version&o.0=%3D&v.0=15.1&k.1=none&t.1.0=serial3&f.1.1=hostname&o.1.1=~&v.1.1=mac-9";
    let same = anna.get(&site, &format!("/search/builder/?{form}")).await;
    let same = same.page();
    assert_eq!(matching(&same), "1 machine");
    assert_eq!(
        same.text("textarea[name=q]"),
        "os_version = 15.1 and not (serial3 or hostname ~ \"mac-9\")"
    );
    let added = anna
        .get(&site, &format!("/search/builder/?{form}&do=add.1"))
        .await;
    assert_eq!(added.page().field("f.1.2").as_deref(), Some(""));
    let removed = anna
        .get(&site, &format!("/search/builder/?{form}&do=remove.1"))
        .await;
    let removed = removed.page();
    assert_eq!(matching(&removed), "3 machines");
    assert!(!removed.has("[name='k.1'], [name='t.1.0']"));
}

#[tokio::test]
async fn a_form_of_the_builder_that_makes_no_sense_says_why() {
    let (site, mut anna, _, _) = site().await;
    let path = "/search/builder/?k=all&f.0=os_version&o.0=%3C&v.0=big";
    let wrong = anna.get(&site, path).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let said = wrong.page().text(".outcome [role=alert]");
    assert!(
        said.starts_with("os_version is a version; big is not a version"),
        "{said}"
    );
    let empty = anna.get(&site, "/search/builder/").await;
    assert_eq!(matching(&empty.page()), "10 machines");
}

#[tokio::test]
async fn suggestions_name_fields_values_and_the_count() {
    let (site, mut anna, mut bert, _) = site().await;
    let ask = |q: &str| {
        let q = percent_encoding::utf8_percent_encode(q, percent_encoding::NON_ALPHANUMERIC);
        format!("/search/suggest/?q={q}")
    };
    let fields = anna.get(&site, &ask("os_ver")).await;
    assert!(
        fields.text.contains("\"text\":\"os_version\""),
        "{}",
        fields.text
    );
    let values = anna.get(&site, &ask("group = \"")).await;
    assert!(
        values.text.contains("Labs") && values.text.contains("Studio"),
        "{}",
        values.text
    );
    let own = bert.get(&site, &ask("group = \"")).await;
    assert!(
        own.text.contains("Labs") && !own.text.contains("Studio"),
        "{}",
        own.text
    );
    let counted = anna.get(&site, &ask("os_version = 15.1")).await;
    assert!(
        counted.text.contains("3 machines match"),
        "{}",
        counted.text
    );
    let wrong = anna.get(&site, &ask("os_version < big")).await;
    assert!(wrong.text.contains("\"is_wrong\":true"), "{}", wrong.text);
}
