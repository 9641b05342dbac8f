//! The access matrix: every path of every page, for every level, in the own business unit and in another.
//!
//! The paths and who may use them are those of the router, the methods are those it allows. Nobody who is
//! turned away may change anything: the whole database is compared before and after.

use std::collections::BTreeMap;
use std::time::Duration;

use sal_http::routes::Place;
use sal_http::{Access, Door};
use sal_store::pool::PoolConfig;
use sal_testkit::{Database, Filled, Shape, TestServer};
use tokio_postgres::Client;

use Access::{Anyone, GlobalAdmin, GroupKey, ReadWrite, SeesMachines, Staff, Viewer};

/// Each path of a page as the router has it, who may use it, and the path with things of the own unit; those of the other
/// unit have `own` replaced. `{own unit}` and the like are filled in.
pub(crate) fn rows() -> Vec<(&'static str, Access, &'static str)> {
    let row = |place: &Place| {
        let example = EXAMPLES.iter().find(|(path, _)| *path == place.path);
        let example = example.map_or(place.path, |(_, example)| *example);
        (place.path, place.access, example)
    };
    sal_web::routes().places().iter().map(row).collect()
}

/// Paths that are not asked as they are.
const EXAMPLES: &[(&str, &str)] = &[
    ("/dashboard/{unit}/", "/dashboard/{own unit}/"),
    ("/machinegroup/{group}/", "/machinegroup/{own group}/"),
    (
        "/report/{plugin}/{kind}/{id}/",
        "/report/InstallReport/business_unit/{own unit}/",
    ),
    (
        "/load_plugin/{plugin}/{kind}/{id}/",
        "/load_plugin/Status/machine_group/{own group}/",
    ),
    ("/machines/", "/machines/?group={own group}"),
    ("/machines/facets/", "/machines/facets/?group={own group}"),
    ("/machines/changes/", "/machines/changes/?group={own group}"),
    (
        "/machines/changes/export/",
        "/machines/changes/export/?group={own group}&format=csv",
    ),
    ("/trends/", "/trends/?group={own group}"),
    (
        "/trends/export/",
        "/trends/export/?unit={own unit}&format=csv",
    ),
    (
        "/machines/export/",
        "/machines/export/?group={own group}&format=csv",
    ),
    ("/list/{plugin}/{data}/", "/list/Status/errors/"),
    (
        "/list/{plugin}/{data}/{*rest}",
        "/list/Status/errors/all/0/",
    ),
    (
        "/tableajax/{plugin}/{data}/{place}/{id}/",
        "/tableajax/Status/all_machines/business_unit/{own unit}/?args=%7B%7D",
    ),
    (
        "/csv/{plugin}/{data}/{place}/{id}/",
        "/csv/Status/all_machines/business_unit/{own unit}/",
    ),
    ("/machine_detail/{key}/", "/machine_detail/{own machine}/"),
    (
        "/machine_detail/facts/{key}/{source}/",
        "/machine_detail/facts/{own machine}/Munki/",
    ),
    (
        "/machine_detail/{key}/item/{item}/",
        "/machine_detail/{own machine}/item/{own item}/",
    ),
    ("/machine/new/{group}/", "/machine/new/{own group}/"),
    ("/machine/edit/{id}/", "/machine/edit/{own machine}/"),
    ("/machine/delete/{id}/", "/machine/delete/{own machine}/"),
    (
        "/new-machine-group/{unit}/",
        "/new-machine-group/{own unit}/",
    ),
    (
        "/edit-machine-group/{id}/",
        "/edit-machine-group/{own group}/",
    ),
    (
        "/edit-machine-group/{id}/key/",
        "/edit-machine-group/{own group}/key/",
    ),
    (
        "/edit-machine-group/{id}/former-keys/",
        "/edit-machine-group/{own group}/former-keys/",
    ),
    (
        "/machine_group/delete/{id}/",
        "/machine_group/delete/{own group}/",
    ),
    (
        "/machine_group/really/delete/{id}/",
        "/machine_group/really/delete/{own group}/",
    ),
    (
        "/business_unit/edit/{id}/",
        "/business_unit/edit/{own unit}/",
    ),
    (
        "/business_unit/delete/{id}/",
        "/business_unit/delete/{own unit}/",
    ),
    (
        "/business_unit/really/delete/{id}/",
        "/business_unit/really/delete/{own unit}/",
    ),
    (
        "/inventory/{kind}/{id}/",
        "/inventory/business_unit/{own unit}/",
    ),
    (
        "/inventory/application/{kind}/{id}/{application}/",
        "/inventory/application/business_unit/{own unit}/{application}/",
    ),
    (
        "/inventory/list/{kind}/{id}/{application}/",
        "/inventory/list/machine_group/{own group}/{application}/",
    ),
    (
        "/inventory/csv_export/{kind}/{id}/",
        "/inventory/csv_export/machine/{own machine}/",
    ),
    ("/updates/", "/updates/?unit={own unit}"),
    (
        "/updates/item/",
        "/updates/item/?source=Munki&name=Firefox&unit={own unit}",
    ),
    ("/licenses/edit/{*name}", "/licenses/edit/Office/"),
    ("/licenses/delete/{*name}", "/licenses/delete/Office/"),
    ("/activity/export/", "/activity/export/?format=csv"),
    (
        "/activity/check-ins/export/",
        "/activity/check-ins/export/?format=csv",
    ),
    ("/settings/forget/{id}/", "/settings/forget/1/"),
    (
        "/settings/maintenance/run/{name}/",
        "/settings/maintenance/run/retention/",
    ),
    (
        "/settings/senddata/{choice}/",
        "/settings/senddata/disable/",
    ),
    (
        "/settings/plugins/{action}/{key}/",
        "/settings/plugins/enable/NewMachines/",
    ),
    (
        "/settings/plugins/reports/{action}/{key}/",
        "/settings/plugins/reports/enable/MunkiInfo/",
    ),
    (
        "/settings/plugins/machinedetail/{action}/{key}/",
        "/settings/plugins/machinedetail/enable/ARDInfo/",
    ),
    (
        "/settings/api-keys/display/{id}/",
        "/settings/api-keys/display/{key}/",
    ),
    (
        "/settings/api-keys/edit/{id}/",
        "/settings/api-keys/edit/{key}/",
    ),
    (
        "/settings/api-keys/delete/{id}/",
        "/settings/api-keys/delete/{key}/",
    ),
    (
        "/settings/api-tokens/secret/{id}/",
        "/settings/api-tokens/secret/{token}/",
    ),
    (
        "/settings/api-tokens/former/{id}/",
        "/settings/api-tokens/former/{token}/",
    ),
    (
        "/settings/api-tokens/revoke/{id}/",
        "/settings/api-tokens/revoke/{token}/",
    ),
    ("/settings/users/edit/{id}/", "/settings/users/edit/{user}/"),
    ("/settings/users/link/{id}/", "/settings/users/link/{user}/"),
    (
        "/settings/users/makestaff/{id}/",
        "/settings/users/makestaff/{user}/",
    ),
    (
        "/settings/users/removestaff/{id}/",
        "/settings/users/removestaff/{user}/",
    ),
    (
        "/settings/users/delete/{id}/",
        "/settings/users/delete/{user}/",
    ),
    ("/search/", "/search/?q=a"),
    ("/search/builder/", "/search/builder/?q=os_version+%3C+15"),
    ("/search/suggest/", "/search/suggest/?q=group+%3D+"),
    ("/search/count/{id}/", "/search/count/{own search}/"),
    ("/search/first/{id}/", "/search/first/{own search}/"),
    (
        "/search/run_search/{id}/",
        "/search/run_search/{own search}/",
    ),
    ("/search/csv/{id}/", "/search/csv/{own search}/"),
    (
        "/search/build_search/{id}/",
        "/search/build_search/{own search}/",
    ),
    (
        "/search/save_search/{id}/",
        "/search/save_search/{own search}/",
    ),
    (
        "/search/delete_search/{id}/",
        "/search/delete_search/{private search}/",
    ),
    (
        "/search/new_search_group/{id}/",
        "/search/new_search_group/{private search}/",
    ),
    (
        "/search/new_search_row/{id}/",
        "/search/new_search_row/{private group}/",
    ),
    (
        "/search/and_or_group/{id}/",
        "/search/and_or_group/{private group}/",
    ),
    (
        "/search/delete_search_group/{id}/",
        "/search/delete_search_group/{private group}/",
    ),
    (
        "/search/edit_search_row/{id}/",
        "/search/edit_search_row/{private row}/",
    ),
    (
        "/search/delete_search_row/{id}/",
        "/search/delete_search_row/{private row}/",
    ),
    ("/search/get_fields/{model}/", "/search/get_fields/Facter/"),
    ("/admin/{*rest}", "/admin/server/machine/"),
    ("/new_version/{when}/", "/new_version/day/"),
    ("/setup/{token}/", "/setup/nothing/"),
    ("/static/{name}", "/static/nothing"),
];

