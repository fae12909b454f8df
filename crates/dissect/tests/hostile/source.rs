//! Files that are made while they are read: no test holds gigabytes.

use std::io::{self, Read};

/// A file of so many pieces, each made when its turn comes.
pub struct Lazy<F> {
    piece: F,
    next: u64,
    pieces: u64,
    buffer: Vec<u8>,
    at: usize,
    /// Bytes given out.
    pub given: u64,
}

impl<F: FnMut(u64, &mut Vec<u8>)> Lazy<F> {
    /// `piece` appends the piece of a number, from 0.
    pub fn new(pieces: u64, piece: F) -> Self {
        Self { piece, next: 0, pieces, buffer: Vec::new(), at: 0, given: 0 }
    }

    fn refill(&mut self) {
        self.buffer.clear();
        self.at = 0;
        while self.buffer.len() < 64 << 10 && self.next < self.pieces {
            (self.piece)(self.next, &mut self.buffer);
            self.next += 1;
        }
    }
}

impl<F: FnMut(u64, &mut Vec<u8>)> Read for Lazy<F> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at == self.buffer.len() {
            self.refill();
        }
        let ready = &self.buffer[self.at..];
        let length = ready.len().min(into.len());
        into[..length].copy_from_slice(&ready[..length]);
        self.at += length;
        self.given += length as u64;
        Ok(length)
    }
}
