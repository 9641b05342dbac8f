//! An answer arrives even when it was decided before the request was read.

use reqwest::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::server::Server;
use crate::stage::Stage;

#[tokio::test]
async fn a_refusal_reaches_a_client_that_is_still_sending() {
    let stage = Stage::set().await;
    let mut server = Server::start(&stage.settings()).await;
    let chunk = [b'x'; 8 * 1024];
    let head = format!(
        "POST /checkin/ HTTP/1.1\r\nHost: sal\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        20 * chunk.len()
    );
    let address = server.url.trim_start_matches("http://");
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(head.as_bytes()).await.unwrap();
    for _ in 0..20 {
        client.write_all(&chunk).await.unwrap();
        // The server has had time to answer, and to hang up.
        assert_eq!(server.get("/livez").await.status(), StatusCode::OK);
    }
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    assert!(server.stop().await.success());
}
