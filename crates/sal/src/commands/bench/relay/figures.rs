//! The table of the ways with their ratios, and the same as JSON.

use serde_json::{Value, json};

use super::route::{CLIENTS, Round, Route};

/// What was measured, and how.
pub(super) struct Figures {
    pub(super) routes: Vec<Route>,
    pub(super) through_gate: bool,
    pub(super) megabytes: u32,
}

/// The medians of a way's rounds.
struct Medians {
    copy_out: f64,
    copy_in: f64,
    p50_ms: f64,
    tps: Vec<f64>,
}

impl Medians {
    fn of(route: &Route) -> Self {
        let of = |part: &dyn Fn(&Round) -> Option<f64>| {
            median(route.rounds.iter().filter_map(part).collect())
        };
        let tps = (0..CLIENTS.len()).map(|place| of(&|round| round.tps.get(place).copied()));
        Self {
            copy_out: of(&|round| Some(round.copy_out)),
            copy_in: of(&|round| Some(round.copy_in)),
            p50_ms: of(&|round| Some(round.p50_ms)),
            tps: tps.collect(),
        }
    }

    /// What is compared with the first way, in the order of the table's columns.
    fn compared(&self) -> Vec<f64> {
        let mut all = vec![self.copy_out, self.copy_in];
        all.extend(&self.tps);
        all
    }
}

impl Figures {
    /// Each figure with its share of the direct way's in parentheses.
    pub(super) fn as_text(&self) -> String {
        let mut heads = vec!["COPY out MB/s".to_owned(), "COPY in MB/s".to_owned()];
        heads.extend(CLIENTS.map(|clients| format!("tps of {clients}")));
        let mut text = format!("{:<14}", "route");
        for head in heads {
            text.push_str(&format!(" {head:>16}"));
        }
        text.push_str("   p50 ms  added ms\n");
        let all: Vec<Medians> = self.routes.iter().map(Medians::of).collect();
        for (route, medians) in self.routes.iter().zip(&all) {
            let first = all.first().unwrap_or(medians);
            text.push_str(&format!("{:<14}", route.way.name()));
            for (figure, direct) in medians.compared().iter().zip(first.compared()) {
                let both = format!("{figure:.0} ({:.2})", figure / direct);
                text.push_str(&format!(" {both:>16}"));
            }
            let added = medians.p50_ms - first.p50_ms;
            text.push_str(&format!(" {:>8.3} {added:>9.3}\n", medians.p50_ms));
        }
        text.push_str(&format!(
            "(of direct TLS); tps: select-only; p50: of 1 client; COPY of {} MB; medians of {} rounds that alternate",
            self.megabytes,
            self.routes.first().map_or(0, |route| route.rounds.len())
        ));
        if self.through_gate {
            text.push_str("; through the lab's gate (`--pam` measures Postgres itself)");
        }
        text
    }

    pub(super) fn as_json(&self) -> Value {
        let rounds = |route: &Route| -> Vec<Value> {
            let rounds = route.rounds.iter();
            let one = |round: &Round| {
                json!({"copy_out_mb_per_second": round.copy_out, "copy_in_mb_per_second": round.copy_in,
                       "p50_ms": round.p50_ms, "tps": round.tps})
            };
            rounds.map(one).collect()
        };
        let one = |route: &Route| {
            let medians = Medians::of(route);
            json!({"route": route.way.name(), "copy_out_mb_per_second": medians.copy_out,
                   "copy_in_mb_per_second": medians.copy_in, "p50_ms": medians.p50_ms,
                   "tps": medians.tps, "rounds": rounds(route)})
        };
        let routes: Vec<_> = self.routes.iter().map(one).collect();
        json!({"routes": routes, "clients": CLIENTS, "through_gate": self.through_gate,
               "megabytes": self.megabytes})
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::super::route::Way;
    use super::*;

    #[test]
    fn the_table_has_medians_and_their_share_of_the_direct_way() {
        let route = |way, factor: f64| {
            let mut route = Route::new(way, String::new(), String::new());
            for round in [3.0, 1.0, 2.0] {
                route.rounds.push(Round {
                    copy_out: 100.0 * round * factor,
                    copy_in: 50.0 * round * factor,
                    p50_ms: round / 10.0 / factor,
                    tps: [1.0, 2.0, 4.0].map(|share| share * 1000.0 * round * factor),
                });
            }
            route
        };
        let figures = Figures {
            routes: vec![route(Way::Direct, 1.0), route(Way::Bouncer, 0.5)],
            through_gate: false,
            megabytes: 10,
        };
        let text = figures.as_text();
        let words: Vec<Vec<&str>> = text
            .lines()
            .map(|line| line.split_whitespace().collect())
            .collect();
        assert_eq!(
            words[1][2..],
            [
                "200", "(1.00)", "100", "(1.00)", "2000", "(1.00)", "4000", "(1.00)", "8000",
                "(1.00)", "0.200", "0.000"
            ]
        );
        assert_eq!(
            words[2],
            [
                "pgbouncer",
                "100",
                "(0.50)",
                "50",
                "(0.50)",
                "1000",
                "(0.50)",
                "2000",
                "(0.50)",
                "4000",
                "(0.50)",
                "0.400",
                "0.200"
            ]
        );
    }
}
