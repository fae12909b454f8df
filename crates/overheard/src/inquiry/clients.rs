//! The options that say who talks to whom, where, at which pace, and what may be spent.
//!
//! Promises: what the answers depend on is part of [`ClientArgs::terms`], and so of the key by which a book is gone on
//! with; what only paces or limits is not.

use super::trials::refused;
use crate::exit::{Failure, Result};
use crate::progress::Progress;
use crate::proxy::ProxyArgs;
use clap::Args;
use overheard_model::design::{Doorway, Home, VantageDesign};
use overheard_probe::gateway::{Dns, Upstream};
use overheard_probe::room::{Room, Spec};
use overheard_probe::trial::{Pace, Spending};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

/// Longest time in which an upload is looked for, seconds.
const LONGEST_LAG: f64 = 60.0;

#[derive(Args, Debug)]
#[command(mut_arg("proxy", |proxy| proxy.conflicts_with("no_room")))]
pub struct ClientArgs {
    /// The driver of the account that sends, as the shell would run it
    #[arg(long, value_name = "COMMAND")]
    pub sender: String,

    /// The driver of the account that receives
    #[arg(long, value_name = "COMMAND")]
    pub receiver: String,

    /// To whom messages go, if not to the name that the receiver's driver gives
    #[arg(long, value_name = "NAME")]
    pub to: Option<String>,

    /// Start the clients without rooms: deliveries alone are judged, and copies are not looked for
    #[arg(long)]
    pub no_room: bool,

    #[command(flatten)]
    proxy: ProxyArgs,

    /// The name server that answers the clients, through the proxy if there is one (default: this machine's)
    #[arg(long, value_name = "ADDRESS", conflicts_with = "no_room")]
    dns: Option<IpAddr>,

    /// A socket of the desktop that the clients may reach: x11, wayland, pulseaudio, pipewire; may be given again
    #[arg(long, value_name = "SOCKET", value_parser = doorway, conflicts_with = "no_room")]
    door: Vec<Doorway>,

    /// What the clients find at their home: fresh, keep, or a folder, of which each gets a copy
    #[arg(long, value_name = "HOME", default_value = "keep", conflicts_with = "no_room")]
    home: String,

    /// A file or folder that the clients may read though it lies in the home or in /tmp; may be given again
    #[arg(long, value_name = "PATH", conflicts_with = "no_room")]
    read: Vec<PathBuf>,

    /// Seconds between messages, drawn at random within these limits
    #[arg(long, value_name = "SHORTEST-LONGEST", default_value = "5-60")]
    pub pace: Pace,

    /// How many seconds an arrival is waited for
    #[arg(long, value_name = "SECONDS", default_value_t = 20.0)]
    pub window: f64,

    /// For how many seconds after a message an upload is looked for, 1 to 60
    #[arg(long, value_name = "SECONDS", default_value_t = 20.0)]
    pub lag: f64,

    /// Seconds of quiet between that and the next message, so that what comes later is not taken for the next one's
    #[arg(long, value_name = "SECONDS", default_value_t = 2.0)]
    pub washout: f64,

    /// Most messages to be spent on this question, with those of earlier calls; with --ledger also by each account in all
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..))]
    pub budget: u64,

    /// Book what accounts spend in this file too, for as many questions as name it: no account spends more than --budget
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,

    /// Say what would be spent, and send nothing
    #[arg(long)]
    pub dry_run: bool,

    /// Most characters that the platform takes in a message
    #[arg(long, value_name = "CHARACTERS", default_value_t = 1000)]
    pub longest: usize,

    /// Seed of everything that is drawn
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,

    /// Where acts are booked and captures kept (default: the file's name with .trials)
    #[arg(long, value_name = "FOLDER")]
    trials_folder: Option<PathBuf>,
}

impl ClientArgs {
    /// Refuses what can not be.
    pub fn check(&self) -> Result<()> {
        let times = [
            ("--window", self.window, 0.01, 3600.0),
            ("--lag", self.lag, 1.0, LONGEST_LAG),
            ("--washout", self.washout, 0.0, 3600.0),
        ];
        for (option, value, least, most) in times {
            if !(least..=most).contains(&value) {
                return Err(Failure::new(format!("{option} {value}: no time to wait"))
                    .hint(format!("give seconds from {least} to {most}, such as 20")));
            }
        }
        let upstream = self.proxy.upstream()?;
        if Dns::by(self.dns.map(|address| SocketAddr::new(address, 53)), &upstream) == Dns::None {
            return Err(Failure::new("--proxy: there is no name server behind it").hint(
                "give one that is reached through the proxy as --dns ADDRESS: this machine's own would hear every \
                 name that the clients ask for",
            ));
        }
        Ok(())
    }