/// Somebody with a cookie; members belong to the unit `Acme IT`.
pub(crate) struct Person {
    pub(crate) name: &'static str,
    pub(crate) cookie: Option<String>,
    may: Option<Access>,
    sees_all_units: bool,
}

/// The people of the seed with their levels; `ga` is not staff.
const PEOPLE: [(&str, Option<Access>, bool); 6] = [
    ("nobody logged in", None, false),
    ("so", Some(Viewer), false),
    ("ro", Some(SeesMachines), false),
    ("rw", Some(ReadWrite), false),
    ("ga", Some(GlobalAdmin), true),
    ("admin", Some(Staff), true),
];

#[test]
fn every_path_can_be_asked_and_no_example_is_left_over() {
    let rows = rows();
    for (path, who, example) in &rows {
        assert!(*who <= Staff, "{path} is no page");
        assert!(
            !path.contains('{') || path != example,
            "{path} has no example: what stands for its parameters?"
        );
    }
    for (path, _) in EXAMPLES {
        assert!(rows.iter().any(|(known, ..)| known == path), "{path}");
    }
}

/// The key of a licence path is in it, and a wrong one finds nothing.
#[tokio::test]
async fn no_path_of_machines_answers_without_a_key() {
    let server = TestServer::start(Filled::Seeded).await;
    let machines = sal_checkin::routes(&server.app);
    let mut asked = 0;
    for place in machines.places() {
        assert_eq!((place.door, place.access), (Door::Machines, GroupKey));
        let parts = place
            .path
            .split('/')
            .map(|part| match part.starts_with('{') {
                true => "unknown",
                false => part,
            });
        let path = parts.collect::<Vec<_>>().join("/");
        let path = format!("{}/", path.trim_end_matches('/'));
        let is_in_path = path.starts_with("/licenses/");
        for method in [reqwest::Method::GET, reqwest::Method::POST] {
            let answer = server.http.request(method.clone(), server.url(&path));
            let status = answer.send().await.unwrap().status().as_u16();
            let refusal = if is_in_path { 404 } else { 401 };
            assert!(
                [refusal, 405].contains(&status),
                "{method} {path}: {status}"
            );
            asked += usize::from(status == refusal);
        }
    }
    assert!(asked >= machines.places().len(), "{asked}");
}

