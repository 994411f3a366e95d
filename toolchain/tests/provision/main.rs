//! The provider of packages, end to end: a real subprocess in the package manager's place, real packages,
//! real files. Nothing here needs a network or a package manager.

mod corpus;
mod hostile;
mod install;
mod processes;
mod providers;
mod support;
mod transfer;
