//! The server of `debug` as gdb's remote protocol has it (gdb manual, "Remote Protocol"), packet by packet.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Stdio};

use opml_toolchain::elf::Elf;
use opml_toolchain::file;

use crate::common::xtask;
use crate::{guest, input};

/// A connection to a server.
struct Client {
    stream: TcpStream,
    server: Child,
    /// What the server still has to say of how to connect.
    _said: BufReader<ChildStdout>,
    _input: tempfile::NamedTempFile,
}

impl Client {
    fn new(byte: u8) -> Self {
        let input = input(byte);
        let mut command = xtask();
        command.arg("debug").arg(guest()).arg("--input").arg(input.path());
        command.args(["--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut server = command.spawn().expect("the command line was built with its tests");
        let mut line = String::new();
        let mut said = BufReader::new(server.stdout.take().expect("it is piped"));
        said.read_line(&mut line).expect("it is text");
        let address = line.trim().strip_prefix("waiting for gdb at ").unwrap_or_else(|| panic!("{line}"));
        let stream = TcpStream::connect(address).expect("the server listens");
        Self { stream, server, _said: said, _input: input }
    }

    /// Sends a packet.
    fn send(&mut self, content: &str) {
        let sum = content.bytes().fold(0_u8, u8::wrapping_add);
        write!(self.stream, "${content}#{sum:02x}").expect("the server reads");
    }

    /// The content of the next packet.
    fn receive(&mut self) -> String {
        let mut content = String::new();
        let mut is_packet = false;
        loop {
            let mut byte = [0];
            self.stream.read_exact(&mut byte).expect("the server answers");
            match byte[0] {
                b'$' => is_packet = true,
                b'#' => break,
                byte if is_packet => content.push(byte.into()),
                // That the packet before has come.
                b'+' => {}
                other => panic!("{other:#x} between packets"),
            }
        }
        self.stream.read_exact(&mut [0; 2]).expect("a sum follows");
        self.stream.write_all(b"+").expect("the server reads");
        content
    }

    /// The answer to a packet; runs of a character are written out.
    fn ask(&mut self, content: &str) -> String {
        self.send(content);
        let answer = self.receive();
        let mut text = String::new();
        let mut bytes = answer.bytes();
        while let Some(byte) = bytes.next() {
            match byte {
                b'*' => {
                    let more = bytes.next().expect("a count") - 29;
                    let last = text.chars().last().expect("a character that is repeated");
                    text.extend((0..more).map(|_| last));
                }
                byte => text.push(byte.into()),
            }
        }
        text
    }

    /// Register `number` of the answer to `g`.
    fn register(&mut self, number: usize) -> u32 {
        let all = self.ask("g");
        u32::from_str_radix(&all[8 * number..8 * (number + 1)], 16).expect("it is available")
    }

    fn pc(&mut self) -> u32 {
        self.register(37)
    }

    /// What a `monitor` command says.
    fn monitor(&mut self, command: &str) -> String {
        let hex: String = command.bytes().map(|byte| format!("{byte:02x}")).collect();
        self.send(&format!("qRcmd,{hex}"));
        let mut said = String::new();
        loop {
            let answer = self.receive();
            let Some(hex) = answer.strip_prefix('O').filter(|hex| *hex != "K") else { return said };
            let bytes = (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16));
            said += &String::from_utf8(bytes.map(|byte| byte.expect("hex")).collect()).expect("text");
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // The server ends when the connection does; one that hangs must not outlive the test.
        let _closed = self.stream.shutdown(std::net::Shutdown::Both);
        let _ended = self.server.wait();
    }
}

/// The address of a symbol of the guest, by the end of its name.
fn address(name: &str) -> u32 {
    let elf =
        Elf::parse(std::fs::read(guest().join(file::DEBUG)).expect("it was built")).expect("an ELF file");
    let found = elf.symbols().iter().find(|symbol| elf.symbol_name(symbol).ends_with(name));
    found.unwrap_or_else(|| panic!("no {name}")).address as u32
}

/// Asserts that the program was stopped by a signal, SIGTRAP (5) for all that gdb asked for.
#[track_caller]
fn assert_stopped(answer: &str, signal: u8) {
    let says = answer.strip_prefix(['S', 'T']).and_then(|rest| u8::from_str_radix(rest.get(..2)?, 16).ok());
    assert_eq!(says, Some(signal), "{answer}");
}

#[test]
fn it_says_what_machine_this_is() {
    let mut client = Client::new(0);
    let features = client.ask("qSupported:swbreak+;hwbreak+");
    for feature in ["qXfer:features:read+", "ReverseStep+", "ReverseContinue+", "swbreak+"] {
        assert!(features.contains(feature), "no {feature} in {features}");
    }
    let description = client.ask("qXfer:features:read:target.xml:0,fff");
    assert!(description.contains("<architecture>mips:isa32</architecture>"), "{description}");
    let registers = client.ask("g");
    assert_eq!(registers.len(), 8 * 72);
    assert!(registers.ends_with(&"x".repeat(8 * 34)), "no floating-point unit");
    assert_eq!((client.register(29), client.pc()), (0x7fff_d000, 0x0001_0000));
    // The first instruction, as the program's file has it.
    let elf =
        Elf::parse(std::fs::read(guest().join(file::PROGRAM)).expect("it was built")).expect("an ELF file");
    let first: String =
        elf.segment_data(&elf.segments()[0])[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(client.ask("m10000,8"), first);
}

#[test]
fn breakpoints_steps_and_the_way_back() {
    let mut client = Client::new(0);
    let start = address("::load_word");
    assert_eq!(client.ask(&format!("Z0,{start:x},4")), "OK");
    assert_stopped(&client.ask("vCont;c"), 5);
    assert_eq!(client.pc(), start);
    let here = client.monitor("steps");
    client.ask("vCont;s");
    assert_eq!(client.pc(), start + 4);
    assert_stopped(&client.ask("bs"), 5);
    assert_eq!(client.pc(), start);
    assert_eq!(client.monitor("steps").split(';').next(), here.split(';').next());
    // To the end, which is not the end of the session, and back to the breakpoint.
    assert!(client.ask("vCont;c").contains("replaylog:end"));
    assert_stopped(&client.ask("bc"), 5);
    assert_eq!(client.pc(), start);
    assert!(client.ask("bc").contains("replaylog:begin"));
    assert_eq!(client.pc(), 0x0001_0000);
    assert!(client.ask("bs").contains("replaylog:begin"));
    assert_eq!(client.ask(&format!("z0,{start:x},4")), "OK");
    assert!(client.ask("vCont;c").contains("replaylog:end"));
    // No claim was given, so the program says that its output is another.
    assert_eq!(client.ask("vCont;c"), "W01");
}

#[test]
fn watches_stop_before_the_access() {
    let mut client = Client::new(0);
    let (words, load) = (address("::WORDS"), address("::load_word"));
    assert_eq!(client.ask(&format!("Z3,{words:x},4")), "OK");
    let stopped = client.ask("vCont;c");
    assert!(stopped.contains(&format!("rwatch:{words:06x};")), "{stopped}");
    assert_eq!(client.pc(), load);
    assert_eq!(client.ask(&format!("z3,{words:x},4")), "OK");
    assert!(client.ask("vCont;c").contains("replaylog:end"), "a watch that is gone stops nothing");
    // Nothing writes to them.
    assert_eq!(client.ask(&format!("Z2,{words:x},10")), "OK");
    assert!(client.ask("bc").contains("replaylog:begin"));
}

#[test]
fn nothing_can_be_changed() {
    let mut client = Client::new(0);
    let registers = client.ask("g").replace('x', "0");
    assert!(client.ask(&format!("G{}", registers.replace("7fffd000", "7fffc000"))).starts_with('E'));
    assert_eq!(client.register(29), 0x7fff_d000);
    assert!(client.ask("M15000,1:05").starts_with('E'));
}

#[test]
fn a_fault_is_a_signal() {
    let mut client = Client::new(1);
    // SIGBUS
    assert_stopped(&client.ask("vCont;c"), 10);
    assert_eq!(client.pc(), address("::load_word"));
    assert!(client.monitor("why").starts_with("unaligned read of 4 bytes"));
    assert!(client.monitor("backtrace").contains("opml_guest::main"));
    assert!(client.monitor("goto 10").starts_with("step 10"));
    assert!(client.monitor("why").starts_with("the program has not failed here"));
    assert!(client.monitor("goto x").starts_with("a step is a number"));
}