#[tokio::test]
async fn whoever_may_not_is_turned_away_by_every_method_and_changes_nothing() {
    walk(&Stage::set().await).await;
}

/// A request that took a second connection while holding one would wait for itself, and be answered 503.
#[tokio::test]
async fn the_matrix_holds_with_a_pool_of_one_connection() {
    let one = PoolConfig {
        max_size: 1,
        pages_wait: Duration::from_secs(5),
        ..PoolConfig::default()
    };
    let shape = Shape {
        pool: one,
        ..Shape::default()
    };
    walk(&Stage::shaped(shape).await).await;
}

async fn walk(stage: &Stage) {
    let before = stage.rows().await;
    let mut asked = 0;
    for person in &stage.people().await {
        for (path, who, example) in rows().into_iter().filter(|(_, who, _)| *who != Anyone) {
            for method in stage.methods(&stage.fill(example, true)).await {
                // Whoever sees machines may begin a search.
                let begins = path == "/search/new/" && method == "POST";
                if begins && person.may.is_some_and(|may| may >= who) {
                    continue;
                }
                asked += visit(stage, person, who, example, &method).await;
            }
        }
        if person.may.is_none_or(|may| may < ReadWrite) {
            assert_eq!(stage.rows().await, before, "after {}", person.name);
        }
    }
    assert!(asked > 500, "{asked}");
}

/// One method of one path, with things of the own unit and of another; returns how many requests that were.
async fn visit(stage: &Stage, person: &Person, who: Access, example: &str, method: &str) -> usize {
    let (own, other) = (stage.fill(example, true), stage.fill(example, false));
    let (status, location, text) = stage.send(method, &own, person).await;
    let seen = format!("{} {method} {own}: {status} {location}", person.name);
    judge(person, who, method, (status, &location), &seen);
    assert!(
        person.sees_all_units || !text.contains("SECRET"),
        "{seen} names a machine of another unit"
    );
    let may = person.may.is_some_and(|may| may >= who);
    if may && !person.sees_all_units && own != other {
        elsewhere_is_nowhere(stage, method, example, person).await;
        return 3;
    }
    1
}

