//! The list of machines: filtered, sorted, read page by page, counted, told apart by facets, changed in bulk.
//!
//! A page is found by the values of its neighbour (`page`), never by how many lines lie before it: line 90,000 costs
//! what line 1 costs, and a machine that checks in while somebody reads does not shift the pages.

pub mod bulk;
mod count;
mod count_by;
pub mod data_table;
mod facets;
mod file_rows;
mod names;
mod page;
mod row;
mod sort;
mod value_sort;
mod values;

pub use count::{Count, count_devices, count_up_to, has_devices};
pub use count_by::{CountedBy, ValueCount, count_by};
pub use facets::{FacetCount, Facets, Grouped, facets};
pub use file_rows::{FileRows, devices_by_ids};
pub use names::{KnownName, known_names};
pub use page::{DevicePage, PageQuery, Start, device_ids, read_page};
pub use row::DeviceRow;
pub use sort::{Direction, Sort, SortBy, SortKey};
pub use values::{MachineValues, machine_values};
