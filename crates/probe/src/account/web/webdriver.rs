//! A browser that is driven by WebDriver (W3C, Level 2): JSON over HTTP/1.1, to a `chromedriver` of ours on a free port or
//! to one that is given.
//!
//! Promises: the browser and the `chromedriver` that were started here end with the [`Browser`]. Both stay in our process
//! group, so that whoever ends that ends them too.

use crate::account::Fault;
use crate::account::fault::line;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use std::io::{self, BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// How long one command may take; the first starts the browser, others load pages.
const COMMAND: Duration = Duration::from_secs(40);
/// Longest answer that is read, bytes.
const LONGEST: u64 = 1 << 24;
/// How an element is called in JSON (WebDriver, 12.1), and Enter (17.4.2).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
const ENTER: &str = "\u{e007}";

/// Why a command failed.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The browser says so: its word for it (`no such element`) and more.
    Refused(String),
    Lost(io::Error),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Lost(error)
    }
}

impl From<Trouble> for Fault {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Refused(why) => Self::Refused(why),
            Trouble::Lost(error) => Self::Lost(format!("the browser: {error}")),
        }
    }
}

/// An element of the page.
#[derive(Debug)]
pub(super) struct Element(String);

/// One window of a browser.
#[derive(Debug)]
pub(super) struct Browser {
    /// `host:port` of the driver.
    at: String,
    /// Path of the session, once it stands.
    path: String,
    /// What ends the browser, should the driver not.
    browser: Option<Pid>,
    /// Where the driver is ours.
    driver: Option<Child>,
}

impl Browser {
    /// Opens a window, by the driver at `host:port` or by one that is started.
    pub(super) async fn open(at: Option<&str>, arguments: &[String]) -> Result<Self, Fault> {
        let mut browser = match at {
            Some(at) => Self { at: at.to_owned(), path: String::new(), browser: None, driver: None },
            None => Self::start().await?,
        };
        let options = json!({"alwaysMatch": {"goog:chromeOptions": {"args": arguments}}});
        let opened = browser.call("POST", "/session", Some(json!({"capabilities": options}))).await?;
        let session = opened["sessionId"].as_str().unwrap_or_default();
        let process = opened["capabilities"]["goog:processID"].as_i64();
        browser.path = format!("/session/{session}");
        if browser.driver.is_some() {
            browser.browser =
                process.and_then(|id| i32::try_from(id).ok()).filter(|id| *id > 1).map(Pid::from_raw);
        }
        Ok(browser)
    }

    async fn start() -> Result<Self, Fault> {
        let unfit = |error: String| Fault::Unfit(format!("chromedriver: {error}"));
        let mut command = Command::new("chromedriver");
        command.arg("--port=0").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(|error| unfit(error.to_string()))?;
        let stdout = child.stdout.take();
        // Dropped, it ends what was started.
        let mut browser = Self { at: String::new(), path: String::new(), browser: None, driver: Some(child) };
        let (tell, port) = oneshot::channel();
        thread::spawn(move || listen(stdout, tell));
        let port = timeout(COMMAND, port).await.ok().and_then(Result::ok);
        browser.at = format!("127.0.0.1:{}", port.ok_or_else(|| unfit("it did not say its port".into()))?);
        Ok(browser)
    }

    pub(super) async fn go(&self, url: &str) -> Result<(), Trouble> {
        self.command("url", json!({"url": url})).await.map(drop)
    }

    /// The first element of this selector.
    pub(super) async fn find(&self, selector: &str) -> Result<Element, Trouble> {
        let found = self.command("element", json!({"using": "css selector", "value": selector})).await?;
        found[ELEMENT]
            .as_str()
            .map(|id| Element(id.to_owned()))
            .ok_or_else(|| Trouble::Refused("no element".into()))
    }

    pub(super) async fn click(&self, element: &Element) -> Result<(), Trouble> {
        self.command(&format!("element/{}/click", element.0), json!({})).await.map(drop)
    }

