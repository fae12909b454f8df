//! Versions of QUIC, and the salts that their Initial packets are protected with.
//!
//! Sources: RFC 9001 §5.2 (v1, also drafts 33 and 34), RFC 9369 §3.3 (v2),
//! draft-ietf-quic-v2-01 (its number before that), draft-ietf-quic-tls-22, -23 and -29 §5.2,
//! and, for Google's Q050, T050 and T051, Chromium's `quic/core/crypto/crypto_utils.cc`.
//! To extend: a salt in [`SALTS`] and its versions in [`salt_of`]. A version that nobody listed is
//! tried with all salts: authentication tells which one was right.

use ring::hkdf;
use std::sync::OnceLock;

/// What protects Initial packets of some versions.
#[derive(Debug)]
pub(crate) struct Salt {
    bytes: [u8; 20],
    /// The same as a key, once it was needed.
    key: OnceLock<hkdf::Salt>,
    pub(crate) labels: &'static Labels,
}

/// By what keys are made of secrets, for HKDF-Expand-Label.
#[derive(Debug)]
pub(crate) struct Labels {
    pub(crate) key: &'static str,
    pub(crate) iv: &'static str,
    /// Of the header's mask.
    pub(crate) header: &'static str,
    /// Of the secret after a key update.
    pub(crate) update: &'static str,
}

static LABELS: Labels = Labels { key: "quic key", iv: "quic iv", header: "quic hp", update: "quic ku" };
static LABELS_V2: Labels =
    Labels { key: "quicv2 key", iv: "quicv2 iv", header: "quicv2 hp", update: "quicv2 ku" };

const V1: usize = 0;
const V2: usize = 1;
const DRAFT_29: usize = 2;
const DRAFT_23: usize = 3;
const DRAFT_22: usize = 4;
const V2_DRAFT: usize = 5;
const Q050: usize = 6;
const T050: usize = 7;
const T051: usize = 8;

static SALTS: [Salt; 9] = [
    salt(0x38762cf7_f55934b3_4d179ae6_a4c80cad, 0xccbb7f0a, &LABELS),
    salt(0x0dede3de_f700a6db_819381be_6e269dcb, 0xf9bd2ed9, &LABELS_V2),
    salt(0xafbfec28_9993d24c_9e9786f1_9c6111e0, 0x4390a899, &LABELS),
    salt(0xc3eef712_c72ebb5a_11a7d243_2bb46365, 0xbef9f502, &LABELS),
    salt(0x7fbcdb0e_7c66bbe9_193a96cd_21519ebd, 0x7a02644a, &LABELS),
    salt(0xa707c203_a59b4718_4a1d62ca_570406ea, 0x7ae3e5d3, &LABELS_V2),
    salt(0x504574ef_d066fe2f_9d945cfc_dbd3a7f0, 0xd3b56b45, &LABELS),
    salt(0x7ff579e5_acd07291_5580304c_43a2367c, 0x60488310, &LABELS),
    salt(0x7a4edef4_e7ccee5f_a4506c19_124fc8cc, 0xda6e033d, &LABELS),
];

const fn salt(high: u128, low: u32, labels: &'static Labels) -> Salt {
    let (high, low) = (high.to_be_bytes(), low.to_be_bytes());
    let mut bytes = [0; 20];
    let mut i = 0;
    while i < 20 {
        bytes[i] = if i < 16 { high[i] } else { low[i - 16] };
        i += 1;
    }
    Salt { bytes, key: OnceLock::new(), labels }
}

impl Salt {
    /// HKDF-Extract of a client's first destination identifier.
    pub(crate) fn extract(&self, dcid: &[u8]) -> hkdf::Prk {
        self.key.get_or_init(|| hkdf::Salt::new(hkdf::HKDF_SHA256, &self.bytes)).extract(dcid)
    }
}

const VERSION_1: u32 = 0x0000_0001;
const VERSION_2: u32 = 0x6b33_43cf;
const VERSION_2_DRAFT: u32 = 0x709a_50c4;

/// The salts that a version's Initial packets may be protected with, the published one alone where
/// there is one.
pub(crate) fn salts(version: u32) -> &'static [Salt] {
    match salt_of(version) {
        Some(index) => SALTS.get(index..=index).unwrap_or_default(),
        None => &SALTS,
    }
}

fn salt_of(version: u32) -> Option<usize> {
    Some(match version {
        VERSION_1 => V1,
        VERSION_2 => V2,
        VERSION_2_DRAFT => V2_DRAFT,
        0xff00_0021..=0xff00_0022 => V1,
        0xff00_001d..=0xff00_0020 => DRAFT_29,
        0xff00_0017..=0xff00_001c => DRAFT_23,
        0xff00_0016 => DRAFT_22,
        _ if version.to_be_bytes() == *b"Q050" => Q050,
        _ if version.to_be_bytes() == *b"T050" => T050,
        _ if version.to_be_bytes() == *b"T051" => T051,
        _ => return None,
    })
}

/// Whether long packet types are numbered as in version 2 (RFC 9369 §3.2).
pub(crate) fn numbers_types_as_v2(version: u32) -> bool {
    matches!(version, VERSION_2 | VERSION_2_DRAFT)
}

/// By what a version makes keys of secrets.
pub(crate) fn labels(version: u32) -> &'static Labels {
    if numbers_types_as_v2(version) { &LABELS_V2 } else { &LABELS }
}

/// Whether the version is one that is or was on the Internet, its header in the form that drafts
/// have since 22: published ones, Facebook's (mvfst) and Google's with TLS or an encrypted Initial.
pub(crate) fn is_known(version: u32) -> bool {
    const MVFST: u32 = 0x00fa_ceb0;
    salt_of(version).is_some() || version >> 8 == MVFST
}

/// Whether the version is one of Google's before TLS: `Q` and three digits.
pub(crate) fn is_google(version: u32) -> bool {
    let [letter, digits @ ..] = version.to_be_bytes();
    matches!(letter, b'Q' | b'T') && digits.iter().all(u8::is_ascii_digit)
}
