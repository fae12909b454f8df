//! Moves bytes between the app's connection in the lobby and the one to the real server.
//!
//! Promises: bytes keep their order and none is lost; an end closed by one side is closed towards the other once all
//! has passed (half-close); a reset by one side resets the other.
//! Many bytes go from socket to socket through a pipe by splice(2), so that they are not copied by us; a few are copied,
//! which is sooner done. A pipe holds bytes only while they are under way and is shared by all flows.

use std::cell::RefCell;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use nix::fcntl::{FcntlArg, OFlag, SpliceFFlags, fcntl, splice};
use nix::libc::linger;
use nix::sys::socket::{self, MsgFlags, Shutdown, recv, send, setsockopt, sockopt};
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

/// A connection that tells when it is worth to try something.
pub trait Stream: AsFd {
    async fn readable(&self) -> io::Result<()>;
    async fn writable(&self) -> io::Result<()>;

    /// One that would block is no longer readable.
    fn try_read<T>(&self, read: impl FnOnce() -> io::Result<T>) -> io::Result<T>;

    /// All that there was has been read, as reading once more would say: it is no longer readable, unless its end has come.
    fn emptied(&self);

    /// One that would block is no longer writable.
    fn try_write<T>(&self, write: impl FnOnce() -> io::Result<T>) -> io::Result<T>;

    /// Returns once a connection whose sending side has ended is reset all the same.
    async fn broken(&self) -> io::Error;
}

/// Carries both directions to their ends. Neither connection may hold back small segments (TCP_NODELAY).
pub async fn relay(pipes: &Pipes, app: impl Stream, server: impl Stream) {
    if both(pipes, &app, &server).await.is_err() {
        let reset = linger { l_onoff: 1, l_linger: 0 };
        let _closed_without_reset = setsockopt(&app, sockopt::Linger, &reset);
        let _closed_without_reset = setsockopt(&server, sockopt::Linger, &reset);
    }
}

async fn both(pipes: &Pipes, app: &impl Stream, server: &impl Stream) -> io::Result<()> {
    let mut out = std::pin::pin!(pour(pipes, app, server));
    let mut back = std::pin::pin!(pour(pipes, server, app));
    tokio::select! {
        ended = &mut out => {
            ended?;
            shutdown(server)?;
            tokio::select! { ended = back => ended, error = app.broken() => Err(error) }
        }
        ended = &mut back => {
            ended?;
            shutdown(app)?;
            tokio::select! { ended = out => ended, error = server.broken() => Err(error) }
        }
    }
}

/// One direction to its end, which is left to be told: closing the connection tells it as well.
async fn pour(pipes: &Pipes, from: &impl Stream, to: &impl Stream) -> io::Result<()> {
    let mut is_bulk = false;
    loop {
        from.readable().await?;
        let pipe = pipes.take()?;
        let taken = from.try_read(|| match is_bulk {
            true => by_splice(from, &pipe),
            false => by_hand(from, to, &pipe),
        });
        let Taken { length, mut held, is_all } = match taken {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                pipes.give_back(pipe);
                continue;
            }
            taken => taken?,
        };
        if is_all {
            from.emptied();
        }
        if length == 0 {
            pipes.give_back(pipe);
            return Ok(());
        }
        is_bulk = length >= FEW;
        while held > 0 {
            to.writable().await?;
            match to.try_write(|| Ok(splice(&pipe.out, None, to, None, held, FLAGS)?)) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                written => held -= written?,
            }
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

fn by_splice(from: &impl Stream, pipe: &Pipe) -> io::Result<Taken> {
    let length = splice(from, None, &pipe.r#in, None, PIPE, FLAGS)?;
    // Fewer than were asked for may be all that the pipe had places for.
    Ok(Taken { length, held: length, is_all: false })
}

/// Sends on what it takes; the pipe, which is empty, has room for what cannot be sent at once.
fn by_hand(from: &impl Stream, to: &impl Stream, pipe: &Pipe) -> io::Result<Taken> {
    let mut bytes = [0; FEW];
    let length = recv(from.as_fd().as_raw_fd(), &mut bytes, MsgFlags::empty())?;
    if length == 0 {
        return Ok(Taken { length, held: 0, is_all: true });
    }
    let send = || Ok(send(to.as_fd().as_raw_fd(), &bytes[..length], MsgFlags::MSG_NOSIGNAL)?);
    let sent = match to.try_write(send) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
        sent => sent?,
    };
    let held = match length - sent {
        0 => 0,
        _ => nix::unistd::write(&pipe.r#in, &bytes[sent..length])?,
    };
    Ok(Taken { length, held, is_all: length < bytes.len() })
}

fn shutdown(stream: &impl Stream) -> io::Result<()> {
    match socket::shutdown(stream.as_fd().as_raw_fd(), Shutdown::Write) {
        // The other side has gone already; its reading says how.
        Ok(()) | Err(nix::errno::Errno::ENOTCONN) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

impl Stream for TcpStream {
    async fn readable(&self) -> io::Result<()> {
        TcpStream::readable(self).await
    }

    async fn writable(&self) -> io::Result<()> {
        TcpStream::writable(self).await
    }

    fn try_read<T>(&self, read: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        self.try_io(Interest::READABLE, read)
    }

    fn emptied(&self) {
        // Readiness is cleared by what says that there is none.
        let _cleared = self.try_io(Interest::READABLE, || Err::<(), _>(io::ErrorKind::WouldBlock.into()));
    }

    fn try_write<T>(&self, write: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        self.try_io(Interest::WRITABLE, write)
    }

    async fn broken(&self) -> io::Error {
        loop {
            if let Err(error) = self.ready(Interest::ERROR).await {
                return error;
            }
            if let Ok(Some(error)) = self.take_error() {
                return error;
            }
            // An alarm without an error; readiness cannot be cleared without one, so it is looked at again later.
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    }
}
