//! An account on a chat page, which is driven in a browser as a person would drive it.
//!
//! Promises: what stood on the page at the login is history and is not told. A message counts as sent once the page took
//! its text and the click that sends it. A page that loads itself anew begins a new history.

mod page;
mod webdriver;

pub use page::Page;

use super::{Account, Fault, Password, Sending, Service};
use crate::driver::Event;
use page::Step;
use serde_json::json;
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::sleep;
use webdriver::{Browser, Element, Trouble};

/// How often the page is looked at.
const TICK: Duration = Duration::from_millis(200);
const HEARD: &str = include_str!("heard.js");
const TYPE: &str = include_str!("type.js");

/// An account on a chat page.
#[derive(Clone, Debug)]
pub struct Web {
    pub page: Page,
    pub account: String,
    pub password: Option<Password>,
    /// `host:port` of a WebDriver; without it, `chromedriver` is started.
    pub webdriver: Option<String>,
    /// Arguments of the browser.
    pub arguments: Vec<String>,
}

impl Service for Web {
    type Account = Open;

    async fn log_in(self) -> Result<Open, Fault> {
        let browser = Browser::open(self.webdriver.as_deref(), &self.arguments).await?;
        browser.go(&self.page.url).await?;
        let mut open = Open { browser, web: self, heard: 0, told: VecDeque::new() };
        for step in &open.web.page.login {
            open.perform(step).await?;
        }
        open.appears(&open.web.page.ready).await?;
        open.look().await?;
        Ok(open)
    }
}

/// A page that is logged in to.
#[derive(Debug)]
pub struct Open {
    browser: Browser,
    web: Web,
    /// Messages told so far since the page was loaded.
    heard: u64,
    told: VecDeque<Event>,
}

impl Account for Open {
    fn name(&self) -> &str {
        &self.web.account
    }

    async fn send(&mut self, _id: &str, to: &str, text: &str) -> Result<Sending, Fault> {
        match self.write(to, text).await {
            Ok(()) => Ok(Sending::Sent),
            Err(Trouble::Refused(why)) => Ok(Sending::Refused(why)),
            Err(lost) => Err(lost.into()),
        }
    }

    async fn hear(&mut self) -> Result<Event, Fault> {
        loop {
            if let Some(event) = self.told.pop_front() {
                return Ok(event);
            }
            sleep(TICK).await;
            self.look().await.map_err(|trouble| match trouble {
                Trouble::Refused(why) => Fault::Lost(why),
                lost => lost.into(),
            })?;
        }
    }

    async fn log_out(self) {
        self.browser.close().await;
    }
}

impl Open {
    async fn perform(&self, step: &Step) -> Result<(), Fault> {
        match step {
            Step::Click { click } => Ok(self.browser.click(&self.appears(click).await?).await?),
            Step::Fill { fill, with } => {
                let password = self.web.password.as_ref();
                if with.contains("{password}") && password.is_none() {
                    return Err(Fault::Unfit("the page asks for a password, and none was given".into()));
                }
                let text = with.replace("{account}", &self.web.account);
                let text = text.replace("{password}", password.map_or("", Password::reveal));
                self.appears(fill).await?;
                Ok(self.fill(fill, &text).await?)
            }
        }
    }

    /// Waits for an element: the login has its limit.
    async fn appears(&self, selector: &str) -> Result<Element, Fault> {
        loop {
            match self.browser.find(selector).await {
                Ok(element) => return Ok(element),
                Err(Trouble::Refused(why)) if why.starts_with("no such element") => {}
                Err(other) => return Err(other.into()),
            }
            if let Some(refused) = &self.web.page.refused
                && self.browser.find(refused).await.is_ok()
            {
                return Err(Fault::Refused("the page says so".into()));
            }
            sleep(TICK).await;
        }
    }

    async fn fill(&self, selector: &str, text: &str) -> Result<(), Trouble> {
        self.browser.click(&self.browser.find(selector).await?).await?;
        match self.browser.run(TYPE, json!([text])).await?.as_bool() {
            Some(true) => Ok(()),
            _ => Err(Trouble::Refused(format!("{selector} takes no text"))),
        }
    }

    async fn write(&self, to: &str, text: &str) -> Result<(), Trouble> {
        let page = &self.web.page;
        if let Some(open) = page.open(to) {
            self.browser.click(&self.browser.find(&open).await?).await?;
        }
        self.fill(&page.input, text).await?;
        match &page.send {
            Some(send) => self.browser.click(&self.browser.find(send).await?).await,
            None => self.browser.enter(&self.browser.find(&page.input).await?).await,
        }
    }

    /// Hears what was said since the time before. Broken off, it is heard the next time.
    async fn look(&mut self) -> Result<(), Trouble> {
        let said = self.browser.run(HEARD, json!([self.web.page.heard, self.heard])).await?;
        let total = said[0].as_u64().unwrap_or(0);
        if total < self.heard {
            // The page was loaded anew.
            self.heard = 0;
            return Ok(());
        }
        for message in said[1].as_array().into_iter().flatten() {
            let part = |place: usize| message[place].as_str().unwrap_or_default().to_owned();
            self.told.push_back(Event::Received { from: part(0), text: part(1) });
        }
        self.heard = total;
        Ok(())
    }
}
