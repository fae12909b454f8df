//! The app's connection where the lobby's kernel ends it.
//!
//! Promises: nothing happens to it but by a segment of the app, each of which the gateway hands over itself, and which
//! the kernel has dealt with by then. So the one who hands over says what there may be now ([`News`]), and the kernel is
//! not asked to: neither registration nor wakening is paid for each short connection.
//! What a timer of the kernel ends by itself, after a quarter of an hour of an app's kernel that is silent, is noticed
//! when something is tried next.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd};
use std::rc::Rc;
use std::task::{Poll, Waker};

use super::packet::Segment;
use super::relay::Stream;

/// Something to look at, until it is lowered. One task may wait for it.
#[derive(Debug, Default)]
pub struct Signal {
    is_raised: Cell<bool>,
    waiting: RefCell<Option<Waker>>,
}

impl Signal {
    pub fn raise(&self) {
        self.is_raised.set(true);
        if let Some(waiting) = self.waiting.take() {
            waiting.wake();
        }
    }

    pub fn lower(&self) {
        self.is_raised.set(false);
    }

    pub async fn raised(&self) {
        poll_fn(|context| {
            if self.is_raised.get() {
                return Poll::Ready(());
            }
            *self.waiting.borrow_mut() = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Tries what may be possible while the signal is raised; lowers it if that would block.
    fn attempt<T>(&self, attempt: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        if !self.is_raised.get() {
            return Err(ErrorKind::WouldBlock.into());
        }
        let result = attempt();
        if result.as_ref().is_err_and(|error| error.kind() == ErrorKind::WouldBlock) {
            self.lower();
        }
        result
    }
}

/// What may have become possible with a connection.
#[derive(Debug, Default)]
pub struct News {
    readable: Signal,
    writable: Signal,
    /// The app's end has come, or comes once the kernel has all before it.
    is_ending: Cell<bool>,
}

impl News {
    /// A segment of the app is on its way to the lobby, and is there before any task runs again.
    pub fn brings(&self, segment: &Segment) {
        if segment.length > 0 || segment.resets() {
            self.readable.raise();
        }
        if segment.ends() {
            self.is_ending.set(true);
        }
        self.writable.raise();
    }
}

/// The lobby's end of a connection.
#[derive(Debug)]
pub struct Guest {
    /// Does not block.
    stream: TcpStream,
    news: Rc<News>,
}

impl Guest {
    pub fn new(stream: TcpStream, news: Rc<News>) -> Self {
        news.writable.raise();
        Self { stream, news }
    }
}

impl AsFd for Guest {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

impl Stream for Guest {
    async fn readable(&self) -> io::Result<()> {
        self.news.readable.raised().await;
        Ok(())
    }

    async fn writable(&self) -> io::Result<()> {
        self.news.writable.raised().await;
        Ok(())
    }

    fn try_read<T>(&self, read: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        self.news.readable.attempt(read)
    }

    fn emptied(&self) {
        if !self.news.is_ending.get() {
            self.news.readable.lower();
        }
    }

    fn try_write<T>(&self, write: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        self.news.writable.attempt(write)
    }

    async fn broken(&self) -> io::Error {
        loop {
            self.news.readable.raised().await;
            match self.stream.take_error() {
                Ok(None) => self.news.readable.lower(),
                Ok(Some(error)) | Err(error) => return error,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::packet::Header;
    use super::*;
    use std::future::Future;
    use std::pin::pin;
    use std::task::Context;

    fn is_ready(future: impl Future) -> bool {
        pin!(future).poll(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    fn blocked() -> io::Result<()> {
        Err(ErrorKind::WouldBlock.into())
    }

    #[test]
    fn a_signal_stays_until_it_would_block() {
        let signal = Signal::default();
        assert!(!is_ready(signal.raised()));
        assert!(signal.attempt(|| -> io::Result<()> { panic!("nothing to try") }).is_err());
        signal.raise();
        signal.attempt(|| Ok(())).expect("an attempt");
        assert!(is_ready(signal.raised()));
        assert!(signal.attempt(blocked).is_err());
        assert!(!is_ready(signal.raised()));
    }

    #[tokio::test]
    async fn who_waits_is_woken() {
        let signal = Signal::default();
        tokio::join!(signal.raised(), async {
            tokio::task::yield_now().await;
            signal.raise();
        });
    }

    #[test]
    fn after_an_end_a_short_read_is_not_the_last() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a listener");
        let _app = TcpStream::connect(listener.local_addr().expect("an address")).expect("a connection");
        let news = Rc::<News>::default();
        let guest = Guest::new(listener.accept().expect("a connection").0, Rc::clone(&news));
        assert!(!is_ready(guest.readable()));
        news.brings(&segment(0b1_0000, 3));
        assert!(is_ready(guest.readable()));
        guest.emptied();
        news.brings(&segment(0b1_0000, 0));
        assert!(!is_ready(guest.readable()), "a mere acknowledgement");
        news.brings(&segment(0b1_0001, 3));
        guest.emptied();
        assert!(is_ready(guest.readable()), "the end has yet to be read");
        assert!(guest.try_read(blocked).is_err());
        assert!(!is_ready(guest.readable()), "what came before it has yet to come");
    }

    fn segment(flags: u8, payload: u8) -> Segment {
        let mut ip = vec![0x45, 0, 0, 40 + payload, 0, 0, 0, 0, 64, 6, 0, 0, 10, 219, 0, 2, 198, 18, 0, 1];
        ip.extend([0, 9, 0, 9, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, flags, 0, 0, 0, 0, 0, 0]);
        ip.resize(40 + usize::from(payload), 0);
        Segment::read(&ip, &Header::read(&ip).expect("a header")).expect("a segment")
    }
}
