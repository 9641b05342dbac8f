//! What is read, what is refused, and what hostile plists cannot do.

use proptest::prelude::*;

use super::*;
use crate::python;

const LIMIT: usize = 1024 * 1024;

fn xml(content: &str) -> Vec<u8> {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \
         \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n<plist version=\"1.0\">\n{content}\n</plist>\n"
    )
    .into_bytes()
}

fn read_text(content: &str) -> Result<String, Unreadable> {
    read(&xml(content), LIMIT).map(|value| python::text(&value))
}

/// A binary plist whose objects are given as bytes; the last one is the root.
fn binary(objects: &[Vec<u8>]) -> Vec<u8> {
    let mut file = b"bplist00".to_vec();
    let mut offsets = Vec::new();
    for object in objects {
        offsets.extend(u32::try_from(file.len()).unwrap().to_be_bytes());
        file.extend(object);
    }
    let table = u64::try_from(file.len()).unwrap();
    let count = u64::try_from(objects.len()).unwrap();
    file.extend(offsets);
    file.extend([0, 0, 0, 0, 0, 0, 4, 1]);
    file.extend(count.to_be_bytes());
    file.extend((count - 1).to_be_bytes());
    file.extend(table.to_be_bytes());
    file
}

#[test]
fn xml_values_become_what_python_would_print() {
    let cases = [
        ("<array/>", "[]"),
        ("<dict/>", "{}"),
        ("<string>a &amp; b &#252; &lt;ü&gt;</string>", "a & b ü <ü>"),
        ("<string></string>", ""),
        (
            "<string><![CDATA[a <b> & c]]> d<![CDATA[]]></string>",
            "a <b> & c d",
        ),
        ("<string>a<!-- comment -->b</string>", "ab"),
        ("<integer>-5</integer>", "-5"),
        ("<real>1.0</real>", "1.0"),
        (
            "<date>2025-03-01T08:00:00Z</date>",
            "2025-03-01 08:00:00 +0000",
        ),
        ("<data>\n\taGVs\n\tbG8=\n</data>", "aGVsbG8="),
        (
            "<dict><key>k</key><array><true/><false/></array><key>k</key><string>v</string></dict>",
            "{'k': 'v'}",
        ),
    ];
    for (content, text) in cases {
        assert_eq!(read_text(content).as_deref(), Ok(text), "{content}");
    }
}

#[test]
fn what_is_no_whole_plist_is_broken() {
    let broken = [
        &b""[..],
        b"hello",
        b"{ a = 1; }",
        b"bplist00",
        b"bplist00aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        b"<?xml version=\"1.0\"?>",
        b"<plist></plist>",
        b"<plist><array><string>a</string>",
        b"<plist><dict><key>a</key></dict></plist>",
        b"<plist><dict><integer>1</integer><integer>1</integer></dict></plist>",
        b"<plist><dict><date>2025-03-01T08:00:00Z</date><true/></dict></plist>",
        b"<plist><html/></plist>",
        b"<plist><string>\xff</string></plist>",
        b"<!DOCTYPE x [<!ENTITY a \"b\">]><plist><string>&a;</string></plist>",
        b"<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY a \"b\">]><plist><string>&a;</string></plist>",
    ];
    for bytes in broken {
        assert!(
            matches!(read(bytes, LIMIT), Err(Unreadable::Broken(_))),
            "{:?}",
            String::from_utf8_lossy(bytes)
        );
    }
    let marked = [b"\xef\xbb\xbf".as_slice(), b"<plist><true/></plist>"].concat();
    assert_eq!(read(&marked, LIMIT), Ok(Value::Bool(true)));
}

#[test]
fn binary_plists_are_read() {
    let file = binary(&[
        b"\x51a".to_vec(),
        b"\x62\x00\xfc\x00!".to_vec(),
        b"\x10\x07".to_vec(),
        b"\xd2\x00\x01\x01\x02".to_vec(),
        b"\xa2\x03\x00".to_vec(),
    ]);
    assert_eq!(
        read(&file, LIMIT)
            .map(|value| python::text(&value))
            .as_deref(),
        Ok("[{'a': 'ü!', 'ü!': 7}, 'a']")
    );
    let text = as_xml(&file, LIMIT).unwrap();
    assert!(
        text.contains("\t<dict>\n\t\t<key>a</key>\n\t\t<string>ü!</string>"),
        "{text}"
    );
    assert_eq!(
        read(text.as_bytes(), LIMIT),
        read(&file, LIMIT),
        "what is written is what was read"
    );
}

