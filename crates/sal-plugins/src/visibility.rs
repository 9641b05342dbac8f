//! On which pages a widget is left out although it is enabled: Sal's settings `LIMIT_PLUGIN_TO_FRONT_PAGE`,
//! `HIDE_PLUGIN_FROM_FRONT_PAGE`, `HIDE_PLUGIN_FROM_BUSINESS_UNIT` and `HIDE_PLUGIN_FROM_MACHINE_GROUP`.
//!
//! In Sal the ids of the last two never match as documented, and once they do, hide the widget everywhere.

use std::collections::BTreeMap;

/// The rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Visibility {
    /// Widgets that are on the page of all machines only.
    pub front_only: Vec<String>,
    /// Widgets that are not on it.
    pub not_front: Vec<String>,
    /// Widgets and the ids of business units on whose pages they are not.
    pub not_unit: BTreeMap<String, Vec<i32>>,
    /// Widgets and the ids of machine groups on whose pages they are not.
    pub not_group: BTreeMap<String, Vec<i32>>,
}

/// A page with widgets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// That of all machines.
    Front,
    /// That of a business unit.
    Unit(i32),
    /// That of a machine group.
    Group(i32),
}

impl Visibility {
    /// Whether a widget is on a page.
    #[must_use]
    pub fn shows(&self, widget: &str, page: Page) -> bool {
        let names = |list: &[String]| list.iter().any(|name| name == widget);
        let ids = |map: &BTreeMap<String, Vec<i32>>, id: i32| {
            map.get(widget).is_some_and(|ids| ids.contains(&id))
        };
        match page {
            Page::Front => !names(&self.not_front),
            Page::Unit(id) => !names(&self.front_only) && !ids(&self.not_unit, id),
            Page::Group(id) => !names(&self.front_only) && !ids(&self.not_group, id),
        }
    }

    /// Reads `Uptime=1,2; Sip=7`: widgets and ids.
    ///
    /// # Errors
    /// The part that is not of this form.
    pub fn read_ids(text: &str) -> Result<BTreeMap<String, Vec<i32>>, String> {
        let mut map: BTreeMap<String, Vec<i32>> = BTreeMap::new();
        for part in text
            .split(';')
            .map(str::trim)
            .filter(|part| !part.is_empty())
        {
            let wrong = || part.to_owned();
            let (name, ids) = part.split_once('=').ok_or_else(wrong)?;
            let ids = ids.split(',').map(|id| id.trim().parse::<i32>());
            let ids = ids
                .collect::<Result<Vec<_>, _>>()
                .map_err(|_not_a_number| wrong())?;
            map.entry(name.trim().to_owned()).or_default().extend(ids);
        }
        Ok(map)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn q117_a_widget_is_hidden_where_the_rules_say_so_and_nowhere_else() {
        let rules = Visibility {
            front_only: vec!["Activity".to_owned()],
            not_front: vec!["Sip".to_owned()],
            not_unit: Visibility::read_ids("Uptime=1, 2; Sip=3").unwrap(),
            not_group: Visibility::read_ids("Uptime=7").unwrap(),
        };
        for (widget, page, shown) in [
            ("Activity", Page::Front, true),
            ("Activity", Page::Unit(1), false),
            ("Activity", Page::Group(1), false),
            ("Sip", Page::Front, false),
            ("Sip", Page::Unit(1), true),
            ("Sip", Page::Unit(3), false),
            ("Uptime", Page::Unit(2), false),
            ("Uptime", Page::Unit(7), true),
            ("Uptime", Page::Group(7), false),
            ("Memory", Page::Group(7), true),
        ] {
            assert_eq!(rules.shows(widget, page), shown, "{widget} {page:?}");
        }
    }

    #[test]
    fn a_part_of_another_form_is_named() {
        assert_eq!(Visibility::read_ids("A=1;B"), Err("B".to_owned()));
        assert_eq!(Visibility::read_ids("A=x"), Err("A=x".to_owned()));
        assert_eq!(Visibility::read_ids(" ; "), Ok(BTreeMap::new()));
    }
}
