//! A browser that keeps cookies and goes where a test sends it.

use std::collections::BTreeMap;

use super::Stage;

pub(crate) struct Browser {
    pub(crate) cookies: BTreeMap<String, String>,
    http: reqwest::Client,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) location: String,
    pub(crate) text: String,
    /// Each `Set-Cookie`.
    pub(crate) set: Vec<String>,
}

impl Browser {
    pub(crate) fn new() -> Self {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self {
            cookies: BTreeMap::new(),
            http,
        }
    }

    /// Asks this server.
    pub(crate) async fn get(&mut self, url: &str) -> Answer {
        let cookies: Vec<_> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let request = self.http.get(url).header("cookie", cookies.join("; "));
        let answer = read(request.send().await.unwrap()).await;
        for set in &answer.set {
            let (pair, attributes) = set.split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    /// Begins a login and returns the provider's page.
    pub(crate) async fn begin(&mut self, stage: &Stage, next: &str) -> String {
        let url = stage.server.url(&format!("/oidc/login/?next={next}"));
        let answer = self.get(&url).await;
        assert_eq!(answer.status, 302, "{}", answer.text);
        answer.location
    }

    /// Begins a login, visits the provider, and returns where it sends the browser back to.
    pub(crate) async fn visit_provider(&mut self, stage: &Stage, next: &str) -> String {
        let page = self.begin(stage, next).await;
        // No cookie of ours goes there.
        let answer = read(self.http.get(page).send().await.unwrap()).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        answer.location
    }

    /// Walks a whole login.
    pub(crate) async fn login(&mut self, stage: &Stage, next: &str) -> Answer {
        let url = stage.server.url(&format!("/oidc/login/?next={next}"));
        let begun = self.get(&url).await;
        if begun.status != 302 {
            return begun;
        }
        let answer = read(self.http.get(begun.location).send().await.unwrap()).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        self.get(&answer.location).await
    }

    pub(crate) async fn is_logged_in(&mut self, stage: &Stage) -> bool {
        self.get(&stage.server.url("/logout/")).await.status == 200
    }
}

async fn read(response: reqwest::Response) -> Answer {
    let headers = response.headers();
    let text = |name: &str| {
        let values = headers.get_all(name).iter();
        let texts = values.filter_map(|value| value.to_str().ok());
        texts.map(str::to_owned).collect::<Vec<_>>()
    };
    Answer {
        status: response.status().as_u16(),
        location: text("location").pop().unwrap_or_default(),
        set: text("set-cookie"),
        text: response.text().await.unwrap(),
    }
}