    /// What factors may fill, by its option.
    pub fn commands(&self) -> [(&'static str, &str); 3] {
        let to = self.to.as_deref().unwrap_or_default();
        [("--sender", &self.sender), ("--receiver", &self.receiver), ("--to", to)]
    }

    /// Where acts are booked, for an inquiry that is made of this file.
    pub fn folder(&self, file: &Path) -> PathBuf {
        self.trials_folder.clone().unwrap_or_else(|| file.with_extension("trials"))
    }

    /// The ledger that is shared with other questions.
    pub fn spending(&self) -> Option<Spending> {
        self.ledger.as_deref().map(Spending::new)
    }

    /// What a ledger holds already, as a sentence.
    pub fn spent_before(&self) -> Result<String> {
        let Some((spending, path)) = self.spending().zip(self.ledger.as_deref()) else {
            return Ok(String::new());
        };
        let accounts = spending.accounts().map_err(refused)?;
        let spent: Vec<String> =
            accounts.iter().map(|(account, spent)| format!("{account} {spent}")).collect();
        let spent = if spent.is_empty() { "nobody any".into() } else { spent.join(", ") };
        Ok(format!("By {}, accounts have spent in all: {spent}.\n", path.display()))
    }

    /// All of it that answers depend on.
    pub fn terms(&self, rooms: bool) -> Result<String> {
        let Self { sender, receiver, to, dns, door, home, window, lag, longest, seed, .. } = self;
        let proxy = self.proxy.upstream()?.to_string();
        let way = (rooms, proxy, dns, door, home);
        Ok(format!("{:?}", (sender, receiver, to, way, window, lag, longest, seed)))
    }

    /// Whether clients get rooms: not where they are not wanted, nor where this machine has none. Says why.
    pub fn rooms(&self) -> std::result::Result<(), String> {
        if self.no_room {
            return Err("--no-room".into());
        }
        let opened = Room::open(&Spec::default()).and_then(|(room, _door)| Ok(room.close()?));
        opened.map_err(|error| error.to_string())
    }

    /// Seconds of traffic that belong to an act.
    pub fn lag_s(&self) -> usize {
        self.lag.ceil() as usize
    }

    pub fn vantage(&self) -> Result<VantageDesign> {
        let proxy = Some(self.proxy.upstream()?).filter(|upstream| *upstream != Upstream::Direct);
        let proxy = proxy.map(|upstream| upstream.url());
        Ok(VantageDesign { name: "here".into(), proxy, dns: self.dns, place: None })
    }

    pub fn home(&self) -> Home {
        self.home.clone().into()
    }

    pub fn doors(&self) -> &[Doorway] {
        &self.door
    }

    /// What clients may read: what was asked for, and this program, whose drivers they may be.
    pub fn readable(&self) -> Vec<PathBuf> {
        self.read.iter().cloned().chain(std::env::current_exe()).collect()
    }
}

/// Says that copies are not looked for, and why.
pub fn without_rooms(rooms: &std::result::Result<(), String>) {
    if let Err(why) = rooms {
        Progress::lines().note(&format!(
            "without rooms ({why}) deliveries alone are judged, and copies are not looked for; \
             `overheard doctor` says what is missing here"
        ));
    }
}

fn doorway(text: &str) -> std::result::Result<Doorway, String> {
    match text {
        "x11" => Ok(Doorway::X11),
        "wayland" => Ok(Doorway::Wayland),
        "pulseaudio" => Ok(Doorway::PulseAudio),
        "pipewire" => Ok(Doorway::PipeWire),
        other => Err(format!("{other:?}: expected x11, wayland, pulseaudio or pipewire")),
    }
}

/// A command with the levels of its factors in it, for the shell.
pub fn filled(command: &str, levels: &BTreeMap<String, String>) -> String {
    levels.iter().fold(command.to_owned(), |text, (name, level)| text.replace(&format!("{{{name}}}"), level))
}
