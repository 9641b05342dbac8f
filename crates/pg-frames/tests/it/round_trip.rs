//! Whatever we write we read back; whatever we are given does not bring us down.

use pg_frames::{
    CancelKey, ErrorResponse, FirstPacket, Header, Password, ProtocolVersion, Startup,
};
use proptest::collection::vec;
use proptest::prelude::{Strategy, any, prop_oneof};
use proptest::{prop_assert, prop_assert_eq, proptest};

fn text(least: usize) -> impl Strategy<Value = Vec<u8>> {
    vec(1_u8..=255, least..40)
}

fn first_packet() -> impl Strategy<Value = FirstPacket> {
    let startup = (0_u16..4, vec((text(1), text(0)), 0..8)).prop_map(|(minor, parameters)| {
        FirstPacket::Startup(Startup {
            protocol: ProtocolVersion { major: 3, minor },
            parameters,
        })
    });
    let cancel = (any::<u32>(), vec(any::<u8>(), 4..=256))
        .prop_map(|(process_id, secret)| FirstPacket::Cancel(CancelKey { process_id, secret }));
    prop_oneof![
        proptest::strategy::Just(FirstPacket::SslRequest),
        proptest::strategy::Just(FirstPacket::GssEncryptionRequest),
        cancel,
        startup,
    ]
}

proptest! {
    #[test]
    fn a_first_packet_comes_back_as_it_went(packet in first_packet()) {
        let bytes = packet.to_bytes().unwrap();
        let (word, body) = bytes.split_first_chunk::<4>().unwrap();
        prop_assert_eq!(FirstPacket::body_length(*word).unwrap(), body.len());
        prop_assert_eq!(FirstPacket::parse(body).unwrap(), packet);
    }

    #[test]
    fn a_password_comes_back_as_it_went(bytes in vec(1_u8..=255, 0..70_000)) {
        let fits = bytes.len() <= 65_530;
        let password = Password::new(bytes);
        match password.to_bytes() {
            Ok(message) => {
                let (header, body) = message.split_first_chunk::<{ Header::SIZE }>().unwrap();
                prop_assert_eq!(Password::body_length(*header).unwrap(), body.len());
                prop_assert_eq!(Password::parse(body.to_vec()).unwrap(), password);
            }
            Err(_) => prop_assert!(!fits),
        }
    }

    #[test]
    fn an_error_comes_back_as_it_went(
        fields in vec((1_u8..=255, "[^\0]{0,30}"), 0..8)
    ) {
        let error = ErrorResponse { fields };
        let message = error.to_bytes().unwrap();
        let (header, body) = message.split_first_chunk::<{ Header::SIZE }>().unwrap();
        prop_assert_eq!(ErrorResponse::body_length(*header).unwrap(), body.len());
        prop_assert_eq!(ErrorResponse::parse(body).unwrap(), error);
    }

    #[test]
    fn any_bytes_are_answered_without_a_panic(bytes in vec(any::<u8>(), 0..300)) {
        if let Ok(packet) = FirstPacket::parse(&bytes) {
            // What was accepted says exactly what the bytes said.
            prop_assert_eq!(&packet.to_bytes().unwrap()[4..], bytes.as_slice());
        }
        let _ = ErrorResponse::parse(&bytes);
        let _ = Password::parse(bytes);
    }
}
