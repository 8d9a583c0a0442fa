//! Tests of one request and its answer, against a scripted vendor.

use std::time::Duration;

use http_body_util::BodyExt;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::time::timeout;

use super::*;

const CHUNKED: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
const CHUNKS: &str = "5\r\nhello\r\n3;x=1\r\n, y\r\n2\r\nou\r\n0\r\n\r\n";

/// A vendor that reads one request and answers it with these writes, then closes.
async fn vendor(writes: Vec<Vec<u8>>) -> Connections {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        let mut request = vec![0; 4096];
        let read = stream.read(&mut request).await.unwrap();
        assert!(request[..read].ends_with(b"\r\n\r\n{}"), "{}", String::from_utf8_lossy(&request[..read]));
        for bytes in writes {
            stream.write_all(&bytes).await.unwrap();
            tokio::task::yield_now().await;
        }
    });
    Connections::new(addr.to_string(), Duration::from_secs(5))
}

fn request() -> Request<Bytes> {
    let request = Request::post("http://vendor/v1/chat/completions").header("content-length", 2);
    request.body(Bytes::from_static(b"{}")).unwrap()
}

/// The body that comes with these writes.
async fn read(writes: Vec<Vec<u8>>) -> Result<Vec<u8>, Failure> {
    let response = exchange(&vendor(writes).await, request()).await?;
    Ok(response.into_body().collect().await?.to_bytes().into())
}

fn broken(read: Result<Vec<u8>, Failure>) -> String {
    match read {
        Err(Failure::Upstream(UpstreamFailure::Broken(text))) => text,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_body_is_the_same_wherever_its_bytes_are_parted() {
    let answer = [CHUNKED, CHUNKS].concat().into_bytes();
    for at in 1..answer.len() {
        let (first, second) = answer.split_at(at);
        let read = read(vec![first.to_vec(), second.to_vec()]).await.unwrap();
        assert_eq!(read, b"hello, you", "parted at {at}");
    }
    let byte_by_byte = answer.iter().map(|byte| vec![*byte]).collect();
    assert_eq!(read(byte_by_byte).await.unwrap(), b"hello, you");
}

#[tokio::test]
async fn a_body_larger_than_a_read_is_whole() {
    let text = "token ".repeat(20_000);
    let chunk = format!("{:x}\r\n{text}\r\n0\r\n\r\n", text.len());
    let read = read(vec![CHUNKED.into(), chunk.into_bytes()]).await.unwrap();
    assert_eq!(read, text.as_bytes());
}

#[tokio::test]
async fn an_end_that_the_length_or_the_closing_tells_is_one() {
    let with_length = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello, and no more".to_vec();
    assert_eq!(read(vec![with_length]).await.unwrap(), b"hello");
    let until_closed = vec![b"HTTP/1.1 200 OK\r\n\r\nhel".to_vec(), b"lo".to_vec()];
    assert_eq!(read(until_closed).await.unwrap(), b"hello");
}

#[tokio::test]
async fn informational_answers_before_the_real_one_are_passed_over() {
    let answer =
        ["HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n", CHUNKED, CHUNKS].concat();
    assert_eq!(read(vec![answer.into()]).await.unwrap(), b"hello, you");
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_an_error_and_not_an_end() {
    for answer in ["HTTP/1.1 200", CHUNKED, &CHUNKED[..30], "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello"] {
        assert!(broken(read(vec![answer.into()]).await).contains("closed"), "{answer}");
    }
    let within_a_chunk = [CHUNKED, &CHUNKS[..6]].concat();
    assert!(broken(read(vec![within_a_chunk.into()]).await).contains("closed"));
}

#[tokio::test]
async fn a_vendor_that_never_ends_a_line_is_not_listened_to_for_ever() {
    let head = format!("HTTP/1.1 200 OK\r\nx: {}", "x".repeat(HEAD_BYTES_MAX));
    assert!(broken(read(vec![head.into()]).await).contains("head"));
    let line = [CHUNKED, &"1".repeat(64 * 1024)].concat();
    assert!(matches!(read(vec![line.into()]).await, Err(Failure::Upstream(UpstreamFailure::Broken(_)))));
    assert!(!broken(read(vec![b"220 mail ready\r\n\r\n".to_vec()]).await).is_empty());
}

/// How many connections two requests open, when the vendor answers each with `answer`.
async fn connections_opened(answer: &'static str) -> usize {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let connections = Connections::new(listener.local_addr().unwrap().to_string(), Duration::from_secs(5));
    let serving = tokio::spawn(async move {
        let mut opened = Vec::new();
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            opened.push(tokio::spawn(async move {
                let mut request = vec![0; 4096];
                while stream.read(&mut request).await.is_ok_and(|read| read > 0) {
                    stream.write_all(answer.as_bytes()).await.unwrap();
                }
            }));
            if opened.len() == 2 {
                return;
            }
        }
    });
    for _ in 0..2 {
        exchange(&connections, request()).await.unwrap().into_body().collect().await.unwrap();
    }
    1 + usize::from(serving.is_finished())
}

#[tokio::test]
async fn a_connection_is_used_again_after_a_whole_answer_and_only_where_the_vendor_lets_it() {
    const WHOLE: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n";
    assert_eq!(connections_opened(WHOLE).await, 1);
    assert_eq!(connections_opened("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi").await, 1);
    assert_eq!(connections_opened("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nhi").await, 2);
    assert_eq!(connections_opened("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi, and more").await, 2);
}

#[tokio::test]
async fn the_refusal_of_a_request_that_was_not_read_is_heard() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let connections = Connections::new(listener.local_addr().unwrap().to_string(), Duration::from_secs(5));
    // More than the sockets' buffers take: the write of it never ends.
    let body = Bytes::from(vec![b'x'; 64 * 1024 * 1024]);
    let request = Request::post("http://vendor/").header("content-length", body.len()).body(body).unwrap();
    let refusing = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        stream
    };
    let both = async { tokio::join!(exchange(&connections, request), refusing) };
    let (response, _stream) = timeout(Duration::from_secs(10), both).await.expect("the refusal was not heard");
    assert_eq!(response.unwrap().status(), 413);
}
