//! Reads the panels of `plugin.toml`.

use sal_query::{Condition, Field, Related, Shape, Shaped, Values};
use serde::Deserialize;
use toml::Spanned;

use super::{
    Mistake,
    detail::{self, LineFile, LinkFile},
    source::{self, ItemFile},
    when::{self, When},
};
use crate::{
    detail::{Detail, Native},
    group_by::{GroupBy, GroupSort},
    panel::{Bucket, BucketDrawing, Buckets, ItemColumn, Items, Panel, Series, SeriesLine, Style},
    plugin::Kind,
    settings::{Number, TextSetting},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PanelFile {
    #[serde(rename = "type")]
    drawing: Drawing,
    #[serde(default)]
    heading: String,
    title: Option<String>,
    among: Option<Spanned<When>>,
    shown_if: Option<String>,
    #[serde(default)]
    bucket: Vec<BucketFile>,
    group_by: Option<Spanned<GroupByFile>>,
    source: Option<String>,
    #[serde(default)]
    series: Vec<SeriesLine>,
    days: Option<u16>,
    #[serde(default)]
    column: Vec<ItemColumn>,
    #[serde(default)]
    line: Vec<Spanned<LineFile>>,
    #[serde(default)]
    link: Vec<Spanned<LinkFile>>,
    native: Option<Native>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Drawing {
    Tiles,
    Table,
    Lights,
    Bars,
    Series,
    Items,
    Lines,
    Links,
    Native,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BucketFile {
    data: String,
    label: String,
    title: String,
    #[serde(default)]
    style: Style,
    #[serde(default)]
    hide_when_zero: bool,
    when: Option<Spanned<When>>,
    /// Whatever no other bucket of the panel counts.
    rest: Option<Spanned<bool>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupByFile {
    field: Option<String>,
    then_by: Option<String>,
    shape: Option<ShapeFile>,
    first_parts: Option<FirstPartsFile>,
    row: Option<String>,
    fact: Option<String>,
    item: Option<ItemFile>,
    messages: Option<TextSetting>,
    explode: Option<String>,
    missing: Option<String>,
    #[serde(default)]
    values: Vec<String>,
    #[serde(default)]
    sort: GroupSort,
    at_least: Option<Number>,
    key: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum ShapeFile {
    /// Its name was `letters`.
    #[serde(alias = "letters")]
    ModelFamily,
    ModelName,
}

/// `first_parts = { os = "ChromeOS", parts = 3, setting = "…" }`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FirstPartsFile {
    os: String,
    parts: u8,
    setting: String,
}

/// Checks a panel. `base` is what the plugin restricts its machines to.
pub(super) fn check(
    panel: Spanned<PanelFile>,
    kind: Kind,
    base: &Condition,
) -> Result<Panel, Mistake> {
    let place = panel.span();
    let mut file = panel.into_inner();
    let mistake = |message: &str| Mistake {
        place: place.clone(),
        message: message.to_owned(),
    };
    let for_one_machine = matches!(
        file.drawing,
        Drawing::Lines | Drawing::Links | Drawing::Native
    );
    if for_one_machine != (kind == Kind::Detail) {
        return Err(mistake(
            "`lines`, `links` and `native` are for `kind = \"detail\"`, all other types for widgets and reports",
        ));
    }
    let mut base = base.clone();
    if let Some(among) = file.among.take() {
        let place = among.span();
        let among =
            when::compile(among.into_inner()).map_err(|message| Mistake { place, message })?;
        base = base.and(among);
    }
    check_drawing(file, &base, &mistake)
}

/// Checks what belongs to the panel's type.
fn check_drawing(
    file: PanelFile,
    base: &Condition,
    mistake: &dyn Fn(&str) -> Mistake,
) -> Result<Panel, Mistake> {
    match file.drawing {
        Drawing::Tiles | Drawing::Table | Drawing::Lights => {
            if file.bucket.is_empty() || file.group_by.is_some() || file.title.is_some() {
                return Err(mistake("a panel of this type has [[panel.bucket]] only"));
            }
            Ok(Panel::Buckets(Buckets {
                heading: file.heading,
                drawing: match file.drawing {
                    Drawing::Tiles => BucketDrawing::Tiles,
                    Drawing::Lights => BucketDrawing::Lights,
                    _ => BucketDrawing::Table,
                },
                buckets: check_buckets(file.bucket, base)?,
                shown_if: file.shown_if,
            }))
        }
        Drawing::Bars => match (file.group_by, file.title, file.bucket.is_empty()) {
            (Some(by), Some(title), true) => {
                check_group_by(by, title, file.heading, base).map(|by| Panel::Groups(Box::new(by)))
            }
            _ => Err(mistake("a panel of bars has `title` and `group_by`")),
        },
        Drawing::Series => match (file.source, file.series.is_empty()) {
            (Some(source), false) => Ok(Panel::Series(Series {
                source,
                lines: file.series,
                days: file.days.unwrap_or(15).clamp(1, MOST_DAYS),
                condition: base.clone(),
            })),
            _ => Err(mistake(
                "a series has `source` and at least one [[panel.series]]",
            )),
        },
        Drawing::Items => match (file.source, file.column.is_empty()) {
            (Some(source), false) => Ok(Panel::Items(Items {
                source,
                columns: file.column,
                condition: base.clone(),
            })),
            _ => Err(mistake(
                "a table of items has `source` and at least one [[panel.column]]",
            )),
        },
        Drawing::Lines => Ok(Panel::Detail(Detail::Lines(detail::lines(file.line)?))),
        Drawing::Links => Ok(Panel::Detail(Detail::Links(detail::links(file.link)?))),
        Drawing::Native => match file.native {
            Some(native) => Ok(Panel::Detail(Detail::Native(native))),
            None => Err(mistake("a native panel has `native`")),
        },
    }
}

fn check_buckets(files: Vec<BucketFile>, base: &Condition) -> Result<Vec<Bucket>, Mistake> {
    let mut buckets = Vec::new();
    let mut counted = Vec::new();
    let mut rests = Vec::new();
    for (place, file) in files.into_iter().enumerate() {
        let condition = match (file.when, &file.rest) {
            (Some(when), None) => {
                let at = when.span();
                let own = when::compile(when.into_inner())
                    .map_err(|message| Mistake { place: at, message })?;
                counted.push(own.clone());
                own
            }
            (None, Some(rest)) if *rest.get_ref() => {
                rests.push(place);
                Condition::everything()
            }
            (None, Some(rest)) => return Err(Mistake::at(rest, "`rest` is true or absent")),
            (Some(when), Some(_)) => {
                return Err(Mistake::at(&when, "a bucket has either `when` or `rest`"));
            }
            (None, None) => {
                return Err(Mistake {
                    place: 0..0,
                    message: format!("bucket `{}` has neither `when` nor `rest`", file.data),
                });
            }
        };
        buckets.push(Bucket {
            data: file.data,
            label: file.label,
            title: file.title,
            style: file.style,
            hide_when_zero: file.hide_when_zero,
            condition: base.clone().and(condition),
        });
    }
    let rest = Condition::any(counted).negate();
    for place in rests {
        if let Some(bucket) = buckets.get_mut(place) {
            bucket.condition = base.clone().and(rest.clone());
        }
    }
    Ok(buckets)
}

fn check_group_by(
    file: Spanned<GroupByFile>,
    title: String,
    heading: String,
    base: &Condition,
) -> Result<GroupBy, Mistake> {
    let place = file.span();
    let file = file.into_inner();
    let mistake = |message: String| Mistake {
        place: place.clone(),
        message,
    };
    let key = file.key.as_deref().unwrap_or("{value}");
    let Some((before, after)) = key.split_once("{value}") else {
        return Err(mistake("`key` holds `{value}`".to_owned()));
    };
    let key = (before.to_owned(), after.to_owned());
    let shorten = file.first_parts.as_ref().map(|parts| parts.setting.clone());
    let level = file.messages.clone();
    let shown = file.values.clone();
    let sort = file.sort;
    let at_least = file.at_least.clone().unwrap_or(Number::Fixed(1));
    let (values, counted) = values(file).map_err(mistake)?;
    Ok(GroupBy {
        values,
        shown,
        sort,
        heading,
        title,
        key,
        at_least,
        level,
        shorten,
        condition: base.clone().and(counted),
    })
}

fn shape(field: Field, file: Option<&ShapeFile>) -> Result<Shape, String> {
    match file {
        None => Ok(Shape::Whole),
        Some(_) if field != Field::MachineModel => {
            Err("`shape` is for `field = \"machine_model\"`, leave it out for others".to_owned())
        }
        Some(ShapeFile::ModelFamily) => Ok(Shape::ModelFamily),
        Some(ShapeFile::ModelName) => Ok(Shape::ModelName),
    }
}

/// What is counted, and which machines have such a value at all.
fn values(file: GroupByFile) -> Result<(Values, Condition), String> {
    let words = |error: sal_query::ConditionError| error.to_string();
    if let Some(name) = &file.field {
        let field = text_field(name)?;
        let shape = shape(field, file.shape.as_ref())?;
        let mut counted = Vec::new();
        if !file.values.is_empty() {
            counted.push(Condition::one_of(field, file.values).map_err(words)?);
        } else if shape != Shape::ModelName {
            counted.push(filled(field));
        }
        let first = Shaped::new(field, shape).map_err(words)?;
        let then = match &file.then_by {
            Some(name) => {
                let field = text_field(name)?;
                counted.push(filled(field));
                let shape = file
                    .first_parts
                    .map_or(Shape::Whole, |cut| Shape::FirstParts {
                        os_family: cut.os,
                        parts: cut.parts,
                    });
                Some(Shaped::new(field, shape).map_err(words)?)
            }
            None => None,
        };
        return Ok((Values::Field { first, then }, Condition::all(counted)));
    }
    if file.then_by.is_some() || file.shape.is_some() || file.first_parts.is_some() {
        return Err("`then_by`, `shape` and `first_parts` belong to `field`".to_owned());
    }
    if file.messages.is_some() {
        let values = Values::Messages { levels: Vec::new() };
        return Ok((values, Condition::everything()));
    }
    let sources = [
        file.row.map(|text| source::row(&text)),
        file.fact.map(|text| Ok(source::fact(&text))),
        file.item.map(|item| Ok(item.related())),
    ];
    let mut sources = sources.into_iter().flatten();
    let (Some(related), None) = (sources.next(), sources.next()) else {
        return Err(
            "`group_by` has exactly one of `field`, `row`, `fact`, `item`, `messages`".to_owned(),
        );
    };
    let related: Related = related?;
    Condition::has(related.clone(), Vec::new()).map_err(words)?;
    Ok((
        Values::Related {
            related,
            explode: file.explode,
            missing: file.missing,
        },
        Condition::everything(),
    ))
}

fn text_field(name: &str) -> Result<Field, String> {
    Field::parse(name)
        .filter(|field| field.kind() == sal_query::Kind::Text)
        .ok_or_else(|| format!("`{name}` is no text field of a machine"))
}

/// Holds when a text field is neither missing nor empty.
fn filled(field: Field) -> Condition {
    let empty = Condition::one_of(field, vec![String::new()]);
    let parts = empty.into_iter().chain([Condition::missing(field)]);
    Condition::any(parts.collect()).negate()
}

/// A longer series has no room in a widget.
const MOST_DAYS: u16 = 90;
