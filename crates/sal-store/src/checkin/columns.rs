//! The text columns of `server_machine` that a check-in writes, each in one line: its place in the array that the
//! statements take, and its name, which is also the field of [`MachineColumns`].

use super::changes::MachineColumns;

/// Hands the lines to another macro, behind what is given. Those of `munki` stay as they are when a check-in that
/// repeats the last one says nothing of Munki.
macro_rules! text_columns {
    ($then:ident $($given:tt)*) => {
        $then! { $($given)*
            1 hostname always, 2 operating_system always, 3 memory always, 4 hd_percent always, 5 console_user always,
            6 machine_model always, 7 machine_model_friendly always, 8 cpu_type always, 9 cpu_speed always,
            10 os_family always, 11 munki_version munki, 12 manifest munki, 13 sal_version always,
        }
    };
}

/// What stands after `SET` for an array: `column = array[n], …`, with a comma at the end.
macro_rules! assignments {
    (from $array:literal, $($place:literal $column:ident $when:ident,)*) => {
        concat!($(stringify!($column), " = ", $array, "[", $place, "], ",)*)
    };
}

/// The same where columns of Munki are written only if `has` holds, else kept from `row`.
macro_rules! assignments_if_munki {
    (from $array:literal, has $has:literal, row $row:literal, $($place:literal $column:ident $when:ident,)*) => {
        concat!($(assignment_if_munki!($when $array $has $row $place $column),)*)
    };
}

macro_rules! assignment_if_munki {
    (always $array:literal $has:literal $row:literal $place:literal $column:ident) => {
        concat!(stringify!($column), " = ", $array, "[", $place, "], ")
    };
    (munki $array:literal $has:literal $row:literal $place:literal $column:ident) => {
        concat!(
            stringify!($column),
            " = CASE WHEN ",
            $has,
            " THEN ",
            $array,
            "[",
            $place,
            "] ELSE ",
            $row,
            ".",
            stringify!($column),
            " END, "
        )
    };
}

/// The names with commas between them and in front.
macro_rules! names {
    ($($place:literal $column:ident $when:ident,)*) => { concat!($(", ", stringify!($column),)*) };
}

macro_rules! array {
    ($($place:literal $column:ident $when:ident,)*) => {
        /// How many there are.
        pub(crate) const TEXTS: usize = [$($place,)*].len();

        impl MachineColumns {
            /// The values in the order of their places.
            pub(crate) fn texts(&self) -> Vec<Option<String>> {
                // Whole, so that a new field must be dealt with here.
                let Self { $($column,)* memory_kb: _, hd_space: _, hd_total: _, deployed: _ } = self;
                vec![$($column.to_text(),)*]
            }
        }

        #[test]
        fn places_are_counted_from_one() {
            let places: Vec<usize> = [$($place,)*].to_vec();
            assert_eq!(places, (1..=TEXTS).collect::<Vec<_>>());
        }
    };
}

/// A column of the machine's row, which may be missing or not.
trait Text {
    fn to_text(&self) -> Option<String>;
}

impl Text for Option<String> {
    fn to_text(&self) -> Option<String> {
        self.clone()
    }
}

impl Text for String {
    fn to_text(&self) -> Option<String> {
        Some(self.clone())
    }
}

text_columns!(array);

pub(crate) use {names, text_columns};
