//! `preimage-server INPUT`: answers Cannon's `run … -- preimage-server INPUT` with the values of a request for the
//! input blob in the file `INPUT`, the same that [`opml_tests::guest::request`] gives our VM.
//!
//! Cannon hands over four descriptors: 3 and 4 for hints (a 4-byte length and the hint come in, any byte goes
//! out), 5 and 6 for preimages (32 bytes of key come in, an 8-byte length and the preimage go out).

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::thread;

use opml_tests::guest;
use opml_vm::{GuestHost, Host};

fn main() {
    let path = std::env::args_os().nth(1).expect("usage: preimage-server INPUT");
    let input = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let host = GuestHost::new(guest::request(input));
    let hints = thread::spawn(|| serve_hints().expect("the hint descriptors work"));
    serve_preimages(host).expect("the preimage descriptors work");
    hints.join().expect("the hints were taken");
}

/// The two ends of a channel. Opening them by name needs no claim that a number is an open file.
fn channel(incoming: u32, outgoing: u32) -> io::Result<(File, File)> {
    let incoming = File::open(format!("/dev/fd/{incoming}"))?;
    Ok((incoming, OpenOptions::new().write(true).open(format!("/dev/fd/{outgoing}"))?))
}

/// Acknowledges each hint: what the guest sends is in its memory, and nothing has to be prepared.
fn serve_hints() -> io::Result<()> {
    let (mut incoming, mut outgoing) = channel(3, 4)?;
    let mut len = [0; 4];
    while is_next(&mut incoming, &mut len)? {
        let len = u64::from(u32::from_be_bytes(len));
        io::copy(&mut (&mut incoming).take(len), &mut io::sink())?;
        outgoing.write_all(&[0])?;
    }
    Ok(())
}

fn serve_preimages(mut host: GuestHost) -> io::Result<()> {
    let (mut incoming, mut outgoing) = channel(5, 6)?;
    let mut key = [0; 32];
    while is_next(&mut incoming, &mut key)? {
        let preimage = host.preimage(&key).map_err(io::Error::other)?;
        outgoing.write_all(&(preimage.len() as u64).to_be_bytes())?;
        outgoing.write_all(&preimage)?;
    }
    Ok(())
}

/// Reads the next message, if there is one before the end.
fn is_next(incoming: &mut File, message: &mut [u8]) -> io::Result<bool> {
    match incoming.read_exact(message) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        result => result.map(|()| true),
    }
}
