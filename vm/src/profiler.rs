//! A run that is counted: how often each instruction was executed, and in which calls.
//!
//! `fast` is told to stop at every taken branch, so that what it ran in between is one piece of consecutive words. A
//! piece is counted as a whole; what ended it says whether a function was called or left. So every step is counted
//! once, whatever the program does.
//!
//! The calls are made out from the instructions: `jal` and `jalr` call, `jr` to where a call returns to returns, and any
//! other jump to the first instruction of a function is a call in the place of the function that jumps. Code that
//! keeps to no convention gets calls that look odd, and its steps are counted all the same.

use std::collections::{BTreeMap, HashMap};

use foldhash::fast::RandomState;

use crate::cpu::MARGIN;
use crate::{Host, Stop, Vm, VmError};

/// Most calls that are told apart by where they came from; further ones count for the caller.
const MAX_CONTEXTS: usize = 1 << 16;
/// Most calls inside each other; deeper ones count for the deepest.
const MAX_DEPTH: usize = 1 << 10;
/// How many calls a return may leave at once: one that leaves more is taken for a jump.
const MAX_UNWOUND: usize = 64;
/// Most different pieces of code, for each call that is told apart. They take 32 bytes each.
const MAX_PIECES: usize = 1 << 22;

/// A function as it was called from one place, in one stack of calls.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Context {
    /// Index of the caller's context; none for the program's start.
    pub parent: Option<usize>,
    /// Address of the jump that called, or of what was in its place before; 0 for the program's start.
    pub site: u32,
    /// Address of the function's first instruction, as far as the jump says it.
    pub entry: u32,
    /// How often it was called.
    pub calls: u64,
}

/// Consecutive instructions that were executed equally often in a context.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Span {
    /// Index of the context.
    pub context: usize,
    /// Address of the first instruction.
    pub start: u32,
    /// How many instructions they are.
    pub words: u32,
    /// How often each was executed.
    pub executions: u64,
}

/// What a run did, see [`Profiler::finish`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Counts {
    /// The contexts in the order of their first call: a parent comes before its children.
    pub contexts: Vec<Context>,
    /// All that was executed, sorted; no two spans of a context overlap.
    pub spans: Vec<Span>,
}

/// A VM that counts. The program computes what it does in [`Vm::run`], in the same steps.
pub struct Profiler {
    vm: Vm,
    /// Addresses of functions, sorted.
    functions: Vec<u32>,
    contexts: Vec<Context>,
    children: HashMap<(usize, u32, u32), usize, RandomState>,
    /// The calls that have not returned: where each returns to, and the context that it was made in.
    stack: Vec<(u32, usize)>,
    context: usize,
    pieces: HashMap<Piece, u64, RandomState>,
    /// The last piece and how often it ran in a row: a tight loop is looked up once.
    last: (Piece, u64),
    /// A jump whose delay slot comes next.
    jump: Option<u32>,
}

/// Consecutive words that were executed in one go.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
struct Piece {
    context: usize,
    start: u32,
    words: u32,
}

impl Profiler {
    /// A profiler for the rest of `vm`'s run. `functions` are the addresses where functions begin, in any order; without
    /// them a jump from a function into another one is not noticed.
    pub fn new(vm: Vm, mut functions: Vec<u32>) -> Self {
        functions.sort_unstable();
        let start = Context { parent: None, site: 0, entry: vm.pc(), calls: 1 };
        Self {
            vm,
            functions,
            contexts: vec![start],
            children: HashMap::default(),
            stack: Vec::new(),
            context: 0,
            pieces: HashMap::default(),
            last: Default::default(),
            jump: None,
        }
    }

    /// The VM.
    pub fn vm(&self) -> &Vm {
        &self.vm
    }

    /// Runs until the program exits, but at most `limit` steps.
    ///
    /// # Errors
    /// Those of [`Vm::run`], and [`VmError::TooManyPieces`].
    pub fn run(&mut self, host: &mut impl Host, limit: u64) -> Result<Stop, VmError> {
        let mut left = limit;
        while self.vm.exit_code().is_none() && left > 0 {
            let start = self.vm.pc();
            let piece = if left > MARGIN as u64 { self.vm.run_piece()? } else { 0 };
            match piece {
                0 => self.step(host)?,
                words => {
                    self.count(start, words as u32)?;
                    self.follow(start, words as u32);
                }
            }
            left -= piece.max(1);
        }
        Ok(self.vm.exit_code().map_or(Stop::Limit, |code| Stop::Exited { code }))
    }

