//! The socket: silence, half requests, another protocol.

use sal_testkit::{Database, Filled, Shape, TestServer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn narrow(max_connections: usize) -> TestServer {
    let mut shape = Shape::default();
    shape.options.max_connections = max_connections;
    TestServer::shaped(Database::new(Filled::Fresh).await, shape)
}

async fn connect(server: &TestServer) -> TcpStream {
    let address = server.url("").replace("http://", "");
    TcpStream::connect(address).await.unwrap()
}

#[tokio::test]
async fn two_hundred_and_fifty_silent_connections_make_room_for_a_request() {
    let server = narrow(20).await;
    let mut silent = Vec::new();
    for number in 0..250 {
        let mut stream = connect(&server).await;
        // Some say a little.
        if number % 2 == 0 {
            stream.write_all(b"GET /livez HT").await.unwrap();
        }
        silent.push(stream);
    }
    for _ in 0..5 {
        let answer = reqwest::get(server.url("/livez")).await.unwrap();
        assert_eq!(answer.status(), 200);
    }
    // The oldest went first.
    let mut end = [0; 1];
    assert_eq!(silent[0].read(&mut end).await.unwrap_or(0), 0);
}

#[tokio::test]
async fn an_idle_connection_that_was_kept_open_makes_room_too() {
    let server = narrow(3).await;
    let mut kept = Vec::new();
    for _ in 0..3 {
        let mut stream = connect(&server).await;
        stream
            .write_all(b"GET /livez HTTP/1.1\r\nHost: sal\r\n\r\n")
            .await
            .unwrap();
        let mut answer = [0; 15];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200 OK");
        kept.push(stream);
    }
    let answer = reqwest::get(server.url("/livez")).await.unwrap();
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn http_2_in_the_clear_is_not_spoken() {
    let server = narrow(100).await;
    let mut stream = connect(&server).await;
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    stream.write_all(preface).await.unwrap();
    let mut answer = Vec::new();
    // It may be reset before it is read to its end.
    let _ = stream.read_to_end(&mut answer).await;
    let text = String::from_utf8_lossy(&answer);
    assert!(
        text.is_empty() || text.starts_with("HTTP/1.1 400"),
        "{text:?}"
    );
}
