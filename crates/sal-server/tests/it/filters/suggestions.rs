//! What is suggested while somebody types comes from the machines that they may see.

use sal_query::complete::{Wanted, complete};
use sal_store::filter_values::{FilterValues, filter_values};
use sal_store::scope::Scope;

use super::stage::Stage;

async fn at_bar(text: &str, scope: &Scope, stage: &Stage) -> FilterValues {
    let cursor = text.find('|').unwrap();
    let found = complete(&text.replacen('|', "", 1), cursor);
    let wanted = found
        .wanted
        .unwrap_or_else(|| panic!("no values for {text}"));
    filter_values(&wanted, &found.typed, scope, &stage.db)
        .await
        .unwrap_or_else(|error| panic!("{text}: {error:?}"))
}

fn texts(found: &FilterValues) -> Vec<&str> {
    found.values.iter().map(|one| one.value.as_str()).collect()
}

#[tokio::test]
async fn values_are_those_of_the_machines_in_any_letter_case() {
    let stage = Stage::new().await;
    let units = stage
        .db
        .query("SELECT array_agg(id) FROM server_businessunit", &[])
        .await
        .unwrap();
    let every = Scope::Units(units[0].get(0));
    for scope in [Scope::All, every] {
        for (text, value) in [
            ("os_version = 15.1|", "15.10"),
            ("hostname ~ ANN|", "Anna"),
            ("serial = odd1|", "ODD11"),
            ("model_family = |", "MacBookPro"),
            ("manifest = \"a%|", "a%b"),
            ("group = lap|", "Laptops"),
            ("fact \"odd/n|", "Odd/number"),
            ("fact NUM|", "Odd/number"),
            ("fact \"number\" = 15|", "15.10"),
            ("fact(name = Num|", "Number"),
            ("fact(value = 15|", "15.10"),
            ("plugin odd|", "Odd/row"),
            ("plugin \"Odd/row\" = 8|", "89.5"),
            ("application fire|", "Firefox"),
            ("application Firefox = 15.1|", "15.10"),
            ("application(name = fire|", "firefox"),
            ("application(bundle_id = zoom|", "us.zoom.xos"),
            ("application(name = Firefox and version = 15.1|", "15.10"),
            ("pending off|", "Office"),
            ("item Office = p|", "PENDING"),
            ("item off|", "Office"),
            ("error ~ ann|", "anna "),
            ("profile com.ex|", "com.example.1"),
            ("payload = wifi|", "com.apple.wifi"),
            ("payload com.example|", "com.example.1.dock"),
            ("client = \"it|", "it's"),
            ("refusal(reason = bad|", "bad_key"),
            ("fact_history \"number\" = 5|", "5.0"),
            ("item_history Office = |", "PENDING"),
            ("machine = ann|", "Anna"),
            ("machine = ODD1|", "ODD1"),
        ] {
            let found = at_bar(text, &scope, &stage).await;
            assert!(
                texts(&found).contains(&value),
                "{text} {scope:?}: {:?}",
                texts(&found)
            );
            assert!(found.values.len() <= 20, "{text}");
        }
        let nothing = at_bar("hostname = zzzz|", &scope, &stage).await;
        assert_eq!(nothing, FilterValues::default());
    }
}

#[tokio::test]
async fn the_most_frequent_value_is_first_with_its_number() {
    let stage = Stage::new().await;
    let found = at_bar("os_family = |", &Scope::All, &stage).await;
    let first = &found.values[0];
    assert_eq!(first.value, "Darwin");
    let counted: i64 = stage
        .db
        .query_one(
            "SELECT count(*) FROM server_machine WHERE os_family = 'Darwin'",
            &[],
        )
        .await
        .unwrap()
        .get(0);
    assert_eq!(first.machines, Some(counted));
    assert!(
        found
            .values
            .is_sorted_by(|one, next| one.machines >= next.machines)
    );
    // What begins so comes before what only contains it.
    let found = at_bar("hostname = a|", &Scope::All, &stage).await;
    let begins = |value: &str| value.to_lowercase().starts_with('a');
    assert!(
        found
            .values
            .iter()
            .map(|one| begins(&one.value))
            .is_sorted_by(|one, next| one >= next)
    );
}

#[tokio::test]
async fn nothing_of_machines_out_of_scope_is_suggested() {
    let stage = Stage::new().await;
    let none = Scope::Units(vec![i32::MAX]);
    let kinds = sal_query::catalogue::row_kinds();
    let mut all: Vec<Wanted> = sal_query::catalogue::machine_columns()
        .map(Wanted::Column)
        .collect();
    all.push(Wanted::Machines);
    for kind in kinds {
        all.push(Wanted::Which(kind));
        for column in kind.columns {
            all.push(Wanted::Rows {
                kind,
                column,
                of: None,
            });
        }
    }
    for wanted in &all {
        for typed in ["", "a", "%", "\\", "'", "a\0"] {
            let found = filter_values(wanted, typed, &none, &stage.db)
                .await
                .unwrap();
            assert!(found.values.is_empty(), "{wanted:?} {typed}");
            // And no text makes the database fail for those who see all.
            filter_values(wanted, typed, &Scope::All, &stage.db)
                .await
                .unwrap();
        }
    }
}