/// Whether somebody is turned away as they should be, or not at all.
fn judge(person: &Person, who: Access, method: &str, (status, location): (u16, &str), seen: &str) {
    // Django sends everybody who may not to a login of its own.
    let is_sent_on = status == 302 && location.starts_with("/admin/login/?next=/admin/");
    match person.may {
        None if is_sent_on => {}
        Some(may) if may < who && is_sent_on => {}
        None => assert!(
            status == 302 && location.starts_with("/login?next="),
            "{seen}"
        ),
        Some(may) if may < who && who == SeesMachines => assert_eq!(status, 403, "{seen}"),
        Some(may) if may < who => assert!((status, location) == (302, "/"), "{seen}"),
        // Who may is not asked to change things here: each change has its own test.
        Some(_) if method == "GET" => assert!(
            status < 500 && status != 403 && !location.starts_with("/login"),
            "{seen}"
        ),
        Some(_) => {}
    }
}

/// what is in another unit answers as what does not exist, to the letter.
async fn elsewhere_is_nowhere(stage: &Stage, method: &str, example: &str, person: &Person) {
    let other = stage.fill(example, false);
    let elsewhere = stage.send(method, &other, person).await;
    let nowhere = stage
        .send(method, &stage.fill_absent(example), person)
        .await;
    let seen = format!("{} {method} {other}", person.name);
    assert_eq!(elsewhere, nowhere, "{seen}");
    assert_eq!(elsewhere.0, 404, "{seen}");
}

#[tokio::test]
async fn q142_applications_of_other_units_cannot_be_told_from_none() {
    let stage = Stage::set().await;
    stage
        .db
        .batch_execute(
            "INSERT INTO inventory_application (id, name, bundleid, bundlename, \"servicepackIneffect\")
             SELECT 9000 + n, 'SECRET-app ' || n, 's', 's', '' FROM generate_series(1, 2) n;
             INSERT INTO inventory_inventoryitem (machine_id, application_id, version, path)
             SELECT id, 9001, '1', '/SECRET' FROM server_machine WHERE serial = 'SECRET1'",
        )
        .await
        .unwrap();
    for person in stage.people().await {
        if person.may.is_none_or(|may| may < SeesMachines) {
            continue;
        }
        for (path, nowhere) in [
            (
                "/inventory/application/business_unit/{own unit}/9001/",
                "/inventory/application/business_unit/{own unit}/9999/",
            ),
            (
                "/inventory/application/machine_group/{own group}/9002/",
                "/inventory/application/machine_group/{own group}/9999/",
            ),
            (
                "/inventory/list/business_unit/{own unit}/9001/",
                "/inventory/list/business_unit/{own unit}/9999/",
            ),
            (
                "/inventory/csv_export/business_unit/{own unit}/?pk=9001",
                "/inventory/csv_export/business_unit/{own unit}/?pk=9999",
            ),
        ] {
            let elsewhere = stage.send("GET", &stage.fill(path, true), &person).await;
            let nowhere = stage.send("GET", &stage.fill(nowhere, true), &person).await;
            if person.sees_all_units {
                assert_eq!(elsewhere.0, 200, "{} {path}", person.name);
            } else {
                assert_eq!(elsewhere, nowhere, "{} {path}", person.name);
                assert_eq!(elsewhere.0, 404, "{} {path}", person.name);
            }
        }
    }
}

/// A server with a machine in each of two units.
pub(crate) struct Stage {
    pub(crate) server: TestServer,
    pub(crate) db: Client,
    values: BTreeMap<&'static str, String>,
}

impl Stage {
    pub(crate) async fn set() -> Self {
        Self::shaped(Shape::default()).await
    }

    pub(crate) async fn shaped(shape: Shape) -> Self {
        let server = TestServer::shaped(Database::new(Filled::Seeded).await, shape);
        let db = server.database.connect().await;
        db.batch_execute(FURNITURE).await.unwrap();
        let mut values = BTreeMap::new();
        for (name, sql) in VALUES {
            values.insert(*name, db.query_one(*sql, &[]).await.unwrap().get(0));
        }
        Self { server, db, values }
    }

    pub(crate) fn fill(&self, example: &str, own: bool) -> String {
        let mut path = example.to_owned();
        if !own {
            path = path.replace("{own ", "{other ");
        }
        for (name, value) in &self.values {
            path = path.replace(name, value);
        }
        path
    }

