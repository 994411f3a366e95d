//! `attest`: keys, signatures and their verification, for the folder of a program.

use std::path::{Path, PathBuf};

use opml_attest::{KeyFileError, Layout, SealError, Sealed, generate, private_key, public_key};
use opml_toolchain::{BUILD_TYPES, file, write_atomically};

use crate::outcome::{Outcome, Result, Stop};
use crate::ui::{self, Format, table};

/// Sign what a program was made from, or check who did
///
/// A build writes provenance.json: which files it made, their hashes, and what it made them from. A
/// signature under it says that its owner vouches for that. As equal sources give equal statements, several
/// people can build for themselves and sign the same one. What it claims, and how to check it without this
/// tool, is in docs/provenance.md.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    Keygen(Keygen),
    Sign(Sign),
    Verify(Verify),
}

/// Make a pair of keys
///
/// The private key (ed25519, PKCS#8 in PEM, without a password) can be read by you alone. The public one
/// goes beside it, as KEY.pub.pem for KEY.pem; give it to those who verify. Nothing is overwritten.
/// `openssl genpkey -algorithm ed25519` makes the same.
#[derive(clap::Args)]
struct Keygen {
    /// File for the private key
    #[arg(value_name = "KEY.pem")]
    key: PathBuf,
}

/// Sign the statement of a program's folder
///
/// Writes provenance.dsse.json, if the files there are those of provenance.json: nothing is signed that is
/// not there. Signatures of others in that file stay. Sign what you have built yourself, or checked.
///
/// Exits with 0 if it was signed, 1 if the folder is not what its statement says, 2 if it could not be done.
#[derive(clap::Args)]
struct Sign {
    /// Folder of the program
    dir: PathBuf,
    /// The private key
    #[arg(long, value_name = "KEY.pem")]
    key: PathBuf,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// Check that somebody signed the files of a program's folder
///
/// The envelope provenance.dsse.json has to have a signature of the key, and the folder to hold the files of
/// the statement in it: these bytes, all of them, and nothing else but the folder proofs that `prove`
/// writes. Whether the statement itself is true is another question: its signer says so.
///
/// Exits with 0 if all holds, 1 if not, 2 if it could not be checked, as a file is missing.
#[derive(clap::Args)]
struct Verify {
    /// Folder of the program
    dir: PathBuf,
    /// The signer's public key
    #[arg(long, value_name = "KEY.pub.pem")]
    key: PathBuf,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// The folders that builds write, with what other commands put there.
const LAYOUT: Layout = Layout {
    statement: file::PROVENANCE,
    envelope: file::ENVELOPE,
    beside: &["proofs"],
    build_types: &BUILD_TYPES,
};

pub fn run(args: &Args) -> Result {
    match &args.action {
        Action::Keygen(args) => keygen(&args.key),
        Action::Sign(args) => sign(args),
        Action::Verify(args) => verify(args),
    }
}

fn keygen(path: &Path) -> Result {
    let (public, key) = generate(path).map_err(Stop::unable)?;
    let rows = [
        ("private key", format!("{}, keep it to yourself", path.display())),
        ("public key", public.display().to_string()),
        ("its name", key.id()),
    ];
    print!("{}", table::pairs(rows));
    Ok(Outcome::Done)
}

fn sign(args: &Sign) -> Result {
    let key = private_key(&args.key).map_err(unusable)?;
    let sealed = opml_attest::sign(&args.dir, &LAYOUT, &key).map_err(stop)?;
    let path = args.dir.join(file::ENVELOPE);
    write_atomically(&path, sealed.envelope.to_json().as_bytes()).map_err(Stop::unable)?;
    print(args.format, &sealed, "signed", [("written", path.display().to_string())]);
    Ok(Outcome::Done)
}

fn verify(args: &Verify) -> Result {
    let key = public_key(&args.key).map_err(unusable)?;
    let sealed = opml_attest::verify(&args.dir, &LAYOUT, &key).map_err(stop)?;
    print(args.format, &sealed, "holds", []);
    Ok(Outcome::Done)
}

/// A key that cannot be used says nothing of what it was to sign or to check.
fn unusable(error: KeyFileError) -> Stop {
    Stop::unable(error)
}

/// A folder without an envelope or a statement is no worse than others: it was not signed, or not built to its end.
fn stop(error: SealError) -> Stop {
    if error.is_unable() { Stop::unable(error) } else { Stop::rejected(error) }
}

fn print<const N: usize>(format: Format, sealed: &Sealed, verdict: &str, more: [(&str, String); N]) {
    let (subjects, provenance) = (sealed.statement.subjects(), sealed.statement.provenance());
    let parameters = &provenance.build_definition.external_parameters;
    if format == Format::Json {
        let files = subjects.iter().map(|s| (s.name.as_str(), s.sha256.as_str()));
        let json = serde_json::json!({
            "verdict": verdict,
            "key": sealed.key,
            "program": parameters.program,
            "target": parameters.target,
            "build_type": provenance.build_definition.build_type,
            "builder": provenance.run_details.builder.id,
            "sha256": files.collect::<std::collections::BTreeMap<_, _>>(),
            "signatures": sealed.envelope.signatures.iter().map(|s| &s.key).collect::<Vec<_>>(),
        });
        println!("{json:#}");
        return;
    }
    let names: Vec<&str> = subjects.iter().map(|subject| subject.name.as_str()).collect();
    // Whoever wrote the statement may have put anything there.
    let plain = |text: &str| text.escape_debug().to_string();
    let mut rows = vec![
        ("program", plain(&format!("{} for {}", parameters.program, parameters.target))),
        ("made from", plain(&parameters.source)),
        ("by way of", plain(&provenance.build_definition.build_type)),
        ("built by", plain(&provenance.run_details.builder.id)),
        ("files", names.join(", ")),
        (verdict, format!("the signature of the key {}", sealed.key)),
        ("signatures", ui::count(sealed.envelope.signatures.len() as u64)),
    ];
    rows.extend(more);
    print!("{}", table::pairs(rows));
}
