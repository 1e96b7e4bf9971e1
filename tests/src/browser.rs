//! A real browser: Debian's Chromium, headless, driven over WebDriver. What its person sees is what a test asks.

use std::path::Path;
use std::time::Duration;

use fantoccini::elements::Element;
use fantoccini::key::Key;
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::background::Background;
use crate::{Person, PythonPackage, Registry, find_program};

/// How long a page may take to show something.
const PAGE_WAIT_MAX: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(50);
/// How often a driver is started that finds no port.
const DRIVER_STARTS_MAX: usize = 5;
/// What the accessibility of pages is checked with, in the package that brings it.
const AXE: (&str, &str) = ("axe-playwright-python", "axe_playwright_python/axe.min.js");
const HEIGHT: u32 = 900;
/// Narrower than this no window is opened.
const WINDOW_WIDTH_MIN: u32 = 500;
/// A picture is as high as its page, within these.
const PICTURE_HEIGHTS: (u64, u64) = (400, 4_000);

/// How a browser is set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// The width of its window.
    pub width: u32,
    /// Whether it prefers dark pages.
    pub dark: bool,
    /// The language that it asks for.
    pub language: &'static str,
}

/// Somebody's browser.
pub struct Browser {
    client: Client,
    look: Look,
    url: String,
    process: Background,
    _folder: TempDir,
}

