//! The filter language against a real Postgres: what the SQL finds is what the documentation says, for any filter; and
//! no text that somebody types makes the database fail.
#![expect(
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    reason = "tests"
)]

mod hostile;
mod oracle;
mod random;
mod stage;
mod suggestions;

use std::collections::HashSet;

use jiff::tz::TimeZone;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use sal_query::check::{NothingNamed, check_expr};
use sal_query::expr::{Compare, Op, Quantifier};
use sal_query::{Condition, Expr, Field, FilterError, Parameter, catalogue};
use sal_store::devices::{Direction, device_ids};
use sal_store::scope::Scope;
use tokio_postgres::types::ToSql;

use oracle::World;
use stage::Stage;

/// The machines that the database finds.
async fn found(expr: &Expr, stage: &Stage) -> Result<Vec<i64>, FilterError> {
    let filter = check_expr(expr, &TimeZone::UTC, &NothingNamed)?;
    let ids = device_ids(
        &filter,
        Field::Serial,
        Direction::Ascending,
        stage.now,
        &Scope::All,
        &stage.db,
    )
    .await;
    let mut ids: Vec<i64> = ids
        .unwrap_or_else(|error| panic!("{expr}: {error:?}"))
        .into_iter()
        .map(|id| id.0)
        .collect();
    ids.sort_unstable();
    Ok(ids)
}

/// Where database and documentation differ; the filter that makes no sense differs nowhere.
async fn difference(expr: &Expr, world: &World, stage: &Stage) -> Option<String> {
    let Ok(found) = found(expr, stage).await else {
        return None;
    };
    world.difference(expr, &found, &world.ids(expr))
}

/// The machines of many conditions at once, each asked of every machine.
async fn found_together(conditions: &[Condition], stage: &Stage) -> Vec<Vec<i64>> {
    let mut columns = Vec::new();
    let mut parameters: Vec<Box<dyn ToSql + Sync + Send>> = Vec::new();
    for condition in conditions {
        let fragment = condition.to_sql(stage.now, parameters.len() + 1);
        columns.push(format!(
            "array_agg(machine.id ORDER BY machine.id) FILTER (WHERE {})",
            fragment.text
        ));
        parameters.extend(fragment.parameters.into_iter().map(boxed));
    }
    let sql = format!("SELECT {} FROM server_machine machine", columns.join(", "));
    let mut borrowed: Vec<&(dyn ToSql + Sync)> = Vec::new();
    for parameter in &parameters {
        borrowed.push(&**parameter);
    }
    let row = stage.db.query_one(&sql, &borrowed).await.unwrap();
    let ids = |place| row.get::<_, Option<Vec<i64>>>(place).unwrap_or_default();
    (0..conditions.len()).map(ids).collect()
}

fn boxed(parameter: Parameter) -> Box<dyn ToSql + Sync + Send> {
    match parameter {
        Parameter::Text(value) => Box::new(value),
        Parameter::Integer(value) => Box::new(value),
        Parameter::Boolean(value) => Box::new(value),
        Parameter::Time(value) => Box::new(value),
        Parameter::Texts(value) => Box::new(value),
        Parameter::Integers(value) => Box::new(value),
    }
}

#[tokio::test]
async fn each_field_and_operator_finds_what_is_documented() {
    let stage = Stage::new().await;
    let world = World::read(&stage).await;
    let all = random::comparisons(&world);
    let (mut some, mut faults, mut seen) = (0, Vec::new(), HashSet::new());
    for together in all.chunks(50) {
        let (mut exprs, mut conditions) = (Vec::new(), Vec::new());
        for (inside, compare) in together {
            if let Expr::Compare(compare) = compare {
                seen.insert(compare.op);
            }
            let expr = random::wrapped(*inside, Quantifier::Any, compare.clone());
            conditions.push(check_expr(&expr, &TimeZone::UTC, &NothingNamed).unwrap());
            exprs.push(expr);
        }
        let found = found_together(&conditions, &stage).await;
        for (expr, found) in exprs.iter().zip(found) {
            let meant = world.ids(expr);
            some += usize::from(!meant.is_empty());
            faults.extend(world.difference(expr, &found, &meant));
        }
    }
    let first = faults.iter().take(50).cloned().collect::<Vec<_>>();
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        first.join("\n\n")
    );
    assert_eq!(seen.len(), Op::ALL.len());
    // The questions are not all about nothing.
    assert!(
        all.len() > 2_000 && some > all.len() / 4,
        "{} {some}",
        all.len()
    );
}

#[tokio::test]
async fn any_filter_finds_what_is_documented() {
    let stage = Stage::new().await;
    let world = World::read(&stage).await;
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[15; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let trees = random::trees(&world);
    let (mut asked, mut some) = (0, 0);
    while asked < CASES {
        let mut tree = trees.new_tree(&mut runner).unwrap();
        let expr = tree.current();
        if check_expr(&expr, &TimeZone::UTC, &NothingNamed).is_err() {
            continue;
        }
        asked += 1;
        some += usize::from(!world.ids(&expr).is_empty());
        let Some(mut fault) = difference(&expr, &world, &stage).await else {
            continue;
        };
        // The smallest filter that differs says most.
        loop {
            if !tree.simplify() {
                break;
            }
            match difference(&tree.current(), &world, &stage).await {
                Some(smaller) => fault = smaller,
                None if tree.complicate() => {}
                None => break,
            }
        }
        panic!("{fault}");
    }
    assert!(some > CASES / 3, "{some}");
}

const CASES: usize = 300;

#[tokio::test]
async fn what_a_filter_says_as_text_and_as_data_is_the_same() {
    let stage = Stage::new().await;
    let world = World::read(&stage).await;
    for text in [
        "os_version < 15.1 and not group = \"Laptops\"",
        "not has application \"Firefox\" and hd_space < 10GB",
        "application(name = Firefox and version < 130) and last_checkin older than 30d",
        "model_family ~ book or fact \"Odd/number\" > 9",
        "no pending() and every item(status != ERROR)",
    ] {
        let expr = sal_query::parse(text).unwrap().expr;
        assert_eq!(difference(&expr, &world, &stage).await, None);
    }
    let names: Vec<&str> = catalogue::names().collect();
    assert!(names.contains(&"os_version"));
    // A name of a column under every alias means the same.
    for (one, other) in [("os_version", "operating_system"), ("user", "console_user")] {
        let of = |name: &str| Expr::Compare(Compare::new(name, Op::Set));
        assert_eq!(
            found(&of(one), &stage).await,
            found(&of(other), &stage).await
        );
    }
}