    /// What was counted.
    pub fn finish(mut self) -> Counts {
        self.put_away();
        // Where the number of executions changes, and by how much.
        let mut edges: BTreeMap<(usize, u64), i128> = BTreeMap::new();
        for (piece, count) in self.pieces {
            let start = u64::from(piece.start);
            *edges.entry((piece.context, start)).or_default() += i128::from(count);
            *edges.entry((piece.context, start + 4 * u64::from(piece.words))).or_default() -=
                i128::from(count);
        }
        let mut spans = Vec::new();
        let mut executions = 0;
        let mut edges = edges.into_iter().peekable();
        while let Some(((context, start), change)) = edges.next() {
            executions += change;
            // What ends in a context begins in it, so the count is 0 where the next context comes.
            if let Some(&((_, end), _)) = edges.peek().filter(|_| executions > 0) {
                let words = ((end - start) / 4) as u32;
                spans.push(Span { context, start: start as u32, words, executions: executions as u64 });
            }
        }
        Counts { contexts: self.contexts, spans }
    }

    /// Executes and counts one instruction.
    fn step(&mut self, host: &mut impl Host) -> Result<(), VmError> {
        let vm = &mut self.vm;
        let from = vm.pc;
        let is_jump = matches!(Jump::of(vm.cpu.space.word(from)), Some(jump) if jump != Jump::Branch);
        vm.step(host)?;
        vm.check_pages()?;
        let (now, next) = (vm.pc, vm.next_pc);
        self.count(from, 1)?;
        match self.jump.take() {
            // That was its delay slot.
            Some(jump) => self.jumped(jump, now),
            None => self.jump = (is_jump || next != now.wrapping_add(4)).then_some(from),
        }
        Ok(())
    }

    fn count(&mut self, start: u32, words: u32) -> Result<(), VmError> {
        let piece = Piece { context: self.context, start, words };
        if self.last.0 == piece {
            self.last.1 += 1;
            return Ok(());
        }
        self.put_away();
        self.last = (piece, 1);
        match self.pieces.len() > MAX_PIECES {
            true => Err(VmError::TooManyPieces { limit: MAX_PIECES }),
            false => Ok(()),
        }
    }

    fn put_away(&mut self) {
        let (piece, count) = std::mem::take(&mut self.last);
        if count > 0 {
            *self.pieces.entry(piece).or_default() += count;
        }
    }

    /// What the piece ended with, if it is a jump: that is its last but one word.
    fn follow(&mut self, start: u32, words: u32) {
        if words < 2 {
            return;
        }
        let end = start.wrapping_add(4 * words);
        let (jump, now) = (end.wrapping_sub(8), self.vm.pc());
        match Jump::of(self.vm.cpu.space.word(jump)) {
            // Not taken, or none.
            None | Some(Jump::Branch) if now == end => {}
            _ => self.jumped(jump, now),
        }
    }

    /// The jump or branch at `site` went to `target`.
    fn jumped(&mut self, site: u32, target: u32) {
        match Jump::of(self.vm.cpu.space.word(site)) {
            Some(Jump::Call) => self.call(site, target),
            Some(Jump::Register) => {
                let frames = self.stack.iter().rev().take(MAX_UNWOUND);
                match frames.clone().position(|&(back, _)| back == target) {
                    Some(above) => {
                        self.stack.truncate(self.stack.len() - above);
                        self.context = self.stack.pop().map_or(0, |(_, context)| context);
                    }
                    None => self.replace(target),
                }
            }
            _ => self.replace(target),
        }
    }

    fn call(&mut self, site: u32, target: u32) {
        if self.stack.len() < MAX_DEPTH {
            self.stack.push((site.wrapping_add(8), self.context));
            self.context = self.child(self.context, site, target);
        }
    }

    /// A jump that is no return: into another function, which then stands where this one did, or within this one.
    fn replace(&mut self, target: u32) {
        let Context { parent, site, entry, .. } = self.contexts[self.context];
        if target != entry && self.functions.binary_search(&target).is_ok() {
            // What the program starts with has no caller, so that what comes after it is taken to be called by it.
            self.context = self.child(parent.unwrap_or(self.context), site, target);
        }
    }

    /// The context of `entry` called at `site` in the context `parent`.
    fn child(&mut self, parent: usize, site: u32, entry: u32) -> usize {
        let key = (parent, site, entry);
        let child = match self.children.get(&key) {
            Some(&child) => child,
            None if self.contexts.len() == MAX_CONTEXTS => return parent,
            None => {
                self.contexts.push(Context { parent: Some(parent), site, entry, calls: 0 });
                self.children.insert(key, self.contexts.len() - 1);
                self.contexts.len() - 1
            }
        };
        self.contexts[child].calls += 1;
        child
    }
}

/// What can end a piece.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Jump {
    /// `jal`, and `jalr` that keeps where it came from.
    Call,
    /// `jr`, and `jalr` that does not.
    Register,
    /// `j`.
    Always,
    /// A branch, taken or not.
    Branch,
}

impl Jump {
    fn of(word: u32) -> Option<Self> {
        let link = word >> 11 & 31;
        match (word >> 26, word & 0x3f) {
            (0, 9) if link != 0 => Some(Self::Call),
            (0, 8 | 9) => Some(Self::Register),
            (2, _) => Some(Self::Always),
            (3, _) => Some(Self::Call),
            (1 | 4..=7, _) => Some(Self::Branch),
            _ => None,
        }
    }
}