impl Browser {
    /// A browser of its own, on no page yet.
    pub async fn open(registry: &Registry, look: Look) -> Browser {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (process, address) = start_driver(folder.path()).await;
        let capabilities = json!({"goog:chromeOptions": {
            "args": [
                "--headless=new",
                // As root, and without much shared memory, as in a container.
                "--no-sandbox",
                "--disable-dev-shm-usage",
                "--disable-gpu",
                "--no-proxy-server",
                // Else the driver clicks where things were before the page had scrolled.
                "--force-prefers-reduced-motion",
                format!("--window-size={},{HEIGHT}", look.width),
            ],
            "prefs": {"intl.accept_languages": look.language},
        }});
        let Value::Object(capabilities) = capabilities else { unreachable!("an object") };
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let client = builder.capabilities(capabilities).connect(&address).await.expect("a browser");
        let browser = Browser { client, look, url: registry.url(), process, _folder: folder };
        let scheme = if look.dark { "dark" } else { "light" };
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        browser.commands("Emulation.setEmulatedMedia", media).await;
        let clipboard =
            json!({"origin": browser.url, "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]});
        browser.commands("Browser.grantPermissions", clipboard).await;
        browser.is_of_its_size().await;
        browser
    }

    /// A command of the DevTools protocol, for what WebDriver has none.
    async fn commands(&self, command: &'static str, parameters: Value) {
        let answer = self.client.issue_cmd(DevTools { command, parameters }).await;
        answer.unwrap_or_else(|error| panic!("{command}: {error}"));
    }

    /// No real window is as narrow as a telephone. Any other is left alone: in one whose size is pretended, the driver
    /// takes what is below its edge for hidden.
    async fn is_of_its_size(&self) {
        match self.look.width {
            width if width < WINDOW_WIDTH_MIN => self.is_of_size(width, HEIGHT).await,
            _ => self.commands("Emulation.clearDeviceMetricsOverride", json!({})).await,
        }
    }

    async fn is_of_size(&self, width: u32, height: u32) {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.commands("Emulation.setDeviceMetricsOverride", size).await;
    }

    /// Opens a page of the registry.
    pub async fn goes(&self, path: &str) {
        self.client.goto(&format!("{}{path}", self.url)).await.expect("a page");
    }

    /// Opens the page again that it is on.
    pub async fn reloads(&self) {
        self.client.refresh().await.expect("a page");
    }

    /// Where it is, without the registry's address.
    pub async fn path(&self) -> String {
        let url = self.client.current_url().await.expect("an address").to_string();
        url.strip_prefix(&self.url).unwrap_or(&url).to_owned()
    }

    /// Signs in on the page that asks for it.
    pub async fn signs_in(&self, person: &Person) {
        self.goes("/console/sign-in").await;
        self.types("username", person.login()).await;
        self.types("password", person.password()).await;
        self.presses("main button[type=submit]").await;
        self.waits_until("it is signed in", async || self.path().await == "/console/images").await;
    }

    /// Types into the control with this id.
    pub async fn types(&self, id: &str, text: &str) {
        let control = self.finds(&format!("#{id}")).await;
        control.clear().await.expect("a control that can be cleared");
        control.send_keys(text).await.expect("a control that can be typed into");
    }

    /// Presses keys, wherever the focus is.
    pub async fn presses_keys(&self, keys: &[char]) {
        let focused = self.client.active_element().await.expect("something that has the focus");
        focused.send_keys(&keys.iter().collect::<String>()).await.expect("keys");
    }

    /// Goes on with the tabulator to the first thing that `selector` finds: as who has no mouse.
    pub async fn tabs_to(&self, selector: &str) {
        for _ in 0..100 {
            self.presses_keys(&[Key::Tab.into()]).await;
            let script = "return document.activeElement.matches(arguments[0])";
            if self.runs(script, vec![json!(selector)]).await == json!(true) {
                return;
            }
        }
        panic!("no key leads to {selector} on {}", self.path().await);
    }

    /// What the control with this id holds.
    pub async fn value_of(&self, id: &str) -> String {
        let value = self.finds(&format!("#{id}")).await.prop("value").await.expect("a property");
        value.unwrap_or_default()
    }

    /// What an attribute of the control with this id says.
    pub async fn attribute_of(&self, id: &str, name: &str) -> String {
        let said = self.finds(&format!("#{id}")).await.attr(name).await.expect("an attribute");
        said.unwrap_or_default()
    }

    /// Chooses a day, whatever way of writing days the browser has.
    pub async fn chooses_day(&self, id: &str, day: &str) {
        let script = "document.getElementById(arguments[0]).value = arguments[1]";
        self.runs(script, vec![json!(id), json!(day)]).await;
    }

    /// Presses the first thing that `selector` finds.
    pub async fn presses(&self, selector: &str) {
        self.finds(selector).await.click().await.unwrap_or_else(|error| panic!("{selector}: {error}"));
    }

    /// Follows the first link with this text.
    pub async fn follows(&self, text: &str) {
        let found = self.client.wait().at_most(PAGE_WAIT_MAX).for_element(Locator::LinkText(text)).await;
        let link = found.unwrap_or_else(|error| panic!("no link {text}: {error}"));
        link.click().await.unwrap_or_else(|error| panic!("{text}: {error}"));
    }

    /// The text of the first thing that `selector` finds.
    pub async fn reads(&self, selector: &str) -> String {
        self.finds(selector).await.text().await.expect("a text")
    }

    /// What was copied last.
    pub async fn pastes(&self) -> String {
        let script =
            "const done = arguments[arguments.length - 1]; navigator.clipboard.readText().then(done, done)";
        let copied = self.client.execute_async(script, Vec::new()).await.expect("a script");
        copied.as_str().unwrap_or_else(|| panic!("nothing was copied: {copied}")).to_owned()
    }

    /// Waits until the page shows all of these texts.
    pub async fn sees(&self, texts: &[&str]) {
        self.waits_until(&format!("{texts:?} are there"), async || {
            let shown = self.shows().await;
            texts.iter().all(|text| shown.contains(text))
        })
        .await;
    }

    /// Waits until the page no longer shows this text.
    pub async fn sees_no_more(&self, text: &str) {
        let gone = async || {
            let shown = self.shows().await;
            !shown.is_empty() && !shown.contains(text)
        };
        self.waits_until(&format!("{text} is gone"), gone).await;
    }

    /// The page's text; nothing while there is none.
    async fn shows(&self) -> String {
        let text = self.client.execute("return document.body.innerText", Vec::new()).await;
        text.ok().and_then(|text| text.as_str().map(str::to_owned)).unwrap_or_default()
    }

    async fn waits_until(&self, what: &str, holds: impl AsyncFn() -> bool) {
        let waits = async {
            while !holds().await {
                tokio::time::sleep(POLL).await;
            }
        };
        if tokio::time::timeout(PAGE_WAIT_MAX, waits).await.is_err() {
            panic!("not yet so on {}: {what}\n{}", self.path().await, self.shows().await);
        }
    }

    async fn finds(&self, selector: &str) -> Element {
        let found = self.client.wait().at_most(PAGE_WAIT_MAX).for_element(Locator::Css(selector)).await;
        match found {
            Ok(found) => found,
            Err(_) => panic!("no {selector} on {}: {}", self.path().await, self.shows().await),
        }
    }

    async fn runs(&self, script: &str, arguments: Vec<Value>) -> Value {
        self.client.execute(script, arguments).await.unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// That axe-core finds nothing wrong with the page's accessibility, and that nothing is wider than the window; that what is
    /// read aloud of a control has the words that are seen is a rule of its that it does not try unasked.
    pub async fn is_accessible(&self) {
        self.runs(&axe(), Vec::new()).await;
        let script = "const done = arguments[arguments.length - 1]; \
                      axe.run(document, {rules: {'label-content-name-mismatch': {enabled: true}}}).then(found => done(found.violations.map(one => \
                      [one.id, one.nodes.map(node => node.html)])), done);";
        let found = self.client.execute_async(script, Vec::new()).await.expect("axe's answer");
        assert_eq!(found, json!([]), "{} with {:?}", self.path().await, self.look);
        let script = "const root = document.documentElement; return root.scrollWidth - root.clientWidth";
        let over = self.runs(script, Vec::new()).await;
        assert_eq!(over, json!(0), "{} is wider than {} px", self.path().await, self.look.width);
    }

    /// How far things have moved by themselves since the page began to show (a browser's cumulative layout shift).
    pub async fn layout_shift(&self) -> f64 {
        let script = "const done = arguments[arguments.length - 1]; let sum = 0; \
                      new PerformanceObserver(list => list.getEntries().forEach(one => sum += one.value)) \
                      .observe({type: 'layout-shift', buffered: true}); setTimeout(() => done(sum), 100);";
        let sum = self.client.execute_async(script, Vec::new()).await.expect("a script");
        sum.as_f64().expect("a number")
    }

    /// How many bytes the page took with all that it loads.
    pub async fn loaded_bytes(&self) -> u64 {
        let script =
            "return performance.getEntries().reduce((sum, one) => sum + (one.decodedBodySize || 0), 0)";
        self.runs(script, Vec::new()).await.as_u64().expect("a number")
    }

    /// A picture of the whole page.
    pub async fn is_pictured(&self, file: &Path) {
        let height = self.runs("return document.documentElement.scrollHeight", Vec::new()).await;
        let height = height.as_u64().expect("a height").clamp(PICTURE_HEIGHTS.0, PICTURE_HEIGHTS.1);
        self.is_of_size(self.look.width, u32::try_from(height).expect("a height")).await;
        let picture = self.client.screenshot().await.expect("a picture");
        self.is_of_its_size().await;
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        std::fs::write(file, picture).expect("a file");
    }

    /// Closes it.
    pub async fn closes(self) {
        self.client.clone().close().await.expect("a browser that ends");
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver would leave it behind when a test fails.
        self.process.ends_with_its_group();
    }
}

/// A command of the DevTools protocol, as the driver takes it.
#[derive(Debug)]
struct DevTools {
    command: &'static str,
    parameters: Value,
}

impl WebDriverCompatibleCommand for DevTools {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/goog/cdp/execute", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        let body = json!({"cmd": self.command, "params": self.parameters});
        (http::Method::POST, Some(body.to_string()))
    }
}

/// A driver on a port that it chose, and its address. When it is asked to end, it ends its browsers.
async fn start_driver(folder: &Path) -> (Background, String) {
    let mut reasons = Vec::new();
    for attempt in 0..DRIVER_STARTS_MAX {
        // It takes a free port of IPv6, and ends if the same one of IPv4 is somebody's.
        match try_driver(&folder.join(format!("driver-{attempt}.log"))).await {
            Ok(driver) => return driver,
            Err(reason) => reasons.push(reason),
        }
    }
    panic!("{}", reasons.join("\n"));
}

async fn try_driver(log: &Path) -> Result<(Background, String), String> {
    let program = find_program("chromedriver").expect("chromium-driver: `cargo xtask test` installs it");
    let mut command = Background::command(&program);
    command.arg("--port=0");
    let port = || {
        let said = std::fs::read_to_string(log).unwrap_or_default();
        let line = said.split_once("started successfully on port ")?.1.split_once('\n')?.0.to_owned();
        Some(line.trim_end_matches('.').to_owned())
    };
    let answers = || std::future::ready(port().is_some());
    let driver = Background::start(command, log, answers).await?;
    let port = port().expect("a port");
    Ok((driver, format!("http://127.0.0.1:{port}")))
}

fn axe() -> String {
    let (package, file) = AXE;
    let package = PythonPackage::find(package).unwrap_or_else(|absent| panic!("{absent}"));
    std::fs::read_to_string(package.file(file)).expect("a script")
}
