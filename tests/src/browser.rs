//! A real browser: Debian's Chromium, headless, driven over WebDriver. What its person sees is what a test asks.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use thirtyfour::common::capabilities::chromium::ChromiumLikeCapabilities;
use thirtyfour::{By, ChromeCapabilities, WebDriver, WebElement};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::{Person, PythonPackage, Registry, find_program};

/// How long the driver may take to start.
const START_WAIT_MAX: Duration = Duration::from_secs(30);
/// How long a page may take to show something.
const PAGE_WAIT_MAX: Duration = Duration::from_secs(20);
/// What the accessibility of pages is checked with, in the package that has it.
const AXE_PACKAGE: &str = "axe-playwright-python";

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
    driver: WebDriver,
    url: String,
    _process: Child,
}

impl Browser {
    /// A browser of its own, on no page yet.
    pub async fn open(registry: &Registry, look: Look) -> Browser {
        let (process, address) = start_driver().await;
        let mut wanted = ChromeCapabilities::new();
        let (width, dark) = (look.width, look.dark);
        for argument in [
            "--headless=new".to_owned(),
            // As root, and without much shared memory, as in a container.
            "--no-sandbox".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--disable-gpu".to_owned(),
            "--no-proxy-server".to_owned(),
            format!("--window-size={width},1000"),
        ] {
            wanted.add_arg(&argument).expect("an argument");
        }
        wanted
            .add_experimental_option("prefs", json!({"intl.accept_languages": look.language}))
            .expect("a preference");
        let driver = WebDriver::new(address, wanted).await.expect("a browser");
        let browser = Browser { driver, url: registry.url(), _process: process };
        let scheme = if dark { "dark" } else { "light" };
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        browser.commands("Emulation.setEmulatedMedia", media).await;
        browser.is_of_size(width, 900).await;
        browser
    }

    /// A command of the DevTools protocol, for what WebDriver has none.
    async fn commands(&self, command: &str, parameters: Value) {
        self.driver.cdp().send_raw(command, parameters).await.expect("a command of the browser");
    }

    async fn is_of_size(&self, width: u32, height: u32) {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.commands("Emulation.setDeviceMetricsOverride", size).await;
    }

    /// Opens a page of the registry.
    pub async fn goes(&self, path: &str) {
        self.driver.goto(format!("{}{path}", self.url)).await.expect("a page");
    }

    /// Opens the page again that it is on.
    pub async fn reloads(&self) {
        self.driver.refresh().await.expect("a page");
    }

    /// Where it is, without the registry's address.
    pub async fn path(&self) -> String {
        let url = self.driver.current_url().await.expect("an address").to_string();
        url.strip_prefix(&self.url).expect("a page of the registry").to_owned()
    }

    /// Signs in on the page that asks for it.
    pub async fn signs_in(&self, person: &Person) {
        self.goes("/console/sign-in").await;
        self.types("username", person.login()).await;
        self.types("password", person.password()).await;
        self.presses("main button[type=submit]").await;
    }

    /// Types into the control with this id.
    pub async fn types(&self, id: &str, text: &str) {
        let control = self.finds(&format!("#{id}")).await;
        control.clear().await.expect("a control that can be cleared");
        control.send_keys(text).await.expect("a control that can be typed into");
    }

    /// Chooses a day, whatever way of writing days the browser has.
    pub async fn chooses_day(&self, id: &str, day: &str) {
        let script = "document.getElementById(arguments[0]).value = arguments[1]";
        self.driver.execute(script, vec![json!(id), json!(day)]).await.expect("a script");
    }

    /// Presses the first thing that `selector` finds.
    pub async fn presses(&self, selector: &str) {
        self.finds(selector).await.click().await.unwrap_or_else(|error| panic!("{selector}: {error}"));
    }

    /// Follows the first link with this text.
    pub async fn follows(&self, text: &str) {
        let link = self.driver.find(By::LinkText(text)).await;
        let link = link.unwrap_or_else(|error| panic!("no link {text}: {error}"));
        link.click().await.unwrap_or_else(|error| panic!("{text}: {error}"));
    }

    /// The text of the first thing that `selector` finds.
    pub async fn reads(&self, selector: &str) -> String {
        self.finds(selector).await.text().await.expect("a text")
    }

