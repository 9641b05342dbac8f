//! `/inventory/application/<kind>/<id>/<application>/`: the versions and paths of an application.

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    response::Response,
};
use sal_http::{App, AppError, access::SeesMachines, db::Db};
use sal_plugins::version;
use sal_store::applications::{Application, By, Variant, list_variants};
use serde::Deserialize;

use super::{Shown, application, name_of};
use crate::{
    page::render,
    paging::address,
    shell::{Section, Shell, Theme},
    wording,
};

#[derive(Template)]
#[template(path = "inventory/application.html")]
struct ApplicationPage {
    shell: Shell,
    shown: Shown,
    name: String,
    application: Application,
    installs_href: String,
    /// Versions and paths; none when no machine has the application.
    cards: Vec<Bars>,
    /// The page with the paths, when they are asked for after the page.
    paths_later: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct ApplicationParams {
    /// Set when the paths are wanted with the page, however many installs there are.
    paths: Option<String>,
}

/// Horizontal bars, one for each version or path.
struct Bars {
    heading: &'static str,
    /// `version` or `path`.
    field: &'static str,
    lines: Vec<Bar>,
    /// How many there are, all told: `12 versions`.
    total: String,
    /// Set when not all of them are drawn.
    rest: Option<String>,
}

struct Bar {
    label: String,
    count: String,
    href: String,
    /// Width in percent of the longest bar.
    width: String,
}

pub(super) async fn show_application(
    SeesMachines(viewer): SeesMachines,
    theme: Theme,
    Path((kind, id, number)): Path<(String, String, String)>,
    Query(params): Query<ApplicationParams>,
    State(app): State<App>,
    Db(db): Db,
) -> Result<Response, AppError> {
    let shown = Shown::find((&kind, &id), &viewer, &db).await?;
    let application = application(&number, &shown, &db).await?;
    let (id, place, scope) = (application.id, &shown.place, &shown.scope);
    let (mut versions, version_count) =
        list_variants(id, By::Version, MOST, place, scope, &db).await?;
    let installs: i64 = versions.iter().map(|version| version.machines).sum();
    let is_late = installs > MOST_BESIDE && params.paths.is_none();
    versions.sort_by(|left, right| version::compare(&right.value, &left.value));
    let name = name_of(&application);
    let installs_href = shown.installs_path(id);
    let mut cards = Vec::new();
    if version_count > 0 {
        cards.push(bars(
            "Versions",
            &versions,
            version_count,
            ("version", "versions"),
            &installs_href,
        ));
    }
    if version_count > 0 && !is_late {
        let (paths, path_count) = list_variants(id, By::Path, MOST, place, scope, &db).await?;
        cards.push(bars(
            "Paths",
            &paths,
            path_count,
            ("path", "paths"),
            &installs_href,
        ));
    }
    let own = shown.application_path(id);
    render(&ApplicationPage {
        shell: Shell::of(&viewer, theme, Section::Software, &name, &app),
        cards,
        paths_later: is_late.then(|| address(&own, &[("paths", "1")])),
        installs_href,
        name,
        application,
        shown,
    })
}

/// Bars in the order of the variants; what each counts is what the link behind it lists.
fn bars(
    heading: &'static str,
    variants: &[Variant],
    total: i64,
    (one, many): (&'static str, &str),
    installs: &str,
) -> Bars {
    let longest = variants.iter().map(|variant| variant.machines).max();
    let bar = |variant: &Variant| Bar {
        label: match variant.value.trim() {
            "" => "unknown".to_owned(),
            value => value.to_owned(),
        },
        count: wording::count(variant.machines),
        // An empty value is a value: the address must name it.
        href: format!(
            "{}&field_value={}",
            address(installs, &[("field_type", one)]),
            crate::paging::encoded(&variant.value)
        ),
        width: wording::percent(variant.machines, longest.unwrap_or(0)),
    };
    let hidden = total - i64::try_from(variants.len()).unwrap_or(i64::MAX);
    Bars {
        heading,
        field: one,
        lines: variants.iter().map(bar).collect(),
        total: wording::count_of(total, one, many),
        rest: (hidden > 0)
            .then(|| format!("{} more, each on fewer machines", wording::count(hidden))),
    }
}

/// With more installs the paths come after the page: counting them costs as much as counting the versions, and a page
/// with the versions can be read meanwhile.
const MOST_BESIDE: i64 = 5_000;
/// The most bars: homes of users make as many paths as there are machines.
const MOST: i64 = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_leads_to_its_installs_even_without_a_value() {
        let variants = ["1.0 & <b>", ""].map(|value| Variant {
            value: value.to_owned(),
            machines: 2,
        });
        let bars = bars("Versions", &variants, 5, ("version", "versions"), "/i/");
        assert_eq!(
            bars.lines[0].href,
            "/i/?field_type=version&field_value=1%2E0%20%26%20%3Cb%3E"
        );
        assert_eq!(bars.lines[1].href, "/i/?field_type=version&field_value=");
        assert_eq!(
            (bars.lines[1].label.as_str(), bars.lines[0].width.as_str()),
            ("unknown", "100.0")
        );
        assert_eq!(bars.rest.as_deref(), Some("3 more, each on fewer machines"));
    }
}
