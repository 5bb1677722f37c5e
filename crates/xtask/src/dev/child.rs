//! Child processes that never outlive this one: ended when dropped and, on Linux, by the kernel when this
//! process is killed hard.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child as Process, Command, ExitStatus, Stdio};

use anyhow::Context as _;
use clap::Args;

/// A program that runs beside this one.
pub(crate) struct Child {
    name: &'static str,
    process: Process,
}

impl Child {
    /// Starts `program` with `arguments`, its temporary files in `scratch`. Call it from the main thread only:
    /// Linux ends the child when the *thread* that started it ends.
    pub(crate) fn start(
        name: &'static str,
        program: impl Into<OsString>,
        arguments: &[OsString],
        scratch: &Path,
        stdout: Stdio,
        stderr: Stdio,
    ) -> anyhow::Result<Self> {
        let process = Command::new(std::env::current_exe()?)
            .arg("run-child")
            .arg(std::process::id().to_string())
            .arg(program.into())
            .args(arguments)
            .env("TMPDIR", scratch)
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(stderr)
            // A group of its own, so that Ctrl-C reaches this process alone, which then ends the child.
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        Ok(Self { name, process })
    }

    /// What people call it.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// Its standard output, once, when that was asked for.
    pub(crate) fn take_stdout(&mut self) -> Option<std::process::ChildStdout> {
        self.process.stdout.take()
    }

    /// How it ended, when it has.
    pub(crate) fn ended(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        Ok(self.process.try_wait()?)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // Killed, not asked: the data is thrown away, and SeaweedFS takes 15 seconds to say goodbye.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The hidden command that becomes the child.
#[derive(Args)]
pub(crate) struct Options {
    /// The process that the child must not outlive.
    parent: u32,
    program: OsString,
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

/// Ties this process to its parent and becomes the program.
pub(crate) fn run(options: &Options) -> anyhow::Result<std::convert::Infallible> {
    end_with(options.parent)?;
    let error = Command::new(&options.program).args(&options.arguments).exec();
    Err(error).with_context(|| format!("cannot start {}", options.program.display()))
}

#[cfg(target_os = "linux")]
fn end_with(parent: u32) -> anyhow::Result<()> {
    use rustix::process::{Signal, getppid, set_parent_process_death_signal};
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // The parent may have died before the line above.
    let now = getppid().map_or(0, |pid| pid.as_raw_nonzero().get());
    anyhow::ensure!(
        i64::from(now) == i64::from(parent),
        "the process that started this one is gone"
    );
    Ok(())
}

/// Elsewhere a hard kill leaves the child to the user; a signal or an error does not.
#[cfg(not(target_os = "linux"))]
fn end_with(_parent: u32) -> anyhow::Result<()> {
    Ok(())
}
