//! Submissions no machine makes: as large as a server may have to read. For tests and load.

use crate::Submission;

/// A check-in with so many facts of about a hundred bytes each.
#[must_use]
pub fn bulky_checkin(serial: &str, facts: u32, key: &str) -> Submission {
    let facts: Vec<String> = (0..facts)
        .map(|number| format!("\"fact {number:0>60}\":\"{number:0>24}\""))
        .collect();
    let body = format!(
        "{{\"Machine\":{{\"extra_data\":{{\"serial\":\"{serial}\"}}}},\"Sal\":{{\"extra_data\":{{\"key\":\"{key}\"}}}},\
         \"Munki\":{{\"facts\":{{{}}}}}}}",
        facts.join(",")
    );
    Submission {
        serial: serial.to_owned(),
        path: "/checkin/",
        content_type: "application/json",
        body: body.into_bytes(),
    }
}

/// An inventory of some kilobytes that unpacks to a plist of about so many bytes.
#[must_use]
pub fn unpacking_inventory(serial: &str, unpacked_bytes: usize) -> Submission {
    let item = "<dict><key>name</key><string>A</string></dict>";
    let plist = format!(
        "<plist version=\"1.0\"><array>{}</array></plist>",
        item.repeat(unpacked_bytes / item.len())
    );
    Submission::packed(serial, "/inventory/submit/", "base64bz2inventory", &plist)
}