    /// The same with ids that no row has.
    fn fill_absent(&self, example: &str) -> String {
        let mut path = example.to_owned();
        for name in self.values.keys().filter(|name| name.starts_with("{own ")) {
            let nobodys = if *name == "{own item}" {
                "00000000-0000-4000-8000-000000000000"
            } else {
                "2147483600"
            };
            path = path.replace(name, nobodys);
        }
        self.fill(&path, true)
    }

    pub(crate) async fn people(&self) -> Vec<Person> {
        let mut people = Vec::new();
        for (name, may, sees_all_units) in PEOPLE {
            let password = if name == "admin" {
                "password".to_owned()
            } else {
                format!("{name}-pass")
            };
            let cookie = match may {
                None => None,
                Some(_) => {
                    let form = [("username", name), ("password", password.as_str())];
                    let login = self
                        .server
                        .http
                        .post(self.server.url("/login/"))
                        .form(&form);
                    let answer = login.send().await.unwrap();
                    let set = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
                    set.split(';').next().map(str::to_owned)
                }
            };
            people.push(Person {
                name,
                cookie,
                may,
                sees_all_units,
            });
        }
        people
    }

    /// The methods a path has, as its 405 says.
    pub(crate) async fn methods(&self, path: &str) -> Vec<String> {
        let asked = self
            .server
            .http
            .request(reqwest::Method::TRACE, self.server.url(path));
        let answer = asked.send().await.unwrap();
        assert_eq!(answer.status(), 405, "{path}");
        let allowed = answer.headers()["allow"].to_str().unwrap();
        let methods = allowed.split(',').map(|method| method.trim().to_owned());
        methods.filter(|method| method != "HEAD").collect()
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        person: &Person,
    ) -> (u16, String, String) {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self
            .server
            .http
            .request(method.clone(), self.server.url(path));
        if let Some(cookie) = &person.cookie {
            request = request.header("cookie", cookie);
        }
        if method == reqwest::Method::POST {
            request = request.form(&[("name", "changed"), ("confirmed", "yes")]);
        }
        let answer = request.send().await.unwrap();
        let location = answer.headers().get("location");
        let location = location.map_or_else(String::new, |text| text.to_str().unwrap().to_owned());
        (
            answer.status().as_u16(),
            location,
            answer.text().await.unwrap(),
        )
    }

    /// How many rows each table has and what they are, in one text; logins leave traces of their own.
    async fn rows(&self) -> String {
        let tables = "SELECT string_agg(format('SELECT %L || count(*) || coalesce(md5(string_agg(t::text, '','' ORDER BY t::text)), '''') AS line FROM %I t', table_name, table_name), ' UNION ALL ')
            FROM information_schema.tables WHERE table_schema = 'public'
            AND table_name NOT IN ('salrs_session', 'salrs_audit', 'auth_user', 'server_userprofile', 'server_plugin', 'salrs_summary', 'salrs_preference')";
        let statement: String = self.db.query_one(tables, &[]).await.unwrap().get(0);
        let statement = format!("SELECT line FROM ({statement}) all_tables ORDER BY 1");
        let rows = self.db.query(&statement, &[]);
        let lines: Vec<String> = rows.await.unwrap().iter().map(|row| row.get(0)).collect();
        lines.join("\n")
    }
}

/// What stands in the examples of the table, and where its value is found.
const VALUES: &[(&str, &str)] = &[
    (
        "{own unit}",
        "SELECT id::text FROM server_businessunit WHERE name = 'Acme IT'",
    ),
    (
        "{other unit}",
        "SELECT id::text FROM server_businessunit WHERE name = 'Engineering'",
    ),
    (
        "{own group}",
        "SELECT machine_group_id::text FROM server_machine WHERE serial = 'OWN1'",
    ),
    (
        "{other group}",
        "SELECT machine_group_id::text FROM server_machine WHERE serial = 'SECRET1'",
    ),
    (
        "{own machine}",
        "SELECT id::text FROM server_machine WHERE serial = 'OWN1'",
    ),
    (
        "{other machine}",
        "SELECT id::text FROM server_machine WHERE serial = 'SECRET1'",
    ),
    (
        "{own item}",
        "SELECT i.id::text FROM server_manageditem i JOIN server_machine m ON m.id = i.machine_id WHERE serial = 'OWN1'",
    ),
    (
        "{other item}",
        "SELECT i.id::text FROM server_manageditem i JOIN server_machine m ON m.id = i.machine_id WHERE serial = 'SECRET1'",
    ),
    (
        "{application}",
        "SELECT id::text FROM inventory_application WHERE name = 'Shared'",
    ),
    ("{key}", "SELECT min(id)::text FROM server_apikey"),
    ("{token}", "SELECT min(id)::text FROM salrs_api_token"),
    (
        "{user}",
        "SELECT id::text FROM auth_user WHERE username = 'both'",
    ),
    (
        "{own search}",
        "SELECT id::text FROM search_savedsearch WHERE name = 'Acme IT'",
    ),
    (
        "{other search}",
        "SELECT id::text FROM search_savedsearch WHERE name = 'Engineering'",
    ),
    (
        "{private search}",
        "SELECT id::text FROM search_savedsearch WHERE name = 'SECRET-search'",
    ),
    ("{private group}", "SELECT id::text FROM search_searchgroup"),
    ("{private row}", "SELECT id::text FROM search_searchrow"),
];

