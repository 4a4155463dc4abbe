//! A repository of this machine, which Git's own program serves: [`connect`].
//!
//! It is asked and answers in large pieces, and any byte of them is heard, as in `web`; gix would read and write each line by
//! itself, and hear only of what the program tells of how far it is.

use super::beat::Beat;
use super::web::Heard;
use gix::bstr::{BStr, BString};
use gix::protocol::transport::client::blocking_io::{RequestWriter, SetServiceResponse, Transport};
use gix::protocol::transport::client::git::ConnectMode;
use gix::protocol::transport::client::git::blocking_io::Connection;
use gix::protocol::transport::client::{Error, MessageKind, TransportWithoutIO, WriteMode};
use gix::protocol::transport::{Protocol, Service};
use std::any::Any;
use std::borrow::Cow;
use std::io::{BufReader, BufWriter};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// What Git takes for variables of one repository (`git rev-parse --local-env-vars`), and not of the one that is served.
const OF_A_REPOSITORY: [&str; 15] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_CONFIG",
    "GIT_CONFIG_PARAMETERS",
    "GIT_CONFIG_COUNT",
    "GIT_OBJECT_DIRECTORY",
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_GRAFT_FILE",
    "GIT_INDEX_FILE",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_REPLACE_REF_BASE",
    "GIT_PREFIX",
    "GIT_SHALLOW_FILE",
    "GIT_COMMON_DIR",
];

type Pipes = Connection<BufReader<Heard<ChildStdout>>, BufWriter<ChildStdin>>;

/// A connection to the repository at `path`; `None` where Git's program for that is not to be found.
pub(super) fn connect(path: &BStr, version: Protocol, beat: Beat) -> Option<Box<dyn Transport + Send>> {
    if path.first() == Some(&b'-') {
        return None;
    }
    let mut command = Command::new("git-upload-pack");
    command.arg(gix::path::from_bstr(path).ok()?.as_os_str());
    OF_A_REPOSITORY.iter().for_each(|name| {
        command.env_remove(name);
    });
    command.env("GIT_PROTOCOL", format!("version={}", version as usize));
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
    let (said, asked) = (child.stdout.take()?, child.stdin.take()?);
    let said = BufReader::with_capacity(1 << 16, Heard { from: said, beat });
    let path = BString::from(path);
    let pipes =
        Connection::new(said, BufWriter::new(asked), version, path, None::<(&str, _)>, ConnectMode::Process, false);
    Some(Box::new(Served { pipes, child }))
}

struct Served {
    pipes: Pipes,
    child: Child,
}

impl Drop for Served {
    fn drop(&mut self) {
        // It has ended, unless something has gone wrong.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl TransportWithoutIO for Served {
    fn to_url(&self) -> Cow<'_, BStr> {
        self.pipes.to_url()
    }

    fn connection_persists_across_multiple_requests(&self) -> bool {
        true
    }

    fn configure(&mut self, _: &dyn Any) -> gix::Result<()> {
        Ok(())
    }
}

impl Transport for Served {
    fn handshake<'a>(
        &mut self,
        service: Service,
        extra_parameters: &'a [(&'a str, Option<&'a str>)],
    ) -> Result<SetServiceResponse<'_>, Error> {
        self.pipes.handshake(service, extra_parameters)
    }

    fn request(
        &mut self,
        write_mode: WriteMode,
        on_into_read: MessageKind,
        trace: bool,
    ) -> Result<RequestWriter<'_>, Error> {
        self.pipes.request(write_mode, on_into_read, trace)
    }
}
