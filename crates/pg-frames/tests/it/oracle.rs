//! What `postgres-protocol` writes we read, and what we write it reads.

use fallible_iterator::FallibleIterator as _;
use pg_frames::{CancelKey, ErrorResponse, FirstPacket, Password, ProtocolVersion, Startup};
use postgres_protocol::message::{backend, frontend};

fn first(packet: &[u8]) -> FirstPacket {
    let (word, body) = packet.split_first_chunk::<4>().unwrap();
    assert_eq!(FirstPacket::body_length(*word).unwrap(), body.len());
    FirstPacket::parse(body).unwrap()
}

#[test]
fn requests_for_tls_and_cancel_are_read() {
    let mut buffer = Default::default();
    frontend::ssl_request(&mut buffer);
    assert_eq!(first(&buffer), FirstPacket::SslRequest);
    let mut buffer = Default::default();
    frontend::cancel_request(4711, -2, &mut buffer);
    let expected = CancelKey {
        process_id: 4711,
        secret: vec![0xff, 0xff, 0xff, 0xfe],
    };
    assert_eq!(first(&buffer), FirstPacket::Cancel(expected));
}

#[test]
fn a_startup_message_is_read_with_its_parameters() {
    let mut buffer = Default::default();
    let parameters = [
        ("user", "Ünï"),
        ("options", "-c work_mem=1MB"),
        ("user", "last"),
    ];
    frontend::startup_message(parameters, &mut buffer).unwrap();
    let FirstPacket::Startup(startup) = first(&buffer) else {
        panic!("not a start-up message");
    };
    assert_eq!(startup.protocol, ProtocolVersion { major: 3, minor: 0 });
    assert_eq!(startup.user(), Some(b"last".as_slice()));
    assert_eq!(startup.database(), Some(b"last".as_slice()));
    assert_eq!(
        startup.parameter(b"options"),
        Some(b"-c work_mem=1MB".as_slice())
    );
    assert_eq!(startup.to_bytes().unwrap(), buffer.to_vec());
}

#[test]
fn a_password_message_is_read() {
    let mut buffer = Default::default();
    frontend::password_message(b"a token", &mut buffer).unwrap();
    let (header, body) = buffer.split_first_chunk::<5>().unwrap();
    assert_eq!(Password::body_length(*header).unwrap(), body.len());
    let password = Password::parse(body.to_vec()).unwrap();
    assert_eq!(password.as_bytes(), b"a token");
    assert_eq!(password.to_bytes().unwrap(), buffer.to_vec());
}

#[test]
fn our_password_question_is_understood() {
    let mut buffer = pg_frames::CLEARTEXT_PASSWORD_REQUEST.as_slice().into();
    let message = backend::Message::parse(&mut buffer).unwrap();
    assert!(matches!(
        message,
        Some(backend::Message::AuthenticationCleartextPassword)
    ));
}

#[test]
fn our_error_is_understood_field_by_field() {
    let error = ErrorResponse::fatal("28000", "refused").with(b'R', "auth_failed");
    let mut buffer = error.to_bytes().unwrap().as_slice().into();
    let Some(backend::Message::ErrorResponse(body)) = backend::Message::parse(&mut buffer).unwrap()
    else {
        panic!("not an error");
    };
    let seen: Vec<_> = body
        .fields()
        .map(|field| {
            Ok((
                field.type_(),
                String::from_utf8_lossy(field.value_bytes()).into_owned(),
            ))
        })
        .collect()
        .unwrap();
    let expected = [
        (b'S', "FATAL"),
        (b'V', "FATAL"),
        (b'C', "28000"),
        (b'M', "refused"),
        (b'R', "auth_failed"),
    ];
    assert_eq!(
        seen,
        expected.map(|(letter, text)| (letter, text.to_owned()))
    );
}

#[test]
fn startup_of_an_unknown_protocol_is_named() {
    let version_2 = [0, 2, 0, 0, b'x'];
    let error = FirstPacket::parse(&version_2).unwrap_err();
    assert_eq!(error.to_string(), "unknown protocol 2.0");
}

#[test]
fn the_lengths_postgres_accepts_are_8_to_10004() {
    for (length, fits) in [(7_u32, false), (8, true), (10_004, true), (10_005, false)] {
        assert_eq!(
            FirstPacket::body_length(length.to_be_bytes()).is_ok(),
            fits,
            "{length}"
        );
    }
}

#[test]
fn a_startup_with_bytes_after_its_end_is_refused() {
    let startup = Startup {
        protocol: ProtocolVersion { major: 3, minor: 2 },
        parameters: vec![(b"user".to_vec(), b"sal".to_vec())],
    };
    let mut packet = startup.to_bytes().unwrap();
    packet.push(b'x');
    assert!(FirstPacket::parse(&packet[4..]).is_err());
    assert!(FirstPacket::parse(&packet[4..packet.len() - 2]).is_err());
}
