//! Rules of the repository that no compiler checks. Each test names all violations at once.

mod crates;
mod documents;
mod hosts;
mod images;
mod licences;
mod repository;
mod syntax;