pub(crate) const FURNITURE: &str = "
    UPDATE server_businessunit_users SET businessunit_id = 1 WHERE user_id = (SELECT id FROM auth_user WHERE username = 'so');
    INSERT INTO server_machine (serial, hostname, machine_group_id, operating_system, memory_kb, os_family, deployed, broken_client, last_checkin)
    SELECT CASE u.name WHEN 'Acme IT' THEN 'OWN1' ELSE 'SECRET1' END, CASE u.name WHEN 'Acme IT' THEN 'own' ELSE 'SECRET-host' END,
           min(g.id), '15.1', 0, 'Darwin', true, false, now()
    FROM server_machinegroup g JOIN server_businessunit u ON u.id = g.business_unit_id WHERE u.name IN ('Acme IT', 'Engineering') GROUP BY u.name;
    INSERT INTO server_managementsource (id, name) VALUES (gen_random_uuid(), 'Munki') ON CONFLICT DO NOTHING;
    INSERT INTO server_manageditem (id, name, machine_id, management_source_id, date_managed, status)
    SELECT gen_random_uuid(), 'Firefox', m.id, s.id, now(), 'PENDING' FROM server_machine m, server_managementsource s WHERE s.name = 'Munki';
    INSERT INTO server_fact (machine_id, management_source_id, fact_name, fact_data)
    SELECT m.id, s.id, 'a', m.serial FROM server_machine m, server_managementsource s WHERE s.name = 'Munki';
    INSERT INTO inventory_application (name, bundleid, bundlename, \"servicepackIneffect\") VALUES ('Shared', 'a.b', 'Shared', '');
    INSERT INTO inventory_inventory (machine_id, datestamp, sha256hash) SELECT id, now(), '' FROM server_machine;
    INSERT INTO inventory_inventoryitem (machine_id, application_id, version, path)
    SELECT m.id, a.id, '1', '/Applications/' || m.serial FROM server_machine m, inventory_application a;
    INSERT INTO licenses_license (item_name, total, cost_per_seat, inventory_name, inventory_version, inventory_bundleid, inventory_bundlename, inventory_path, notes, business_unit_id)
    SELECT 'Office', 5, 0, 'Shared', '', '', '', '', '', id FROM server_businessunit WHERE name = 'Acme IT';
    INSERT INTO search_savedsearch (name, created, save_search, created_by_id)
    SELECT names.name, now(), true, u.id FROM auth_user u, (VALUES ('Acme IT'), ('Engineering'), ('SECRET-search')) AS names (name)
    WHERE u.username = 'both';
    INSERT INTO salrs_search (search_id, filter, sharing, unit_id, updated, mirror)
    SELECT s.id, 'serial is set', CASE WHEN u.id IS NULL THEN 'private' ELSE 'unit' END, u.id, now(), ''
    FROM search_savedsearch s LEFT JOIN server_businessunit u ON u.name = s.name;
    INSERT INTO salrs_api_token (name, user_id, created, can_write, sees_keys) SELECT 'SECRET-token', id, now(), false, false FROM auth_user WHERE username = 'admin';
    INSERT INTO search_searchgroup (and_or, position, saved_search_id) SELECT 'AND', 0, id FROM search_savedsearch WHERE name = 'SECRET-search';
    INSERT INTO search_searchrow (search_models, search_field, and_or, operator, search_term, position, search_group_id)
    SELECT 'Machine', 'hostname', 'AND', 'Contains', 'x', 0, id FROM search_searchgroup;
";
