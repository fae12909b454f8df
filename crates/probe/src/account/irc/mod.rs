//! An account on IRC (RFC 2812).
//!
//! Behind each message goes a PING, whose PONG confirms it (see [`super::receipts`]).

mod limits;

use super::fault::line;
use super::receipts::Receipts;
use super::wire::{Writer, connect, host, lost, secure};
use super::{Account, Fault, Password, Roots, Sending, Service, Wire};
use crate::driver::Event;
use irc_proto::{Command, Message};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader, ReadHalf, split};

/// Longest line that is read, bytes: 512, and 8191 of tags (IRCv3, message tags).
const LONGEST: u64 = 8192 + 512;
/// Replies that mean something here (RFC 2812, 5): we are in; there is no message of the day.
const WELCOME: u16 = 1;
const NO_MOTD: u16 = 422;

/// An account on an IRC server.
#[derive(Clone, Debug)]
pub struct Irc {
    /// `host:port`.
    pub server: String,
    /// Absent: in the clear.
    pub tls: Option<Roots>,
    pub nick: String,
    /// The nick, unless given.
    pub user: Option<String>,
    pub password: Option<Password>,
    /// Channels to be joined; what is said there is heard too.
    pub join: Vec<String>,
    /// Whether a long text is sent in pieces.
    pub split: bool,
}

impl Service for Irc {
    type Account = Connected;

    async fn log_in(self) -> Result<Connected, Fault> {
        let name = host(&self.server).ok_or_else(|| {
            Fault::Unfit(format!("{:?} is no HOST:PORT, such as chat.example:6697", self.server))
        })?;
        let tcp = connect(&self.server).await?;
        let wire: Box<dyn Wire> = match &self.tls {
            Some(roots) => Box::new(secure(tcp, name, roots).await?),
            None => Box::new(tcp),
        };
        let (reader, writer) = split(wire);
        let mut connected = Connected {
            reader: BufReader::new(reader),
            line: Vec::new(),
            writer: Writer::new(writer),
            nick: self.nick.clone(),
            split: self.split,
            receipts: Receipts::default(),
        };
        connected.introduce(&self).await?;
        for channel in &self.join {
            connected.join(channel).await?;
        }
        Ok(connected)
    }
}

/// An account that is logged in to.
#[derive(Debug)]
pub struct Connected {
    reader: BufReader<ReadHalf<Box<dyn Wire>>>,
    /// A line in the making.
    line: Vec<u8>,
    writer: Writer,
    nick: String,
    split: bool,
    receipts: Receipts,
}

impl Account for Connected {
    fn name(&self) -> &str {
        &self.nick
    }

    async fn send(&mut self, id: &str, to: &str, text: &str) -> Result<Sending, Fault> {
        let lines = match limits::lines(&self.nick, to, text, self.split) {
            Ok(lines) => lines,
            Err(why) => return Ok(Sending::Refused(why)),
        };
        for line in lines {
            self.put(&Command::PRIVMSG(to.to_owned(), line.to_owned()));
        }
        let token = self.receipts.ask(id);
        self.write(Command::PING(token, None)).await?;
        Ok(Sending::Awaited)
    }

    async fn hear(&mut self) -> Result<Event, Fault> {
        loop {
            if let Some(event) = self.receipts.told() {
                return Ok(event);
            }
            let message = self.read().await?;
            match message.command {
                Command::PRIVMSG(_, ref text) if !is_control(text) => {
                    if let Some(from) = message.source_nickname() {
                        return Ok(Event::Received { from: from.to_owned(), text: text.clone() });
                    }
                }
                Command::PONG(first, second) => self.receipts.answered(&second.unwrap_or(first)),
                Command::NICK(nick) if message.prefix.as_ref().is_some_and(|it| is_nick(it, &self.nick)) => {
                    self.nick = nick;
                }
                command => {
                    if let Some(why) = refusal(&command) {
                        if is_of_account(&command) {
                            return Ok(Event::Error { id: None, message: why });
                        }
                        self.receipts.refused_first(why);
                    }
                }
            }
        }
    }

    async fn log_out(mut self) {
        let _ = self.write(Command::QUIT(None)).await;
        self.writer.close().await;
    }
}

