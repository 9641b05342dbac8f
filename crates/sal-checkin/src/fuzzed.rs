//! Doors for the fuzz targets into what reads packed fields. Nothing else uses them.

use jiff::tz::TimeZone;

use crate::payload::{Payload, plist};
use crate::{catalog, inventory, profiles};

/// Unpacks a form's field as the routes do.
///
/// # Errors
/// Why it cannot be.
pub fn unpack(text: &str, is_bz2: bool, limit_bytes: usize) -> Result<Vec<u8>, String> {
    Payload::new(text, is_bz2)
        .unpack(limit_bytes)
        .map_err(|why| why.to_string())
}

/// The applications of an inventory: name, bundle id, bundle name, version.
///
/// # Errors
/// Why it cannot be read.
pub fn inventory(bytes: &[u8], limit_bytes: usize) -> Result<Vec<[String; 4]>, String> {
    inventory::read(bytes, limit_bytes).map_err(|why| why.to_string())
}

/// Identifier and UUID of each profile.
///
/// # Errors
/// Why they cannot be read.
pub fn profiles(bytes: &[u8], limit_bytes: usize) -> Result<Vec<[String; 2]>, String> {
    profiles::read_plist(bytes, limit_bytes, &TimeZone::UTC).map_err(|why| why.to_string())
}

/// A catalog as XML.
///
/// # Errors
/// Why it cannot be read.
pub fn catalog(bytes: &[u8], limit_bytes: usize) -> Result<String, String> {
    catalog::read_names(bytes, limit_bytes).map_err(|why| why.to_string())?;
    plist::as_xml(bytes, limit_bytes).map_err(|why| why.to_string())
}
