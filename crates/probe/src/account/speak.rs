//! The JSON-lines side of a driver: requests on standard input, events on standard output.
//!
//! Promises: requests are answered in their order; those that come before the login stands wait for it. Asked to quit,
//! or at the end of its input, the driver waits a moment for what the service still has to say of messages; asked to
//! quit before the login stands and before anything is to be sent, it ends. A line that is no request is noted on
//! standard error, without what it says.

use super::{Account, Fault, Sending, Service};
use crate::driver::{Event, Request};
use std::future::Future;
use std::io::{self, BufRead, Write};
use std::pin::pin;
use std::thread;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};

/// How long a login may take, and a farewell.
const LOGIN: Duration = Duration::from_secs(45);
const FAREWELL: Duration = Duration::from_secs(5);
/// Requests read ahead; all others wait in the pipe.
const AHEAD: usize = 64;

/// Drives an account by this program's own standard streams, until it is asked to quit, its input ends, or a signal
/// asks it to end.
pub fn speak(service: impl Service) -> Result<(), Fault> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Fault::Unfit(format!("no runtime: {error}")))?;
    let served = runtime.block_on(async {
        let (ask, requests) = mpsc::channel(AHEAD);
        // Not joined: a read of standard input cannot be broken off.
        thread::spawn(move || read(io::stdin().lock(), &ask));
        let asked_to_end = asked_to_end().map_err(|error| Fault::Unfit(format!("no signals: {error}")))?;
        serve(service, requests, &mut io::stdout(), asked_to_end).await
    });
    runtime.shutdown_background();
    served
}

/// The first of the signals that ask a program to end.
fn asked_to_end() -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = hang_up.recv() => {}
        }
    })
}

fn read(input: impl BufRead, ask: &mpsc::Sender<Request<String>>) {
    for line in input.split(b'\n').map_while(Result::ok) {
        match serde_json::from_slice(line.trim_ascii()) {
            Ok(request) => {
                if ask.blocking_send(request).is_err() {
                    return;
                }
            }
            Err(_) if line.trim_ascii().is_empty() => {}
            Err(_) => eprintln!("ignored: a line of {} bytes that is no request", line.len()),
        }
    }
}

/// Answers requests until there are no more, or `asked_to_end` is done.
async fn serve(
    service: impl Service,
    mut requests: mpsc::Receiver<Request<String>>,
    out: &mut impl Write,
    asked_to_end: impl Future<Output = ()>,
) -> Result<(), Fault> {
    let mut asked_to_end = pin!(asked_to_end);
    let mut early = None;
    let mut log_in = pin!(timeout(LOGIN, service.log_in()));
    let mut account = loop {
        tokio::select! {
            biased;
            account = &mut log_in => break account.map_err(|_| Fault::Slow(LOGIN.as_secs()))??,
            () = &mut asked_to_end => return Ok(()),
            first = requests.recv(), if early.is_none() => match first {
                Some(Request::Quit) => return Ok(()),
                other => early = Some(other),
            },
        }
    };
    let mut told = Told { out, awaited: Vec::new() };
    told.tell(&Event::Ready { account: account.name().to_owned() })?;
    let mut leaving = None;
    let ended = loop {
        if leaving.is_some() && told.awaited.is_empty() {
            break Ok(());
        }
        tokio::select! {
            // Whoever asks to end is not told of what else happened just then.
            biased;
            () = &mut asked_to_end => break Ok(()),
            () = sleep_until(leaving.unwrap_or_else(Instant::now)), if leaving.is_some() => break Ok(()),
            request = next(&mut early, &mut requests), if leaving.is_none() => match request {
                Some(Request::Send { id, to, text }) => match account.send(&id, &to, &text).await {
                    Ok(sending) => told.of(id, sending)?,
                    Err(fault) => {
                        told.awaited.push(id);
                        break Err(fault);
                    }
                },
                Some(Request::Quit) | None => leaving = Some(Instant::now() + FAREWELL),
            },
            event = account.hear() => match event {
                Ok(event) => told.tell(&event)?,
                Err(fault) => break Err(fault),
            },
        }
    };
    if let Err(fault) = &ended {
        told.lost(fault)?;
    }
    let _ = timeout(FAREWELL, account.log_out()).await;
    ended
}

/// The request that came before the login stood, and those behind it; none at their end.
async fn next(
    early: &mut Option<Option<Request<String>>>,
    requests: &mut mpsc::Receiver<Request<String>>,
) -> Option<Request<String>> {
    match early.take() {
        Some(request) => request,
        None => requests.recv().await,
    }
}

/// What was told, and the messages of which something is still to be told.
struct Told<'a, W> {
    out: &'a mut W,
    awaited: Vec<String>,
}

impl<W: Write> Told<'_, W> {
    fn tell(&mut self, event: &Event) -> Result<(), Fault> {
        if let Event::Sent { id } | Event::Error { id: Some(id), .. } = event {
            self.awaited.retain(|awaited| awaited != id);
        }
        let line = serde_json::to_string(event).map_err(|error| Fault::Unheard(error.into()))?;
        writeln!(self.out, "{line}").and_then(|()| self.out.flush()).map_err(Fault::Unheard)
    }

    fn of(&mut self, id: String, sending: Sending) -> Result<(), Fault> {
        match sending {
            Sending::Sent => self.tell(&Event::Sent { id }),
            Sending::Refused(message) => self.tell(&Event::Error { id: Some(id), message }),
            Sending::Awaited => {
                self.awaited.push(id);
                Ok(())
            }
        }
    }

    /// Nothing more will be heard of what is awaited.
    fn lost(&mut self, fault: &Fault) -> Result<(), Fault> {
        for id in std::mem::take(&mut self.awaited) {
            self.tell(&Event::Error { id: Some(id), message: fault.to_string() })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