    /// Waits until the page shows all of these texts.
    pub async fn sees(&self, texts: &[&str]) {
        let shown = async || self.reads("body").await;
        let waits = async {
            while let body = shown().await
                && !texts.iter().all(|text| body.contains(text))
            {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        if tokio::time::timeout(PAGE_WAIT_MAX, waits).await.is_err() {
            panic!("not all of {texts:?} are on {}: {}", self.path().await, shown().await);
        }
    }

    /// That the page shows none of these texts.
    pub async fn sees_nothing_of(&self, texts: &[&str]) {
        let body = self.reads("body").await;
        for text in texts {
            assert!(!body.contains(text), "{text} is on {}: {body}", self.path().await);
        }
    }

    async fn finds(&self, selector: &str) -> WebElement {
        let found = async {
            loop {
                if let Ok(found) = self.driver.find(By::Css(selector)).await {
                    return found;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let found = tokio::time::timeout(PAGE_WAIT_MAX, found).await;
        match found {
            Ok(found) => found,
            Err(_) => panic!("no {selector} on {}: {}", self.path().await, self.source().await),
        }
    }

    async fn source(&self) -> String {
        self.driver.source().await.expect("a page")
    }

    /// What axe-core finds wrong with the page's accessibility: nothing, as a rule. And that nothing is wider than the
    /// window.
    pub async fn is_accessible(&self) {
        self.driver.execute(axe(), Vec::new()).await.expect("axe");
        let script = "const done = arguments[arguments.length - 1]; \
                      axe.run(document).then(found => done(found.violations.map(one => \
                      [one.id, one.nodes.map(node => node.html)])));";
        let found = self.driver.execute_async(script, Vec::new()).await.expect("axe's answer");
        assert_eq!(found.json(), &json!([]), "{}", self.path().await);
        let script = "const root = document.documentElement; return root.scrollWidth - root.clientWidth";
        let over = self.driver.execute(script, Vec::new()).await.expect("a script");
        assert_eq!(over.json(), &json!(0), "{} is wider than its window", self.path().await);
    }

    /// A picture of the whole page.
    pub async fn is_pictured(&self, width: u32, file: &Path) {
        let script = "return document.documentElement.scrollHeight";
        let height = self.driver.execute(script, Vec::new()).await.expect("a script").json().as_u64();
        self.is_of_size(width, u32::try_from(height.unwrap_or(900).clamp(400, 4_000)).expect("a height"))
            .await;
        let picture = self.driver.screenshot_as_png().await.expect("a picture");
        self.is_of_size(width, 900).await;
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        std::fs::write(file, picture).expect("a file");
    }

    /// Closes it.
    pub async fn closes(self) {
        self.driver.quit().await.expect("a browser that ends");
    }
}

/// A driver on a port that it chose.
async fn start_driver() -> (Child, String) {
    let program = find_program("chromedriver").expect("chromium-driver: `cargo xtask test` installs it");
    let mut process = Command::new(program)
        .arg("--port=0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("a driver");
    let mut lines = BufReader::new(process.stdout.take().expect("a piped output")).lines();
    let port = async {
        while let Some(line) = lines.next_line().await.expect("a line") {
            if let Some((_, port)) = line.split_once("started successfully on port ") {
                return port.trim_end_matches('.').to_owned();
            }
        }
        panic!("the driver ended");
    };
    let port = tokio::time::timeout(START_WAIT_MAX, port).await.expect("a driver that starts");
    // What it prints is read to its end, or it would wait for a reader.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    (process, format!("http://127.0.0.1:{port}"))
}

fn axe() -> String {
    let package = PythonPackage::find(AXE_PACKAGE).unwrap_or_else(|absent| panic!("{absent}"));
    let folder = package.interpreter().parent().and_then(Path::parent).expect("a folder").join("lib");
    let versions = std::fs::read_dir(folder).expect("an environment");
    let files = versions
        .flatten()
        .map(|version| version.path().join("site-packages").join("axe_playwright_python").join("axe.min.js"));
    let file = files.into_iter().find(|file| file.is_file()).expect("axe.min.js");
    std::fs::read_to_string(file).expect("a script")
}
