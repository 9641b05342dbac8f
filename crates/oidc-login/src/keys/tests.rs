use super::*;

// Keys and tokens of RFC 7515 (A.2, A.3) and RFC 8037 (A.4).
const RSA_KEY: &str = r#"{"kty":"RSA","kid":"rsa","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"}"#;
const RSA_TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
const P256_KEY: &str = r#"{"kty":"EC","kid":"p256","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;
const P256_TOKEN: &str = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
const ED25519_KEY: &str =
    r#"{"kty":"OKP","kid":"ed","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
const ED25519_TOKEN: &str = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

fn keys(list: &[&str]) -> Keys {
    Keys::parse(format!(r#"{{"keys":[{}]}}"#, list.join(",")).as_bytes()).unwrap()
}

fn judges(key: &str, algorithm: Algorithm, token: &str) -> bool {
    let (message, signature) = token.rsplit_once('.').unwrap();
    let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap();
    let keys = keys(&[key]);
    keys.0[0].verifies(algorithm, message.as_bytes(), &signature)
}

#[test]
fn the_standards_own_signatures_are_right() {
    assert!(judges(RSA_KEY, Algorithm::Rs256, RSA_TOKEN));
    assert!(judges(P256_KEY, Algorithm::Es256, P256_TOKEN));
    assert!(judges(ED25519_KEY, Algorithm::EdDsa, ED25519_TOKEN));
}

#[test]
fn a_changed_message_another_key_or_another_algorithm_is_wrong() {
    for (key, algorithm, token) in [
        (RSA_KEY, Algorithm::Rs256, RSA_TOKEN),
        (P256_KEY, Algorithm::Es256, P256_TOKEN),
        (ED25519_KEY, Algorithm::EdDsa, ED25519_TOKEN),
    ] {
        assert!(!judges(key, algorithm, &token.replacen("eyJ", "eyK", 1)));
        for (_, other) in NAMES.iter().filter(|(_, other)| *other != algorithm) {
            assert!(!judges(key, *other, token), "{algorithm:?} as {other:?}");
        }
    }
    let other_point = P256_KEY.replace("f83O", "f83P");
    assert!(!judges(&other_point, Algorithm::Es256, P256_TOKEN));
}

#[test]
fn neither_none_nor_an_hmac_can_be_named() {
    for name in [
        "none", "None", "HS256", "HS384", "HS512", "rs256", "ES512", "",
    ] {
        assert_eq!(Algorithm::parse(name), None, "{name}");
    }
}

#[test]
fn a_key_for_one_algorithm_is_for_no_other() {
    let only = RSA_KEY.replace(r#""kid":"rsa""#, r#""kid":"rsa","alg":"PS256""#);
    assert!(!judges(&only, Algorithm::Rs256, RSA_TOKEN));
    let right = RSA_KEY.replace(r#""kid":"rsa""#, r#""kid":"rsa","alg":"RS256""#);
    assert!(judges(&right, Algorithm::Rs256, RSA_TOKEN));
}

#[test]
fn what_cannot_sign_tokens_is_left_out() {
    let none: &[&str] = &[
        r#"{"kty":"oct","k":"c2VjcmV0","kid":"a"}"#,
        r#"{"kty":"RSA","kid":"a","n":"","e":"AQAB"}"#,
        r#"{"kty":"RSA","kid":"a","e":"AQAB"}"#,
        r#"{"kty":"EC","kid":"a","crv":"secp256k1","x":"AA","y":"AA"}"#,
        r#"{"kty":"EC","kid":"a","crv":"P-256","x":"AA","y":"AA"}"#,
        r#"{"kty":"OKP","kid":"a","crv":"X25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
        r#"{"kty":7}"#,
        "[]",
    ];
    assert!(keys(none).is_empty());
    let encrypts = RSA_KEY.replace(r#""kid":"rsa""#, r#""kid":"rsa","use":"enc""#);
    assert!(keys(&[&encrypts]).is_empty());
    assert!(Keys::parse(b"[]").is_err());
    assert!(Keys::parse(b"").is_err());
}

#[test]
fn without_an_id_only_a_single_fitting_key_is_taken() {
    let one = keys(&[RSA_KEY, P256_KEY]);
    assert!(one.find(None, Algorithm::Es256).is_some());
    assert!(one.find(None, Algorithm::EdDsa).is_none());
    assert!(one.find(Some("p256"), Algorithm::Es256).is_some());
    assert!(one.find(Some("another"), Algorithm::Es256).is_none());
    let two = keys(&[P256_KEY, &P256_KEY.replace("p256", "other")]);
    assert!(two.find(None, Algorithm::Es256).is_none());
}

#[test]
fn short_rsa_keys_are_refused() {
    // 1024 bits, and a signature by them that openssl made.
    let short = format!(r#"{{"kty":"RSA","kid":"s","e":"AQAB","n":"{SHORT_MODULUS}"}}"#);
    assert!(!judges(&short, Algorithm::Rs256, SHORT_TOKEN));
}

#[test]
fn openssls_probabilistic_signatures_are_right() {
    let key = format!(r#"{{"kty":"RSA","kid":"p","e":"AQAB","n":"{PSS_MODULUS}"}}"#);
    assert!(judges(&key, Algorithm::Ps256, PSS_TOKEN));
    assert!(!judges(&key, Algorithm::Rs256, PSS_TOKEN));
}

const SHORT_MODULUS: &str = "uvxyNFNFA_0I4Uwt1fH3XP9l55FYG5CrK4KGAEnVk8UxkxKx0LnL3ulqHJQXJbtFqdSXD0i0swxIqKQeR0JHs7eINlutitH5FpqoWfwaTLHRvuZBpje5gQIg6PrYyTIfifkhUifYcRZRPtsKLGadTNVZk-G7mxHXPvvVzHHKMO0";
const SHORT_TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UifQ.OWxhSBXy53neDRwoGd-lJeApWh1NzRvOLKAOd0crSCKtOgBwMc43_NUn6ElclIHklk9uLh-kkrabmr1n-8cH-Af8hFIp_ofwCuT0RSnprGEQP9Nw3Mq3Bilop0cJODx3jkCfTHDY5sFjs9qSOw1ZiCE41H2DYfw7myCCFc2aaPM";
const PSS_MODULUS: &str = "3GbcveI-plFNyRhkeN8sxfkVP7u1Gub37j-74xm6mwWxNBJMXo9yaJCPpFOdc4UOHLwvcmp5DDeCaUoRDXcVF1qrxGAqGxE3gbc2o6lmUZJ6loI8C58gsj-UT6vixq1SEJPHYhpIqrdXzpoZ-mUgm3BLX7_TxldPMDjHhULlbHCLSVgGvfAm-4KklR-nlGwkcvV2smiDzaZJ11Bujua_YLzENCDQizy-smKxfzG5gtdLA-kFF6VAoEC3uQwqxtMpaip2c8SNLK_3nXpLd8oSjETXeJBRQSSnc4bBGgMAqRqWxrNEgWdjRJWNHDtMvtN3uLhTPtvBv58vnON5BZ6hGQ";
const PSS_TOKEN: &str = "eyJhbGciOiJQUzI1NiJ9.eyJpc3MiOiJqb2UifQ.yrdmYmNUPUutlrRK4d9glNiJTY_DCop3FSK_N4vcOoxGYw3WMtdOZTAgC4EpTX4mct_oMV5PTEE8tsmkjHpMXdMjYQcWVXO30RaTedYtIkYnp8v3ExVS9vfoB_unhTtt7ksma_m8jLB-TIIEhCl1_dKd-eVKbVss6ktyXRegKP3PWCfVuP-4kbmpemsn4mTJJ6f47tIfweiBqOTZwaJ8LPfO12zxLqr4Q_5QOwTxJtOatC78zFdJJ4adig39QPEfa6XyUkGwGAr1MK0tg0aL_TQTe3k1XgHA8xzibNk9IrEQ5jQYqdPchyL6XVgmQQsb-qrR1ZaESAs8Asofe1u30A";