    pub(super) async fn enter(&self, element: &Element) -> Result<(), Trouble> {
        self.command(&format!("element/{}/value", element.0), json!({"text": ENTER})).await.map(drop)
    }

    pub(super) async fn run(&self, script: &str, arguments: Value) -> Result<Value, Trouble> {
        self.command("execute/sync", json!({"script": script, "args": arguments})).await
    }

    pub(super) async fn close(mut self) {
        if self.call("DELETE", &self.path, None).await.is_ok() {
            self.browser = None;
        }
    }

    async fn command(&self, name: &str, body: Value) -> Result<Value, Trouble> {
        self.call("POST", &format!("{}/{name}", self.path), Some(body)).await
    }

    async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Result<Value, Trouble> {
        let called = timeout(COMMAND, self.exchange(method, path, body)).await;
        let answer = called.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))?;
        let value = &answer["value"];
        match value["error"].as_str() {
            Some(error) => {
                let more = value["message"].as_str().unwrap_or_default();
                Err(Trouble::Refused(format!("{error}: {}", line(more.lines().next().unwrap_or_default()))))
            }
            None => Ok(value.clone()),
        }
    }

    /// One request and its answer, on a connection of their own: the driver is on this machine.
    async fn exchange(&self, method: &str, path: &str, body: Option<Value>) -> io::Result<Value> {
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let mut stream = TcpStream::connect(&self.at).await?;
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json; charset=utf-8\r\n\
             Content-Length: {}\r\n\r\n",
            self.at,
            body.len()
        );
        stream.write_all(&[head.as_bytes(), body.as_bytes()].concat()).await?;
        let mut answer = Vec::new();
        let mut stream = stream.take(LONGEST);
        loop {
            if let Some(body) = whole(&answer) {
                return serde_json::from_slice(body).map_err(io::Error::from);
            }
            if stream.read_buf(&mut answer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if let Some(browser) = self.browser {
            let _ = kill(browser, Signal::SIGKILL);
        }
        if let Some(driver) = &mut self.driver {
            // Asked to, it takes its scratch folders along.
            let _ = kill(Pid::from_raw(driver.id().cast_signed()), Signal::SIGTERM);
            let _ = driver.wait();
        }
    }
}

/// Tells the port that `chromedriver` says that it listens on, and then takes whatever it still prints.
fn listen(stdout: Option<impl io::Read>, tell: oneshot::Sender<u16>) {
    let mut tell = Some(tell);
    for line in stdout.into_iter().flat_map(|it| BufReader::new(it).lines()).map_while(Result::ok) {
        let port = line.rsplit_once("on port ").and_then(|(_, port)| port.trim_end_matches('.').parse().ok());
        if let Some(port) = port.filter(|port| *port > 0) {
            tell.take().map(|tell| tell.send(port));
        }
    }
}

/// The body of an answer that is all there (RFC 9112); drivers state its length.
fn whole(answer: &[u8]) -> Option<&[u8]> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&answer[..end]).ok()?;
    let mut fields = head.lines().filter_map(|line| line.split_once(':'));
    let (_, length) = fields.find(|(name, _)| name.eq_ignore_ascii_case("content-length"))?;
    answer[end + 4..].get(..length.trim().parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_whole_when_it_is_as_long_as_it_says() {
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nnull";
        assert_eq!(whole(answer), Some(&b"null"[..]));
        assert!((0..answer.len()).all(|end| whole(&answer[..end]).is_none()));
    }

    #[test]
    fn the_port_is_the_one_that_it_listens_on() {
        let (tell, mut port) = oneshot::channel();
        let printed =
            "Starting ChromeDriver 1 on port 0\nChromeDriver was started successfully on port 41421.\n";
        listen(Some(printed.as_bytes()), tell);
        assert_eq!(port.try_recv(), Ok(41421));
    }
}
