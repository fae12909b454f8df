//! An app behind a pseudo-terminal, as text-mode clients want one: 120 columns, 40 rows.
//!
//! What it draws is heard as text without the control sequences; where the cursor stood is not followed, so a word
//! that a full-screen client draws in two places is heard as two.

use super::listener::Ear;
use super::{Driver, Ends, Wires};
use nix::pty::{Winsize, openpty};
use overheard_model::design::DriverName;
use std::fs::File;
use std::io;

#[derive(Debug)]
pub(super) struct Terminal;

impl Driver for Terminal {
    fn name(&self) -> DriverName {
        DriverName::Terminal
    }

    fn connect(&self) -> io::Result<(Wires, Ends)> {
        let size = Winsize { ws_row: 40, ws_col: 120, ws_xpixel: 0, ws_ypixel: 0 };
        let ends = openpty(&size, None)?;
        close_on_exec(&ends.master)?;
        close_on_exec(&ends.slave)?;
        let (stdout, stderr) = (ends.slave.try_clone()?, ends.slave.try_clone()?);
        let wires = Wires { stdin: ends.slave, stdout, stderr, terminal: true };
        let master = File::from(ends.master);
        let outputs = vec![(master.try_clone()?, Ear::screen())];
        Ok((wires, Ends { input: master, outputs }))
    }
}

/// Other programs that are started meanwhile must not hold the terminal open.
fn close_on_exec(end: &impl std::os::fd::AsFd) -> io::Result<()> {
    use nix::fcntl::{FcntlArg, FdFlag, fcntl};
    fcntl(end, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
    Ok(())
}
