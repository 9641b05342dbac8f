//! `?ajax=true`: what Sal's pages of the inventory answer the script of their tables (scenario `inventory_web`).

use super::site_with_applications;

#[tokio::test]
async fn the_script_of_sals_tables_gets_rows_as_json() {
    let site = site_with_applications(10).await;
    let mut reader = site.visitor("reader").await;
    let mut ask = async |path: &str| {
        let answer = reader.get(&site, path).await;
        assert_eq!(answer.status.as_u16(), 200, "{path}: {}", answer.text);
        assert_eq!(answer.headers["content-type"], "application/json");
        serde_json::from_str::<serde_json::Value>(&answer.text).unwrap()
    };
    let list = "/inventory/business_unit/1/?ajax=true&draw=7";
    let all = ask(list).await;
    assert_eq!(all["draw"], "7");
    assert_eq!(all["recordsTotal"], all["recordsFiltered"]);
    assert!(
        all["data"][0]["0"]
            .as_str()
            .unwrap()
            .contains("&lt;b&gt;Evil&lt;/b&gt;"),
        "{all}"
    );
    let found = ask(&format!("{list}&search%5Bvalue%5D=fire+fox")).await;
    assert_eq!(
        (&found["recordsFiltered"], &found["recordsTotal"]),
        (&1.into(), &all["recordsTotal"])
    );
    assert_eq!(
        found["data"][0]["3"],
        "<a href=\"/inventory/list/business_unit/1/1/\"><span class=\"badge\">5</span></a>"
    );
    // Behind the last row there is nothing, and the totals stay.
    let behind = ask(&format!("{list}&start=5000")).await;
    assert_eq!(
        (
            behind["data"].as_array().unwrap().len(),
            &behind["recordsTotal"]
        ),
        (0, &all["recordsTotal"])
    );
    let installs = ask("/inventory/list/business_unit/1/1/?ajax=true&field_type=version&field_value=10.10&order%5B0%5D%5Bcolumn%5D=0&order%5B0%5D%5Bdir%5D=desc").await;
    let hosts: Vec<_> = installs["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["0"].clone())
        .collect();
    assert_eq!(
        hosts,
        [
            "<a href=\"/machine_detail/8/\">mac-8</a>",
            "<a href=\"/machine_detail/2/\">mac-2</a>"
        ]
    );
    assert_eq!(installs["data"][1]["4"], "2");
    let elsewhere = reader
        .get(&site, "/inventory/business_unit/2/?ajax=true")
        .await;
    assert_eq!(elsewhere.status.as_u16(), 404);
}
