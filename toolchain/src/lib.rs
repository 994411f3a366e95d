//! The build pipeline: provision, compile, link, audit, load, commit, write.
