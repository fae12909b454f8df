//! Moves bytes between the app's connection in the lobby and the one to the real server.
//!
//! Promises: bytes keep their order and none is lost; an end closed by one side is closed towards the other once all
//! has passed (half-close); a reset by one side resets the other.
//! Many bytes go from socket to socket through a pipe by splice(2), so that they are not copied by us; a few are copied,
//! which is sooner done. A pipe holds bytes only while they are under way and is shared by all flows.

use std::cell::RefCell;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use nix::fcntl::{FcntlArg, OFlag, SpliceFFlags, fcntl, splice};
use nix::sys::socket::{MsgFlags, recv};
use tokio::io::Interest;
use tokio::net::TcpStream;

/// Bytes that are moved at once: what a pipe is asked to hold, and gets unless its owner's share is used up.
const PIPE: usize = 1 << 18;

const FLAGS: SpliceFFlags = SpliceFFlags::SPLICE_F_MOVE.union(SpliceFFlags::SPLICE_F_NONBLOCK);

/// Bytes that copying moves sooner than a pipe. POSIX lets an empty pipe take as many at once.
const FEW: usize = 4096;

/// Pipes that hold nothing.
#[derive(Debug, Default)]
pub struct Pipes(RefCell<Vec<Pipe>>);

#[derive(Debug)]
struct Pipe {
    out: OwnedFd,
    r#in: OwnedFd,
}

impl Pipes {
    /// More than flows have bytes under way at one moment are rarely needed, and closing the rest is cheap.
    const KEPT: usize = 16;

    fn take(&self) -> io::Result<Pipe> {
        if let Some(pipe) = self.0.borrow_mut().pop() {
            return Ok(pipe);
        }
        let (out, r#in) = nix::unistd::pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK)?;
        let _smaller_will_do = fcntl(&out, FcntlArg::F_SETPIPE_SZ(PIPE as i32));
        Ok(Pipe { out, r#in })
    }

    fn give_back(&self, pipe: Pipe) {
        let mut pipes = self.0.borrow_mut();
        if pipes.len() < Self::KEPT {
            pipes.push(pipe);
        }
    }
}

/// Carries both directions to their ends.
pub async fn relay(pipes: &Pipes, app: TcpStream, server: TcpStream) {
    for stream in [&app, &server] {
        let _slower_without = stream.set_nodelay(true);
    }
    if both(pipes, &app, &server).await.is_err() {
        for stream in [&app, &server] {
            let _closed_without_reset = stream.set_zero_linger();
        }
    }
}

async fn both(pipes: &Pipes, app: &TcpStream, server: &TcpStream) -> io::Result<()> {
    let mut out = std::pin::pin!(pour(pipes, app, server));
    let mut back = std::pin::pin!(pour(pipes, server, app));
    tokio::select! {
        ended = &mut out => {
            ended?;
            tokio::select! { ended = back => ended, error = broken(app) => Err(error) }
        }
        ended = &mut back => {
            ended?;
            tokio::select! { ended = out => ended, error = broken(server) => Err(error) }
        }
    }
}

/// One direction to its end.
async fn pour(pipes: &Pipes, from: &TcpStream, to: &TcpStream) -> io::Result<()> {
    let mut is_bulk = false;
    loop {
        from.readable().await?;
        let pipe = pipes.take()?;
        let mut taken = None;
        let asked = from.try_io(Interest::READABLE, || {
            let Taken { is_all, .. } = taken.insert(match is_bulk {
                true => by_splice(from, &pipe)?,
                false => by_hand(from, to, &pipe)?,
            });
            // What the next call would only say again.
            if *is_all { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
        });
        match asked {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
            _ => {}
        }
        let Some(Taken { length, mut held, .. }) = taken else {
            pipes.give_back(pipe);
            continue;
        };
        if length == 0 {
            pipes.give_back(pipe);
            return shutdown(to);
        }
        is_bulk = length >= FEW;
        while held > 0 {
            let write = || Ok(splice(&pipe.out, None, to, None, held, FLAGS)?);
            held -= to.async_io(Interest::WRITABLE, write).await?;
        }
        pipes.give_back(pipe);
    }
}

/// Bytes that were taken from a connection, and how many of them the pipe holds.
struct Taken {
    length: usize,
    held: usize,
    /// Whether it had no more.
    is_all: bool,
}

fn by_splice(from: &TcpStream, pipe: &Pipe) -> io::Result<Taken> {
    let length = splice(from, None, &pipe.r#in, None, PIPE, FLAGS)?;
    // Fewer than were asked for may be all that the pipe had places for.
    Ok(Taken { length, held: length, is_all: false })
}

/// Sends on what it takes; the pipe, which is empty, has room for what cannot be sent at once.
fn by_hand(from: &TcpStream, to: &TcpStream, pipe: &Pipe) -> io::Result<Taken> {
    let mut bytes = [0; FEW];
    let length = recv(from.as_raw_fd(), &mut bytes, MsgFlags::empty())?;
    let sent = match to.try_write(&bytes[..length]) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
        sent => sent?,
    };
    let held = match length - sent {
        0 => 0,
        _ => nix::unistd::write(&pipe.r#in, &bytes[sent..length])?,
    };
    Ok(Taken { length, held, is_all: length < bytes.len() })
}

fn shutdown(stream: &TcpStream) -> io::Result<()> {
    match nix::sys::socket::shutdown(stream.as_raw_fd(), nix::sys::socket::Shutdown::Write) {
        // The other side has gone already; its reading says how.
        Ok(()) | Err(nix::errno::Errno::ENOTCONN) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Returns once a connection whose sending side has ended is reset all the same.
async fn broken(stream: &TcpStream) -> io::Error {
    loop {
        if let Err(error) = stream.ready(Interest::ERROR).await {
            return error;
        }
        if let Ok(Some(error)) = stream.take_error() {
            return error;
        }
        // An alarm without an error; readiness cannot be cleared without one, so it is looked at again later.
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}
