//! All pages of the inventory, one after the other by `next`, as an asset adapter reads them.

use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::super::pages::line::percentile;
use super::line::Line;
use super::ms;
use super::program::Program;

pub(super) const NAME: &str = "walk of all inventory";

pub(super) async fn run(program: &Program) -> Result<Vec<Line>> {
    let mut times = Vec::new();
    let mut count = 0;
    let mut next = Some("/api/v2/inventory/".to_owned());
    while let Some(path) = next {
        let answer = program.get(&path, None).await?;
        if answer.status != 200 {
            bail!("{path} was answered {}", answer.status);
        }
        count = answer.count()?;
        times.push(answer.time);
        next = answer.next()?;
    }
    let pages = u64::try_from(times.len())?;
    if pages != count.div_ceil(100).max(1) {
        bail!("{pages} pages for {count} rows");
    }
    let part = |name, from: usize| {
        let to = times.len().min(from + PART);
        let mut part = times.get(from..to).unwrap_or(&[]).to_vec();
        part.sort_unstable();
        (name, percentile(&part, 50), percentile(&part, 99))
    };
    let last = times.len().saturating_sub(PART);
    let (first, middle, last) = (
        part("walk: first 100 pages", 0),
        part("walk: middle 100 pages", last / 2),
        part("walk: last 100 pages", last),
    );
    let mut lines: Vec<Line> = [&first, &middle]
        .into_iter()
        .map(|(name, half, most)| Line::walk(name, *half, *most, String::new(), None))
        .collect();
    let ratio = last.1.as_secs_f64() / first.1.as_secs_f64().max(1e-6);
    let flat = ("last <= 1.5 of the first".to_owned(), ratio <= 1.5);
    let figures = format!("{ratio:.2} of the first");
    lines.push(Line::walk(last.0, last.1, last.2, figures, Some(flat)));
    lines.push(whole(times, count)?);
    Ok(lines)
}

fn whole(mut times: Vec<Duration>, count: u64) -> Result<Line> {
    let all: Duration = times.iter().sum();
    let pages = u32::try_from(times.len()).context("pages")?;
    let mean = ms(all) / f64::from(pages.max(1));
    times.sort_unstable();
    let figures = format!(
        "{count} rows, {pages} pages, {:.1} s, {mean:.1} ms each",
        all.as_secs_f64()
    );
    let aim = (
        format!("{QUICKER:.0} x the original's"),
        mean * QUICKER <= ORIGINAL_MS,
    );
    let (half, most) = (percentile(&times, 50), percentile(&times, 99));
    Ok(Line::walk(NAME, half, most, figures, Some(aim)))
}

/// So many pages are a part.
const PART: usize = 100;
/// What a page of the inventory takes Django Sal 4.4.1, whatever its number.
const ORIGINAL_MS: f64 = 209.0;
const QUICKER: f64 = 20.0;
