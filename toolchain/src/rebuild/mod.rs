//! Places to build a program again in, to see whether the same comes out: a fresh folder of this machine, and a whole system of
//! its own.

mod clean_room;
mod containerfile;
mod fresh;

pub use clean_room::{CleanRoom, CleanRoomError};
pub use containerfile::{Containerfile, ContainerfileError, Step};
pub use fresh::{FreshPlace, same_tool};