#[test]
fn xml_stays_as_it_came() {
    let sent = xml("<array>\n  <!-- kept -->\n</array>");
    assert_eq!(as_xml(&sent, LIMIT).unwrap().as_bytes(), sent);
    assert!(as_xml(b"hello", LIMIT).is_err());
}

#[test]
fn q028_depth_is_bounded_in_both_forms() {
    let nested = |levels: usize| {
        xml(&format!(
            "{}{}",
            "<array>".repeat(levels),
            "</array>".repeat(levels)
        ))
    };
    assert!(read(&nested(DEPTH), LIMIT).is_ok());
    assert_eq!(read(&nested(DEPTH + 1), LIMIT), Err(Unreadable::TooDeep));
    assert_eq!(read(&nested(100_000), 64 * LIMIT), Err(Unreadable::TooDeep));
    let mut objects = vec![b"\xa0".to_vec()];
    objects.extend((0..200_u8).map(|below| vec![0xa1, below]));
    assert_eq!(read(&binary(&objects), LIMIT), Err(Unreadable::TooDeep));
    // A list that holds itself.
    assert!(read(&binary(&[b"\xa1\x00".to_vec()]), LIMIT).is_err());
}

#[test]
fn q028_a_small_binary_plist_cannot_unfold_to_billions_of_values() {
    let mut objects = vec![b"\x51x".to_vec()];
    objects.extend((0..40_u8).map(|below| vec![0xa2, below, below]));
    let file = binary(&objects);
    assert!(file.len() < 500);
    assert_eq!(
        read(&file, LIMIT),
        Err(Unreadable::TooLarge { limit_bytes: LIMIT })
    );
    assert_eq!(
        as_xml(&file, LIMIT),
        Err(Unreadable::TooLarge { limit_bytes: LIMIT })
    );
}

#[test]
fn q028_lists_in_each_other_cannot_share_millions_of_references() {
    // Every list claims all bytes behind it as references, the first of which is the next list.
    let mut objects: Vec<Vec<u8>> = Vec::new();
    for level in 0..50_u8 {
        objects.push(vec![0xaf, 0x12, 0x00, 0x03, 0x00, 0x00, level + 1]);
    }
    objects.push(vec![0x09; 250_000]);
    objects.push(vec![0xa1, 0x00]);
    let file = binary(&objects);
    assert_eq!(
        read(&file, LIMIT),
        Err(Unreadable::TooLarge { limit_bytes: LIMIT })
    );
    assert_eq!(
        read(&file, LIMIT / 2),
        Err(Unreadable::TooLarge {
            limit_bytes: LIMIT / 8
        })
    );
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(
        position in 0_usize..200,
        bytes in prop::collection::vec(any::<u8>(), 0..40),
        form in 0..3,
    ) {
        let mut file = match form {
            0 => xml("<array><dict><key>a</key><string>b &amp; c</string><key>d</key><data>aGVsbG8=</data></dict></array>"),
            1 => binary(&[
                b"\x51a".to_vec(),
                b"\x62\x00\xfc\x00!".to_vec(),
                b"\x33\x41\xc0\x00\x00\x00\x00\x00\x00".to_vec(),
                b"\xd2\x00\x01\x01\x02".to_vec(),
                b"\xa2\x03\x00".to_vec(),
            ]),
            _ => b"bplist00".to_vec(),
        };
        let position = position.min(file.len());
        let end = (position + bytes.len()).min(file.len());
        file.splice(position..end, bytes);
        let value = read(&file, LIMIT);
        let text = as_xml(&file, LIMIT);
        prop_assert!(value.is_err() || text.is_ok(), "what is a value is also a text: {value:?}");
    }
}

