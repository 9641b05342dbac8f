//! `sal demo`: a URL that answers, and nothing that stays behind.

use std::collections::HashMap;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::server::signal;
use crate::stage::{PATIENCE, SAL, until};

/// Starts the demo from this environment, as a newcomer does; its first line on stdout is the URL.
async fn start() -> (Child, String) {
    let mut demo = Command::new(SAL)
        .args(["demo", "--listen", "127.0.0.1:0", "--machines", "3"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(demo.stdout.take().unwrap()).lines();
    let line = tokio::time::timeout(PATIENCE, lines.next_line()).await;
    let url = line.unwrap().unwrap().unwrap().trim().to_owned();
    let login = lines.next_line().await.unwrap().unwrap();
    assert!(login.contains("user: admin"), "{login}");
    (demo, url)
}

/// Every process of this machine: its parent and its command line.
fn processes() -> HashMap<u32, (u32, String)> {
    let folders = std::fs::read_dir("/proc").unwrap().flatten();
    folders
        .filter_map(|folder| {
            let pid = folder.file_name().to_str()?.parse().ok()?;
            let status = std::fs::read_to_string(folder.path().join("status")).ok()?;
            let parent = status.lines().find_map(|line| line.strip_prefix("PPid:"))?;
            let line = std::fs::read_to_string(folder.path().join("cmdline")).ok()?;
            Some((pid, (parent.trim().parse().ok()?, line.replace('\0', " "))))
        })
        .collect()
}

/// The command lines of all that descend from a process, by process id.
fn descendants(ancestor: u32) -> HashMap<u32, String> {
    let all = processes();
    let mut family = vec![ancestor];
    let mut found = HashMap::new();
    while let Some(parent) = family.pop() {
        for (pid, (_, line)) in all.iter().filter(|(_, (of, _))| *of == parent) {
            family.push(*pid);
            found.insert(*pid, line.clone());
        }
    }
    found
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_demo_answers_at_its_url_and_leaves_nothing_behind() {
    let (mut demo, url) = start().await;
    let pid = demo.id().unwrap();
    let http = reqwest::Client::builder()
        .timeout(Duration::from_secs(10))
        .build()
        .unwrap();
    let page = http.get(&url).send().await.unwrap();
    assert!(page.status().is_success());
    assert!(page.text().await.unwrap().contains("Sal demo"));
    let assistant = http.post(format!("{}/mcp", url.trim_end_matches('/')));
    let assistant = assistant.send().await.unwrap();
    assert_eq!(assistant.status(), 401, "assistants need a token only");

    let children = descendants(pid);
    let server = children
        .values()
        .find(|line| line.contains(" serve --listen "));
    assert!(
        server.is_some_and(|line| line.starts_with(SAL)),
        "{children:#?}"
    );
    let postgres = children.values().find_map(|line| line.split_once(" -D "));
    let folder = postgres.unwrap().1.split(' ').next().unwrap().to_owned();
    assert!(Path::new(&folder).is_dir(), "{folder}");

    signal(pid, "INT").await;
    let ended = tokio::time::timeout(PATIENCE, demo.wait()).await;
    assert_eq!(ended.unwrap().unwrap().code(), Some(0));
    until("the end of every child", async || {
        let left = processes();
        let is_left =
            |(pid, line): (&u32, &String)| left.get(pid).is_some_and(|(_, now)| now == line);
        !children.iter().any(is_left) && !left.values().any(|(_, line)| line.contains(&folder))
    })
    .await;
    assert!(!Path::new(&folder).exists(), "{folder} was left");
    assert!(http.get(&url).send().await.is_err());
}
