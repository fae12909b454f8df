//! Link layers: where the IP packet begins in a frame.
