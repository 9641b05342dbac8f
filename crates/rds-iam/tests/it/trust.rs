//! Certificates: unknown authorities, rotation, other modes, and the name that is verified.

use rds_iam::{Authorities, LoginSecret, LoginWarning, TlsMode};

use crate::support::{config, connector, iam, iam_config, lab, log_in, refusal};

#[tokio::test]
async fn an_unknown_authority_is_named() {
    let lab = lab().await;
    let mut config = iam_config(&lab);
    config.tls.authorities = Authorities::Embedded;
    let connector = connector(config);
    let explanation = connector.connect().await.unwrap_err().explain();
    assert_eq!(explanation.code, "unknown_authority");
    assert!(connector.status().authority.is_none());
    let certificate = connector.status().certificate.unwrap();
    assert!(certificate.names.contains(&lab.endpoint().to_owned()));
    assert!(explanation.what.contains("CN="), "{explanation}");
    assert!(lab.log().is_empty(), "no token was sent to a stranger");
    lab.stop().await;
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused_unless_names_do_not_count() {
    let lab = lab().await;
    let mut secret = iam(&lab);
    secret.sign_host = Some("sal-sandbox.otherhash123.us-west-2.rds.amazonaws.com".to_owned());
    let mut config = config(&lab, LoginSecret::Iam(secret));
    let (code, text) = refusal(config.clone()).await;
    assert_eq!(code, "wrong_name");
    assert!(text.contains(lab.endpoint()), "{text}");
    assert!(lab.log().is_empty());

    // With the chain alone the token is sent, and refused because it is for another host.
    config.tls.mode = TlsMode::VerifyCa;
    assert_eq!(refusal(config).await.0, "token_refused");
    lab.stop().await;
}

#[tokio::test]
async fn verify_ca_still_needs_the_authority_and_require_warns() {
    let lab = lab().await;
    let mut config = iam_config(&lab);
    config.tls.mode = TlsMode::VerifyCa;
    config.tls.authorities = Authorities::Embedded;
    assert_eq!(refusal(config.clone()).await.0, "unknown_authority");
    config.tls.mode = TlsMode::Require;
    let connector = connector(config);
    connector.connect().await.unwrap();
    assert_eq!(
        connector.status().warnings,
        vec![LoginWarning::CertificateNotVerified]
    );
    lab.stop().await;
}

#[tokio::test]
async fn a_rotated_authority_is_accepted_once_the_file_holds_it() {
    let lab = lab().await;
    let mut config = iam_config(&lab);
    config.tls.authorities = Authorities::File(lab.ca_file().to_owned());
    let by_file = connector(config);
    let by_text = connector(iam_config(&lab));
    by_file.connect().await.unwrap();
    by_text.connect().await.unwrap();
    let status = by_file.status();
    let (before, authority) = (status.certificate.unwrap(), status.authority.unwrap());
    assert!(authority.subject.contains("Root CA ECC384 G1"));

    lab.rotate_ca().unwrap();
    by_file.connect().await.unwrap();
    assert_ne!(by_file.status().certificate.unwrap().sha256, before.sha256);
    let authority = by_file.status().authority.unwrap();
    assert!(authority.subject.contains("Root CA ECC384 G2"));
    let explanation = by_text.connect().await.unwrap_err().explain();
    assert_eq!(explanation.code, "unknown_authority");
    lab.stop().await;
}

#[tokio::test]
async fn a_server_without_tls_is_told_apart_from_a_bad_certificate() {
    let lab = lab().await;
    let mut config = iam_config(&lab);
    config.host_address = None;
    let plain = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    config.port = plain.local_addr().unwrap().port();
    config.host_address = Some(plain.local_addr().unwrap().ip());
    let answer = async {
        let (mut stream, _) = plain.accept().await.unwrap();
        let mut request = [0; 8];
        tokio::io::AsyncReadExt::read_exact(&mut stream, &mut request)
            .await
            .unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stream, b"N")
            .await
            .unwrap();
    };
    let (result, ()) = tokio::join!(log_in(config), answer);
    assert_eq!(result.unwrap_err().explain().code, "tls_not_offered");
    lab.stop().await;
}