/// What Python's plistlib and expat read: encodings that are declared or marked.
#[test]
fn encodings_are_those_that_python_reads() {
    let plist = |encoding: &str| {
        format!(
            "<?xml version=\"1.0\" encoding='{encoding}'?>\n<plist version=\"1.0\"><string>Zürich €</string></plist>"
        )
    };
    let marked = |mark: [u8; 2], unit: fn(u16) -> [u8; 2]| {
        let mut bytes = mark.to_vec();
        bytes.extend(plist("UTF-16").encode_utf16().flat_map(unit));
        bytes
    };
    let single = |label: &str, euro: u8, umlaut: u8| {
        let text = plist(label);
        let mut bytes = Vec::new();
        for character in text.chars() {
            bytes.push(match character {
                '€' => euro,
                'ü' => umlaut,
                other => u8::try_from(other).unwrap(),
            });
        }
        bytes
    };
    let text = |bytes: &[u8]| read(bytes, LIMIT).map(|value| python::text(&value));
    assert_eq!(
        text(&marked([0xfe, 0xff], u16::to_be_bytes)).unwrap(),
        "Zürich €"
    );
    assert_eq!(
        text(&marked([0xff, 0xfe], u16::to_le_bytes)).unwrap(),
        "Zürich €"
    );
    assert_eq!(text(&single("ISO-8859-1", 0xa4, 0xfc)).unwrap(), "Zürich ¤");
    assert_eq!(
        text(&single("iso-8859-15", 0xa4, 0xfc)).unwrap(),
        "Zürich €"
    );
    assert_eq!(
        text(&single("windows-1252", 0x80, 0xfc)).unwrap(),
        "Zürich €"
    );
    assert_eq!(text(&single("macintosh", 0xdb, 0x9f)).unwrap(), "Zürich €");
    let with_mark = [b"\xef\xbb\xbf", plist("UTF-8").as_bytes()].concat();
    assert_eq!(text(&with_mark).unwrap(), "Zürich €");
    // Python does not: no mark, half a unit, an encoding of several bytes, a broken one, one that is none.
    let unmarked: Vec<u8> = plist("UTF-16")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let mut half = marked([0xff, 0xfe], u16::to_le_bytes);
    half.pop();
    for broken in [
        unmarked,
        half,
        plist("shift_jis").into_bytes(),
        single("UTF-8", 0x80, 0xfc),
        plist("x").into_bytes(),
    ] {
        assert!(text(&broken).is_err());
    }
}

#[test]
fn a_catalog_in_another_encoding_becomes_one_in_utf8() {
    let source = "<?xml version=\"1.0\" encoding=\"UTF-16\" standalone=\"no\"?><plist><array><string>ü</string></array></plist>";
    let mut bytes = vec![0xff, 0xfe];
    bytes.extend(source.encode_utf16().flat_map(u16::to_le_bytes));
    assert_eq!(
        as_xml(&bytes, LIMIT).unwrap(),
        source.replace("UTF-16", "UTF-8")
    );
    let plain = xml("<array/>");
    assert_eq!(as_xml(&plain, LIMIT).unwrap().into_bytes(), plain);
}

#[test]
fn integers_have_as_many_digits_as_python_gives_them() {
    for (content, expected) in [
        (
            "<integer>18446744073709551616</integer>",
            "18446744073709551616",
        ),
        (
            "<integer> -99999999999999999999 </integer>",
            "-99999999999999999999",
        ),
        (
            "<array><integer>0x1FFFFFFFFFFFFFFFF</integer><integer>7</integer></array>",
            "[36893488147419103231, 7]",
        ),
        (
            "<dict><key>a</key><integer>123456789012345678901234567890</integer></dict>",
            "{'a': 123456789012345678901234567890}",
        ),
        ("<integer>\n 5\n</integer>", "5"),
        ("<integer>1_000</integer>", "1000"),
        ("<integer>0XFF</integer>", "255"),
        (
            "<array><real> 1.5 </real><real>1_0.5</real><real>2.0</real></array>",
            "[1.5, 10.5, 2.0]",
        ),
        ("<data>aGV!!sbG8=</data>", "aGVsbG8="),
        (
            "<string>&lt;integer>18446744073709551616&lt;/integer></string>",
            "<integer>18446744073709551616</integer>",
        ),
    ] {
        assert_eq!(read_text(content).unwrap(), expected, "{content}");
    }
}

#[test]
fn nul_is_nowhere_in_a_plist_not_even_where_other_characters_are_left_out() {
    for element in ["data", "integer", "real"] {
        let plist = format!("<plist><array><{element}>MQ\0==</{element}></array></plist>");
        assert!(as_xml(plist.as_bytes(), LIMIT).is_err(), "{element}");
        assert!(read(plist.as_bytes(), LIMIT).is_err(), "{element}");
    }
}