impl Connected {
    /// Says who we are and waits for the welcome.
    async fn introduce(&mut self, account: &Irc) -> Result<(), Fault> {
        if let Some(password) = &account.password {
            self.write(Command::PASS(password.reveal().to_owned())).await?;
        }
        let user = account.user.as_ref().unwrap_or(&account.nick);
        self.write(Command::NICK(account.nick.clone())).await?;
        self.write(Command::USER(user.clone(), "0".into(), user.clone())).await?;
        loop {
            let command = self.read().await.map_err(refused_login)?.command;
            if let Some((_, parameters)) = numbered(&command).filter(|(number, _)| *number == WELCOME) {
                // The server may have cut it to its own length.
                if let Some(nick) = parameters.first() {
                    self.nick = nick.clone();
                }
                return Ok(());
            }
            if let Some(why) = refusal(&command) {
                return Err(Fault::Refused(why));
            }
        }
    }

    async fn join(&mut self, channel: &str) -> Result<(), Fault> {
        self.write(Command::JOIN(channel.to_owned(), None, None)).await?;
        loop {
            let message = self.read().await?;
            match message.command {
                Command::JOIN(..) if message.source_nickname() == Some(&self.nick) => return Ok(()),
                command if numbered(&command).is_some_and(|(number, _)| number == NO_MOTD) => {}
                command => {
                    if let Some(why) = refusal(&command) {
                        return Err(Fault::Refused(format!("{channel}: {why}")));
                    }
                }
            }
        }
    }

    /// The next message that is not the server's asking whether we live.
    async fn read(&mut self) -> Result<Message, Fault> {
        loop {
            self.writer.flush().await?;
            let left = LONGEST - self.line.len() as u64;
            let read = (&mut self.reader).take(left).read_until(b'\n', &mut self.line).await.map_err(lost)?;
            let whole = self.line.ends_with(b"\n");
            if !whole && read > 0 && (self.line.len() as u64) < LONGEST {
                continue;
            }
            if !whole {
                let why = if read == 0 { "the server closed it" } else { "the server speaks no IRC" };
                return Err(Fault::Lost(why.into()));
            }
            let text = String::from_utf8_lossy(&self.line).trim_end_matches(['\r', '\n']).to_owned();
            self.line.clear();
            // What cannot be understood is not meant for us.
            let Ok(message) = text.parse::<Message>() else { continue };
            match message.command {
                Command::PING(token, _) => self.put(&Command::PONG(token, None)),
                Command::ERROR(why) => return Err(Fault::Lost(line(&why))),
                _ => return Ok(message),
            }
        }
    }

    async fn write(&mut self, command: Command) -> Result<(), Fault> {
        self.put(&command);
        self.writer.flush().await
    }

    fn put(&mut self, command: &Command) {
        self.writer.put(&format!("{}\r\n", String::from(command)));
    }
}

/// The number of a reply and its parameters.
fn numbered(command: &Command) -> Option<(u16, &[String])> {
    match command {
        Command::Response(number, parameters) => Some((*number as u16, parameters)),
        Command::Raw(number, parameters) => Some((number.parse().ok()?, parameters)),
        _ => None,
    }
}

/// Why something was refused (RFC 2812, 5.2: replies 400 to 599), or we were thrown out.
fn refusal(command: &Command) -> Option<String> {
    if let Command::KILL(_, why) = command {
        return Some(format!("killed: {}", line(why)));
    }
    let (number, parameters) = numbered(command)?;
    let why = parameters.last().map_or("", String::as_str);
    (400..600).contains(&number).then(|| format!("{number}: {}", line(why)))
}

/// Whether a refusal is of the account, whatever was asked (RFC 2812, 5.2: banned; soon to be).
fn is_of_account(command: &Command) -> bool {
    numbered(command).is_some_and(|(number, _)| matches!(number, 465 | 466))
}

/// A question to the client (CTCP), not a text for its user.
fn is_control(text: &str) -> bool {
    text.starts_with('\u{1}')
}

fn is_nick(prefix: &irc_proto::Prefix, nick: &str) -> bool {
    matches!(prefix, irc_proto::Prefix::Nickname(name, ..) if name == nick)
}

/// A server that hangs up before it welcomes us has refused us.
fn refused_login(fault: Fault) -> Fault {
    match fault {
        Fault::Lost(why) => Fault::Refused(why),
        other => other,
    }
}
