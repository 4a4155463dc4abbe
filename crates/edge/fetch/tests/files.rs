//! Files by their addresses: what was last seen serves where the server can't be reached, and nothing else does.

mod support;

use onepane_fetch::KeptFiles;
use std::io::{Read, Write};
use std::net::TcpListener;
use support::{Room, Site};

/// The address of a server that answers one request and is gone then.
fn once(body: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let address = format!("http://u:secret@{}/web.yaml", listener.local_addr().expect("it is bound"));
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("somebody asks");
        drop(listener);
        let read = stream.read(&mut [0; 1024]).expect("there is a request");
        assert!(read > 0);
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
        stream.write_all((head + body).as_bytes()).expect("it is taken");
    });
    address
}

fn kept(room: &Room, offline: bool) -> KeptFiles {
    KeptFiles { cache: room.path.join("files"), offline }
}

#[test]
fn what_was_last_seen_serves_while_the_server_is_away() {
    let room = Room::new();
    let url = once("kind: A\n");
    let online = kept(&room, false);
    let (bytes, warning) = online.get(&url, &room.fetcher()).expect("the server is there");
    assert_eq!((bytes.as_slice(), warning), (&b"kind: A\n"[..], None));
    for kept in [online, kept(&room, true)] {
        let (bytes, warning) = kept.get(&url, &room.fetcher()).expect("it was kept");
        assert_eq!(bytes, b"kind: A\n");
        let warning = warning.expect("it is said").message;
        assert!(warning.contains("SHA-256 ") && !warning.contains("secret"), "{warning}");
    }
}

#[test]
fn what_a_server_takes_back_or_a_stranger_changed_does_not_serve() {
    let (room, site) = (Room::new(), Site::start());
    let url = format!("{}/web.yaml", site.address);
    site.bytes("/web.yaml", "kind: A\n");
    let get = |offline| kept(&room, offline).get(&url, &room.fetcher());
    assert_eq!(get(true).expect_err("nothing was kept").code, "fetch-unreachable");
    get(false).expect("it is there");
    site.lock();
    assert_eq!(get(false).expect_err("it is not for everyone").code, "fetch-status");
    get(true).expect("it was kept");
    for entry in std::fs::read_dir(room.path.join("files")).expect("it is a folder") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none() {
            std::fs::write(path, "kind: B\n").expect("it can be written");
        }
    }
    assert_eq!(get(true).expect_err("it is not what was kept").code, "fetch-unreachable");
}
