//! Who sees the keys of machine groups.

use sal_http::HttpConfig;
use sal_testkit::{Filled, TestServer};

use super::Program;

#[tokio::test]
async fn q189_a_key_that_may_only_read_sees_no_group_keys_unless_a_setting_says_so() {
    for (show_group_keys, keys, sees) in [
        (false, "ro", false),
        (false, "rw", true),
        (true, "ro", true),
        (true, "rw", true),
    ] {
        let config = HttpConfig {
            show_group_keys,
            ..HttpConfig::default()
        };
        let server = TestServer::with(Filled::Seeded, config).await;
        let program = Program {
            server: &server,
            keys: Some(keys),
        };
        let list = program.get("/api/v2/machine_groups/").await.body["results"].clone();
        let groups = list.as_array().unwrap();
        assert!(!groups.is_empty());
        for group in groups {
            assert_eq!(group["key"].is_string(), sees, "{keys}: {group}");
            assert!(sees || group["key"].is_null());
        }
        let path = format!("/api/v2/machine_groups/{}/", list[0]["id"]);
        assert_eq!(program.get(&path).await.body, list[0], "{keys}");
    }
}
