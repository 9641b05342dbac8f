//! The numbered differences from the original, as far as the recordings show them.

use sal_testkit::golden::Quirk;

/// Every difference that a replay may show. Numbers are explained in `docs/compat/quirks.md`.
pub(crate) const QUIRKS: &[Quirk] = &[
    Quirk {
        number: "Q-020",
        scenario: "inventory",
        steps: &["007"],
        tables: &[],
        reasons: &["body/text"],
        what: "a serial number is cleaned on every route, and found as it came where it was made by hand",
    },
    Quirk {
        number: "Q-021",
        scenario: "inventory",
        steps: &["019", "021", "025"],
        tables: &[],
        reasons: &[],
        what: "a form without serial number or a plist of another shape is 400 and removes nothing",
    },
    Quirk {
        number: "Q-021",
        scenario: "profiles",
        steps: &["014", "017"],
        tables: &[],
        reasons: &[],
        what: "a form without serial number or a plist of another shape is 400 and removes nothing",
    },
    Quirk {
        number: "Q-022",
        scenario: "inventory",
        steps: &["022", "023"],
        tables: &["inventory"],
        reasons: &["sha256hash"],
        what: "a version that is too long is cut, an application with a name that is too long is left out, the rest is stored",
    },
    Quirk {
        number: "Q-023",
        scenario: "profiles",
        steps: &["003", "019"],
        tables: &["payload"],
        reasons: &["tables/payload"],
        what: "the payloads of all profiles are stored, not only those of the first",
    },
    Quirk {
        number: "Q-024",
        scenario: "profiles",
        steps: &["009", "010", "011"],
        tables: &[],
        reasons: &[],
        what: "a profile without a readable date keeps its own or gets the time of the submission; plist dates are read",
    },
    Quirk {
        number: "Q-025",
        scenario: "profiles",
        steps: &["012"],
        tables: &[],
        reasons: &["body/text", "tables/payload", "tables/profile"],
        what: "the announced field base64profiles is read",
    },
    Quirk {
        number: "Q-027",
        scenario: "catalogs",
        steps: &["011", "012", "013", "015", "018"],
        tables: &["catalog"],
        reasons: &["tables/catalog"],
        what: "a catalog without name, or a question without key, is 400; a hash that is missing or too long is computed; an entry without name is left out",
    },
    Quirk {
        number: "Q-900",
        scenario: "inventory",
        steps: &["030"],
        tables: &[],
        reasons: &["status 404", "content-type", "allow", "body"],
        what: "the REST API is not built yet",
    },
    Quirk {
        number: "Q-900",
        scenario: "profiles",
        steps: &["020"],
        tables: &[],
        reasons: &["status 404", "content-type", "allow", "body"],
        what: "the REST API is not built yet",
    },
];
