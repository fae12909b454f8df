//! What randomized trials between two accounts came to: a search for words, or a comparison of arms, and all of it that
//! the answer rests on.
//!
//! Promises: every act is here, also one that sent nothing and one whose answer is missing; texts are not kept.
//! To extend: what an answer rests on is a field here, so that reports can be made again from this alone.

use crate::{Arm, Delivery, Found, Strays, Timestamp, Traffic, Upload, Uploads};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Packets of a capture, by their numbers from 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PacketRange {
    /// Path of the capture.
    pub capture: String,
    pub first: u64,
    pub last: u64,
}

/// One act, and what the sender's client did in the time that follows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Act {
    /// From 1, in the order of acting.
    pub number: u64,
    pub at: Timestamp,
    /// Absent in a search, whose next message depends on the answers before it.
    pub arm: Option<Arm>,
    /// Number of the [`Delivery`]; absent where nothing was sent.
    pub delivery: Option<u64>,
    /// Levels of the factors of the design.
    pub factors: BTreeMap<String, String>,
    /// What crossed within the lag window; absent where nothing did, or traffic was not watched.
    pub packets: Option<PacketRange>,
    /// By endpoint, second by second; empty where traffic was not watched.
    pub traffic: BTreeMap<String, Traffic>,
}

/// A text, or a part of it, that can be read in what the client sent elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadableCopy {
    /// Number of the act whose text it is.
    pub act: u64,
    pub endpoint: String,
    /// Identifier of the flow, and the packet in which the copy begins.
    pub flow: String,
    pub capture: String,
    pub packet: u64,
    /// Such as `base64`, or `gzip, hex`; with ` (decrypted)` behind it where a key log opened the flow.
    pub encoding: String,
    /// Bytes of the text (UTF-8) that were found in one piece.
    pub bytes: u64,
}

/// How much of what the sender's client sent could be searched for texts, bytes of transports' payloads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Searched {
    /// In all captures.
    pub sent: u64,
    /// Encrypted, and no secret that was logged opens it: a copy in it cannot be read.
    pub sealed: u64,
    /// More than is kept of one stream, or of a capture: nobody looked at it.
    pub left_out: u64,
}

/// What a room's own name server is called where endpoints are: whoever asks it reaches nobody but us.
pub const NAMES_ASKED: &str = "names asked for";

/// By what a search took a message for filtered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signal {
    /// It did not arrive.
    #[default]
    Delivery,
    /// The client then sent something to this endpoint.
    Upload { endpoint: String },
}

/// What trials found, and what it rests on; by default nothing was done.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inquiry {
    /// Of a search for words; absent where arms were compared and nothing else.
    pub found: Option<Found>,
    /// Of a comparison of arms; absent in a search by delivery alone.
    pub judged: Option<Uploads>,
    pub signal: Signal,
    /// Whether the sender's traffic was watched; without it nothing is known of copies.
    pub watched: bool,
    /// Why it ended before its answer, if it did.
    pub broken_off: Option<String>,
    /// Most messages that may be spent in all.
    pub budget: u64,
    /// Chance of error that was allowed for each rule.
    pub target: f64,
    /// Chance that a message is lost that the filter lets pass, or arrives that it should stop.
    pub loss: f64,
    pub leak: f64,
    /// Whether these two were measured in benign messages, or given.
    pub measured: bool,
    /// How long an arrival is waited for, and an upload is looked for, seconds.
    pub window_s: f64,
    pub lag_s: f64,
    pub acts: Vec<Act>,
    /// Numbers of the acts of an arm that are not judged: no answer came, or nothing arrived any more.
    pub unjudged: BTreeSet<u64>,
    /// Of a comparison, which text of the triggers it is, from 1, or the harmless one in its likeness; by SHA-256.
    pub texts: BTreeMap<String, u64>,
    pub deliveries: Vec<Delivery>,
    pub strays: Strays,
    pub copies: Vec<ReadableCopy>,
    /// Absent where traffic was not watched.
    pub searched: Option<Searched>,
    /// That names are asked for more often after a trigger, if they are: no upload by itself.
    pub asks_more: Option<Upload>,
}
