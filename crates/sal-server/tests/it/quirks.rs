//! The numbered differences from the original, as far as the recordings show them.

use sal_testkit::golden::Quirk;

/// Every difference that a replay may show. Numbers are explained in `docs/compat/quirks.md`.
pub(crate) const QUIRKS: &[Quirk] = &[];
