//! `overheard driver`: the drivers that come with us, each a program that speaks JSON lines for one account.
//!
//! Promises: no password is ever an argument, which every program of the machine could read.
//! To extend: a variant of [`Network`] with its options, and a line in [`DriverArgs::run`].

use crate::exit::{Exit, Failure, Result};
use clap::{Args, Subcommand};
use overheard_probe::account::{
    Fault, Irc, Page, Password, Pattern, Roots, Security, Terminal, Web, Xmpp, speak,
};
use std::fs;
use std::path::{Path, PathBuf};

/// Where a password is looked for without a file.
const PASSWORD: &str = "OVERHEARD_PASSWORD";

const EXAMPLES: &str = "\
Examples:
  overheard driver irc --server chat.example:6697 --tls --nick alice
  overheard keywords --text blocked.txt \\
    --sender   'overheard driver irc --server chat.example:6697 --tls --nick alice' \\
    --receiver 'overheard driver irc --server chat.example:6697 --tls --nick bob'

A driver reads   {\"op\":\"send\",\"id\":\"m1\",\"to\":\"bob\",\"text\":\"…\"}   {\"op\":\"quit\"}
and prints       {\"event\":\"ready\",\"account\":\"alice\"}   {\"event\":\"sent\",\"id\":\"m1\"}
                 {\"event\":\"received\",\"from\":\"alice\",\"text\":\"…\"}   {\"event\":\"error\",\"id\":\"m1\",\"message\":\"…\"}
one a line, so it can be tried by hand. Any program that does the same is a driver: see docs/drivers.md.
It ends with 0 when it was asked to, and with 2, and the reason on standard error, when the account is lost.";

/// Speak for one account: the driver of a chat network, for `keywords` and its like
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct DriverArgs {
    #[command(subcommand)]
    network: Network,
}

#[derive(Subcommand, Debug)]
enum Network {
    Irc(IrcArgs),
    Xmpp(XmppArgs),
    Terminal(TerminalArgs),
    Web(WebArgs),
}

impl DriverArgs {
    pub fn run(self) -> Result<Exit> {
        match self.network {
            Network::Irc(args) => speak(args.service()?),
            Network::Xmpp(args) => speak(args.service()?),
            Network::Terminal(args) => speak(args.service()),
            Network::Web(args) => speak(args.service()?),
        }
        .map_err(failure)?;
        Ok(Exit::Clear)
    }
}

#[derive(Args, Debug)]
struct PasswordArgs {
    /// The file whose first line is the password (default: what OVERHEARD_PASSWORD holds)
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

impl PasswordArgs {
    fn read(&self) -> Result<Option<Password>> {
        let Some(file) = &self.password_file else {
            return Ok(std::env::var(PASSWORD).ok().filter(|it| !it.is_empty()).map(Password::new));
        };
        let text = fs::read_to_string(file).map_err(|error| {
            Failure::new(format!("{}: {error}", file.display()))
                .hint("give a text file whose first line is the password")
        })?;
        match text.lines().next().filter(|line| !line.is_empty()) {
            Some(line) => Ok(Some(Password::new(line))),
            None => Err(Failure::new(format!("{}: its first line is empty", file.display()))
                .hint("write the password there")),
        }
    }
}

fn roots(ca: Option<&Path>) -> Roots {
    ca.map_or(Roots::System, |file| Roots::File(file.to_owned()))
}

const IRC_EXAMPLES: &str = "\
Examples:
  overheard driver irc --server chat.example:6697 --tls --nick alice --password-file alice.password
  overheard driver irc --server 127.0.0.1:6667 --nick bob --join '#here'

Messages go to nicks, or to channels that were joined. `sent` is said once the server has answered a PING behind the
message. A text that does not fit into IRC's 512 bytes is refused: servers would cut it without a word.";

/// An account on IRC
#[derive(Args, Debug)]
#[command(after_help = IRC_EXAMPLES)]
struct IrcArgs {
    /// The server
    #[arg(long, value_name = "HOST:PORT")]
    server: String,

    /// Connect with TLS
    #[arg(long)]
    tls: bool,

    /// Trust the authorities of this PEM file instead of the machine's
    #[arg(long, value_name = "FILE", requires = "tls")]
    ca: Option<PathBuf>,

    /// The account's nick
    #[arg(long, value_name = "NAME")]
    nick: String,

    /// Its user name (default: the nick)
    #[arg(long, value_name = "NAME")]
    user: Option<String>,

    #[command(flatten)]
    password: PasswordArgs,

    /// Join a channel; what others say there is received too
    #[arg(long, value_name = "CHANNEL")]
    join: Vec<String>,

    /// Send a text that is too long, or has several lines, as several messages
    #[arg(long)]
    split: bool,
}

impl IrcArgs {
    fn service(self) -> Result<Irc> {
        Ok(Irc {
            password: self.password.read()?,
            tls: self.tls.then(|| roots(self.ca.as_deref())),
            server: self.server,
            nick: self.nick,
            user: self.user,
            join: self.join,
            split: self.split,
        })
    }
}

const XMPP_EXAMPLES: &str = "\
Examples:
  overheard driver xmpp --jid alice@chat.example --password-file alice.password
  overheard driver xmpp --jid bob@chat.example --password-file bob.password --server 198.18.0.5:5222 --ca world.pem

Messages go to addresses such as bob@chat.example. `sent` is said once the server has answered a ping behind the
message; one that bounces later, from another server, is an error when it does.";

/// An account on XMPP
#[derive(Args, Debug)]
#[command(after_help = XMPP_EXAMPLES)]
struct XmppArgs {
    /// The account
    #[arg(long, value_name = "USER@DOMAIN")]
    jid: String,

    #[command(flatten)]
    password: PasswordArgs,

    /// The server (default: the account's domain, at port 5222, or 5223 with --direct-tls)
    #[arg(long, value_name = "HOST:PORT")]
    server: Option<String>,

    /// Trust the authorities of this PEM file instead of the machine's
    #[arg(long, value_name = "FILE", conflicts_with = "plaintext")]
    ca: Option<PathBuf>,

    /// Begin with TLS instead of asking for it (STARTTLS)
    #[arg(long, conflicts_with = "plaintext")]
    direct_tls: bool,

    /// Do without TLS: everyone on the way reads along
    #[arg(long)]
    plaintext: bool,
}

impl XmppArgs {
    fn service(self) -> Result<Xmpp> {
        let password = self.password.read()?.ok_or_else(|| {
            Failure::new(format!("no password for {}", self.jid))
                .hint(format!("give --password-file FILE, or set {PASSWORD}"))
        })?;
        let roots = roots(self.ca.as_deref());
        let security = match (self.plaintext, self.direct_tls) {
            (true, _) => Security::Plaintext,
            (false, true) => Security::DirectTls(roots),
            (false, false) => Security::StartTls(roots),
        };
        Ok(Xmpp { jid: self.jid, password, server: self.server, security })
    }
}

const TERMINAL_EXAMPLES: &str = "\
Examples:
  overheard driver terminal --account alice --ready 'Welcome' --send '/msg {to} {text}\\n' \\
    --received '[{from}({any}@{any})] {text}' --refused 'No such nick' --quit '/quit\\n' -- irssi --home=alice.irssi

A pattern is a part of a line: {from} and {any} are one word or a part of it, {text} goes on to what follows in the
pattern or to the line's end. In what is typed, \\n is Enter, \\t Tab, \\e Escape. `sent` is said once a message was typed.
The terminal is so wide that no line wraps; --columns makes it narrower where a client cannot bear that.";

/// An account behind a text-mode client
///
/// Starts the client in a terminal of its own, types messages and reads what arrives off the screen.
#[derive(Args, Debug)]
#[command(after_help = TERMINAL_EXAMPLES)]
struct TerminalArgs {
    /// The name of the account that the client logs in to
    #[arg(long, value_name = "NAME")]
    account: String,

    /// A text that is on the screen once the login stands
    #[arg(long, value_name = "TEXT")]
    ready: String,

    /// What is typed once the login stands, such as to open a window
    #[arg(long, value_name = "KEYS", default_value = "", value_parser = keys)]
    begin: String,

    /// What is typed to send {text} to {to}
    #[arg(long, value_name = "KEYS", value_parser = message_keys)]
    send: String,

    /// How a line looks that tells of a message
    #[arg(long, value_name = "PATTERN", value_parser = text_pattern)]
    received: Pattern,

    /// How a line looks that says that the last message was refused
    #[arg(long, value_name = "PATTERN", value_parser = Pattern::parse)]
    refused: Option<Pattern>,

    /// What is typed at the end
    #[arg(long, value_name = "KEYS", default_value = "", value_parser = keys)]
    quit: String,

    /// Height of the terminal
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u16).range(2..=1000))]
    rows: u16,

    /// Width of the terminal
    #[arg(long, value_name = "N", default_value_t = 4000, value_parser = clap::value_parser!(u16).range(20..=10_000))]
    columns: u16,

    /// The client and its arguments
    #[arg(last = true, required = true, value_name = "CLIENT")]
    command: Vec<String>,
}

impl TerminalArgs {
    fn service(self) -> Terminal {
        Terminal {
            command: self.command,
            account: self.account,
            ready: self.ready,
            begin: self.begin,
            send: self.send,
            received: self.received,
            refused: self.refused,
            quit: self.quit,
            rows: self.rows,
            columns: self.columns,
        }
    }
}

const WEB_EXAMPLES: &str = "\
Examples:
  overheard driver web --page chat.toml --account alice --password-file alice.password
  overheard driver web --page chat.toml --account alice --webdriver 127.0.0.1:9515

chat.toml says where what stands on the page; docs/drivers.md has one with every key:
  url = 'https://chat.example/'
  login = [{ fill = '#name', with = '{account}' }, { fill = '#pass', with = '{password}' }, { click = '#enter' }]
  ready = '#compose'
  input = '#compose'
  message = '.message'

Without --webdriver, chromedriver is started, which Debian has in the package chromium-driver. Chromium runs as root
only with --browser-arg=--no-sandbox.";

/// An account on a chat page, in Chromium
#[derive(Args, Debug)]
#[command(after_help = WEB_EXAMPLES)]
struct WebArgs {
    /// Where what stands on the page
    #[arg(long, value_name = "FILE")]
    page: PathBuf,

    /// The name of the account
    #[arg(long, value_name = "NAME")]
    account: String,

    #[command(flatten)]
    password: PasswordArgs,

    /// A WebDriver that runs already
    #[arg(long, value_name = "HOST:PORT")]
    webdriver: Option<String>,

    /// Show the browser
    #[arg(long)]
    visible: bool,

    /// A further argument for the browser, such as --user-data-dir=FOLDER, where it keeps a login
    #[arg(long, value_name = "ARGUMENT", allow_hyphen_values = true)]
    browser_arg: Vec<String>,
}

impl WebArgs {
    fn service(self) -> Result<Web> {
        let named = |what: String| Failure::new(format!("{}: {what}", self.page.display()));
        let text = fs::read_to_string(&self.page)
            .map_err(|error| named(error.to_string()).hint("give a TOML file that describes the page"))?;
        let page = Page::parse(&text)
            .map_err(|what| named(what).hint("docs/drivers.md has an example with every key"))?;
        let mut arguments = self.browser_arg;
        if !self.visible {
            arguments.push("--headless=new".into());
        }
        let password = self.password.read()?;
        Ok(Web { page, account: self.account, password, webdriver: self.webdriver, arguments })
    }
}

/// Keys by their names.
fn keys(written: &str) -> std::result::Result<String, String> {
    let (mut keys, mut characters) = (String::new(), written.chars());
    while let Some(c) = characters.next() {
        keys.push(match c {
            '\\' => match characters.next() {
                Some('n') => '\n',
                Some('t') => '\t',
                Some('e') => '\u{1b}',
                Some('\\') => '\\',
                other => {
                    let other = other.map(String::from).unwrap_or_default();
                    return Err(format!("\\{other} is no key; those are \\n, \\t, \\e and \\\\"));
                }
            },
            c => c,
        });
    }
    Ok(keys)
}

fn message_keys(written: &str) -> std::result::Result<String, String> {
    match written.contains("{text}") {
        true => keys(written),
        false => Err("there is no {text} in it, such as in '/msg {to} {text}\\n'".into()),
    }
}

fn text_pattern(written: &str) -> std::result::Result<Pattern, String> {
    let pattern = Pattern::parse(written)?;
    if pattern.asks_for_text() { Ok(pattern) } else { Err("there is no {text} in it".into()) }
}

fn failure(fault: Fault) -> Failure {
    Failure::new(fault.to_string()).hint(fault.hint())
}
