//! The ways to gdb: a socket, or standard input and output.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::thread;

use gdbstub::conn::{Connection, ConnectionExt};

/// A way to gdb.
pub struct Link {
    /// What gdb has sent, read by a thread of its own, so that a look at it never waits.
    received: Receiver<io::Result<u8>>,
    /// A byte that was looked at.
    peeked: Option<u8>,
    out: Box<dyn Write>,
}

impl Link {
    /// Over a socket.
    ///
    /// # Errors
    /// If the socket cannot be used from two threads.
    pub fn socket(stream: TcpStream) -> io::Result<Self> {
        // Requests and answers are short, and each waits for the other.
        stream.set_nodelay(true)?;
        Ok(Self::new(stream.try_clone()?, stream))
    }

    /// Over standard input and output, as `target remote | command` in gdb has it.
    pub fn stdio() -> Self {
        Self::new(io::stdin(), io::stdout())
    }

    fn new(mut from: impl Read + Send + 'static, out: impl Write + 'static) -> Self {
        let (sender, received) = channel();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            loop {
                let got = match from.read(&mut buffer) {
                    Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
                    other => other,
                };
                let sent = match got {
                    Ok(len) => buffer[..len].iter().try_for_each(|&byte| sender.send(Ok(byte))),
                    Err(error) => {
                        // Whether anybody hears it or not, this was the last.
                        let _gone = sender.send(Err(error));
                        return;
                    }
                };
                if sent.is_err() {
                    return;
                }
            }
        });
        Self { received, peeked: None, out: Box::new(out) }
    }
}

fn gone() -> io::Error {
    io::ErrorKind::UnexpectedEof.into()
}

impl Connection for Link {
    type Error = io::Error;

    fn write(&mut self, byte: u8) -> io::Result<()> {
        self.write_all(&[byte])
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl ConnectionExt for Link {
    fn read(&mut self) -> io::Result<u8> {
        match self.peeked.take() {
            Some(byte) => Ok(byte),
            None => self.received.recv().map_err(|_| gone())?,
        }
    }

    fn peek(&mut self) -> io::Result<Option<u8>> {
        if self.peeked.is_none() {
            self.peeked = match self.received.try_recv() {
                Ok(byte) => Some(byte?),
                Err(TryRecvError::Empty) => None,
                Err(TryRecvError::Disconnected) => return Err(gone()),
            };
        }
        Ok(self.peeked)
    }
}
