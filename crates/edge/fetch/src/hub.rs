//! `search hub`: asking Artifact Hub, or whatever speaks Monocular's search API.

use crate::failure::{damaged, refused};
use crate::secret::{Credentials, shown};
use crate::session::{Access, DEFAULT_TIMEOUT};
use crate::{Fetcher, Tls};
use onepane_diagnostics::Result;
use onepane_value::{Map, Value, from_json};
use url::Url;

const SEARCH: &str = "api/chartsvc/v1/charts/search";

/// No answer is larger.
const LARGEST_ANSWER: u64 = 64 << 20;

/// A chart that a hub knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubChart {
    /// Its page.
    pub url: String,
    /// Its latest version.
    pub version: String,
    /// `appVersion`
    pub app_version: String,
    /// What it says of itself.
    pub description: String,
    /// The address of its repository.
    pub repository_url: String,
    /// What the hub calls that.
    pub repository_name: String,
}

impl Fetcher {
    /// The charts that the hub at `endpoint` finds for `query`, in its order.
    ///
    /// Errors: Helm's. `fetch-refused` for what is no address; for whatever goes wrong with the hub
    /// `unable to perform search against …`, with the reason as a hint.
    pub fn search_hub(&self, endpoint: &str, query: &str) -> Result<Vec<HubChart>> {
        let place = shown(endpoint);
        let unusable = || refused(format!("unable to create connection to {place:?}: no hostname provided"));
        let mut url = Url::parse(endpoint).map_err(|_| unusable())?;
        if url.host_str().is_none_or(str::is_empty) || url.cannot_be_a_base() {
            return Err(unusable());
        }
        url.set_path(&format!("{}/{SEARCH}", url.path().trim_end_matches('/')));
        url.query_pairs_mut().clear().append_pair("q", query);
        let (credentials, tls) = (Credentials::default(), Tls::default());
        let access = Access {
            home: endpoint,
            credentials: &credentials,
            pass_credentials_all: false,
            tls: &tls,
            timeout: DEFAULT_TIMEOUT,
        };
        let answer = self.session.get(url.as_str(), access, None, LARGEST_ANSWER);
        let failed =
            |reason: &str| damaged(format!("unable to perform search against {place:?}")).hint(reason.to_owned());
        let answer = answer.map_err(|error| failed(&error.message))?;
        let answer = from_json(&answer).map_err(|_| failed("the answer is no JSON"))?;
        let found = answer.as_map().and_then(|answer| answer.get("data"));
        let found = found.and_then(|list| Some(list.as_list()?.to_vec())).unwrap_or_default();
        Ok(found.iter().filter_map(Value::as_map).map(|chart| read(chart, endpoint)).collect())
    }
}

fn read(chart: &Map, endpoint: &str) -> HubChart {
    let text = |path: &[&str]| at(chart, path).unwrap_or_default();
    let page = text(&["artifactHub", "packageUrl"]);
    let latest = ["relationships", "latestChartVersion", "data"];
    HubChart {
        url: if page.is_empty() { format!("{endpoint}/charts/{}", text(&["id"])) } else { page },
        version: text(&[&latest[..], &["version"]].concat()),
        app_version: text(&[&latest[..], &["app_version"]].concat()),
        description: text(&["attributes", "description"]),
        repository_url: text(&["attributes", "repo", "url"]),
        repository_name: text(&["attributes", "repo", "name"]),
    }
}

/// The string at the end of a chain of keys.
fn at(map: &Map, path: &[&str]) -> Option<String> {
    let (last, before) = path.split_last()?;
    let inner = before.iter().try_fold(map.clone(), |map, key| map.get(key)?.as_map().cloned())?;
    Some(inner.get(last)?.as_text()?.to_string())
}
