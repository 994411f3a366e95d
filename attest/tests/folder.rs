//! A signed folder, and what can be done to it: each of it has its own error.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use opml_attest::{
    Difference, Envelope, EnvelopeError, FolderError, JsonError, KeyFileError, Layout, MAX_ENVELOPE,
    MAX_SIGNATURES, MAX_STATEMENT, PrivateKey, Provenance, SealError, Statement, StatementError, Subject,
    generate, private_key, public_key, sign, verify,
};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

const LAYOUT: Layout = Layout {
    statement: "provenance.json",
    envelope: "provenance.dsse.json",
    beside: &["proofs"],
    build_types: &["urn:example:build"],
};
const FILES: [(&str, &[u8]); 3] =
    [("manifest.json", b"{}\n"), ("program.elf", b"\x7fELF"), ("empty.bin", b"")];

fn key(seed: u8) -> PrivateKey {
    PrivateKey::from_seed(&[seed; 32])
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn statement() -> Statement {
    let mut provenance = Provenance::default();
    provenance.build_definition.build_type = "urn:example:build".to_owned();
    let subject = |(name, bytes): (&str, &[u8])| Subject { name: name.to_owned(), sha256: sha256(bytes) };
    Statement::new(FILES.map(subject).into(), provenance).expect("it is a statement")
}

/// A folder with its files and its statement.
fn folder() -> TempDir {
    let dir = tempfile::tempdir().expect("there is room");
    for (name, bytes) in FILES {
        fs::write(dir.path().join(name), bytes).expect("the file can be written");
    }
    fs::write(dir.path().join(LAYOUT.statement), statement().to_json()).expect("the file can be written");
    dir
}

fn seal(dir: &Path, seed: u8) {
    let sealed = sign(dir, &LAYOUT, &key(seed)).unwrap_or_else(|error| panic!("{error}"));
    fs::write(dir.join(LAYOUT.envelope), sealed.envelope.to_json()).expect("the file can be written");
}

fn sealed() -> TempDir {
    let dir = folder();
    seal(dir.path(), 7);
    dir
}

fn refused(dir: &Path) -> SealError {
    verify(dir, &LAYOUT, &key(7).public()).expect_err("the folder was changed")
}

fn differences(dir: &Path) -> Vec<Difference> {
    match refused(dir) {
        SealError::Folder(FolderError::Differs(differences)) => differences,
        other => panic!("{other:?}"),
    }
}

/// Writes another statement into the folder, signed by the right key.
fn seal_text(dir: &Path, text: &str) {
    let mut envelope = Envelope::new(text.as_bytes().to_vec());
    envelope.sign(&key(7));
    fs::write(dir.join(LAYOUT.statement), text).expect("the file can be written");
    fs::write(dir.join(LAYOUT.envelope), envelope.to_json()).expect("the file can be written");
}

#[test]
fn an_untouched_folder_holds() {
    let dir = sealed();
    fs::create_dir(dir.path().join("proofs")).expect("the folder can be made");
    let verified = verify(dir.path(), &LAYOUT, &key(7).public()).expect("nobody changed it");
    assert_eq!(verified.statement, statement());
    assert_eq!(verified.key, key(7).public().id());
    seal(dir.path(), 8);
    for seed in [7, 8] {
        assert!(
            verify(dir.path(), &LAYOUT, &key(seed).public()).is_ok(),
            "{seed}: who signs later replaces nobody"
        );
    }
}

#[test]
fn each_changed_byte_is_found() {
    for (name, bytes) in FILES {
        for at in 0..=bytes.len() {
            let dir = sealed();
            let mut other = bytes.to_vec();
            match other.get_mut(at) {
                Some(byte) => *byte ^= 1,
                None => other.push(0),
            }
            fs::write(dir.path().join(name), &other).expect("the file can be written");
            let changed =
                Difference::Changed { name: name.to_owned(), expected: sha256(bytes), got: sha256(&other) };
            assert_eq!(differences(dir.path()), [changed]);
        }
    }
}

#[test]
fn what_is_missing_or_added_is_named() {
    let dir = sealed();
    fs::remove_file(dir.path().join("program.elf")).expect("the file is there");
    fs::write(dir.path().join("notes.txt"), "").expect("the file can be written");
    fs::create_dir(dir.path().join("more")).expect("the folder can be made");
    let (missing, extra) = (
        |name: &str| Difference::Missing { name: name.to_owned() },
        |name: &str| Difference::Extra { name: name.to_owned() },
    );
    assert_eq!(differences(dir.path()), [missing("program.elf"), extra("more"), extra("notes.txt")]);
}

/// What a link leads to can be changed by whoever cannot write to the folder, and a folder has no bytes.
#[test]
fn a_file_is_a_file() {
    for link in [true, false] {
        let dir = sealed();
        let (elsewhere, place) = (folder(), dir.path().join("program.elf"));
        fs::remove_file(&place).expect("the file is there");
        if link {
            std::os::unix::fs::symlink(elsewhere.path().join("program.elf"), &place)
                .expect("links can be made");
        } else {
            fs::create_dir(&place).expect("the folder can be made");
        }
        assert_eq!(differences(dir.path()), [Difference::NoFile { name: "program.elf".to_owned() }]);
    }
}

#[test]
fn the_statement_that_people_read_is_the_signed_one() {
    let dir = sealed();
    fs::write(dir.path().join(LAYOUT.statement), statement().to_json() + "\n")
        .expect("the file can be written");
    assert!(matches!(refused(dir.path()), SealError::OtherStatement(name) if name == LAYOUT.statement));
    let again = sign(dir.path(), &LAYOUT, &key(8));
    assert!(matches!(again, Err(SealError::OtherStatement(_))), "two statements in one envelope: {again:?}");
    fs::remove_file(dir.path().join(LAYOUT.statement)).expect("the file is there");
    assert_eq!(differences(dir.path()), [Difference::Missing { name: LAYOUT.statement.to_owned() }]);
    let unsigned = sign(dir.path(), &LAYOUT, &key(8)).expect_err("there is nothing to sign");
    assert!(matches!(&unsigned, SealError::NoStatement(_)) && unsigned.is_unable(), "{unsigned:?}");
}

#[test]
fn a_signed_statement_cannot_leave_the_folder() {
    for name in ["../x", "/x", "a/b"] {
        let dir = sealed();
        seal_text(dir.path(), &statement().to_json().replace("program.elf", name));
        let error = refused(dir.path());
        assert!(
            matches!(&error, SealError::Statement(StatementError::Name(got)) if got == name),
            "{error:?}"
        );
    }
}

#[test]
fn what_was_signed_has_to_be_a_statement() {
    let dir = sealed();
    let json = statement().to_json();
    seal_text(dir.path(), &json[..json.len() / 2]);
    assert!(matches!(refused(dir.path()), SealError::Statement(StatementError::Json(JsonError::Syntax(_)))));
    seal_text(dir.path(), &json.replacen("\"subject\"", "\"subject\": [], \"subject\"", 1));
    let twice = StatementError::Json(JsonError::DuplicateKey("subject".to_owned()));
    assert!(matches!(refused(dir.path()), SealError::Statement(error) if error == twice));
    seal_text(dir.path(), &json.replace("urn:example:build", "urn:example:other"));
    assert!(matches!(refused(dir.path()), SealError::Statement(StatementError::BuildType { .. })));
}

#[test]
fn the_envelope_is_bounded_and_there() {
    let dir = sealed();
    let huge = " ".repeat(MAX_ENVELOPE + 2);
    fs::write(dir.path().join(LAYOUT.envelope), huge).expect("the file can be written");
    // It is not read to its end.
    let too_long = JsonError::TooLong { got: MAX_ENVELOPE + 1, most: MAX_ENVELOPE };
    assert!(
        matches!(refused(dir.path()), SealError::Envelope(EnvelopeError::Json(error)) if error == too_long)
    );
    fs::remove_file(dir.path().join(LAYOUT.envelope)).expect("the file is there");
    assert!(refused(dir.path()).is_unable());
    assert!(
        verify(&dir.path().join("nowhere"), &LAYOUT, &key(7).public()).expect_err("no folder").is_unable()
    );
}

/// The longest statement, and the most signatures: what is written is read again.
#[test]
fn what_is_signed_can_be_verified() {
    let mut envelope = Envelope::new(vec![b' '; MAX_STATEMENT]);
    (0..MAX_SIGNATURES).for_each(|seed| envelope.sign(&key(seed as u8)));
    assert_eq!(Envelope::parse(envelope.to_json().as_bytes()), Ok(envelope));
}

#[test]
fn nothing_is_signed_that_is_not_there() {
    let dir = folder();
    fs::write(dir.path().join("manifest.json"), "{ }").expect("the file can be written");
    let error = sign(dir.path(), &LAYOUT, &key(7)).expect_err("the manifest was changed");
    assert!(matches!(error, SealError::Folder(FolderError::Differs(list)) if list.len() == 1));
    assert!(!dir.path().join(LAYOUT.envelope).exists());
}

#[test]
fn keys_are_made_once_and_for_one_person() {
    let dir = tempfile::tempdir().expect("there is room");
    let path = dir.path().join("signer.pem");
    let (public_path, key) = generate(&path).expect("a key can be made");
    assert_eq!(public_path, dir.path().join("signer.pub.pem"));
    let mode = fs::metadata(&path).expect("it was written").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "others can read the key");
    assert_eq!(private_key(&path).expect("it is a key").public(), key);
    assert_eq!(public_key(&public_path).expect("it is a key"), key);
    let (_, other) = generate(&dir.path().join("other.pem")).expect("a key can be made");
    assert_ne!(other, key);

    let before = fs::read(&path).expect("it was written");
    assert!(matches!(generate(&path), Err(KeyFileError::Exists(named)) if named == path));
    fs::remove_file(&path).expect("it is there");
    assert!(matches!(generate(&path), Err(KeyFileError::Exists(named)) if named == public_path));
    assert!(!path.exists(), "a private key without its public half");
    fs::write(&path, before).expect("the file can be written");
    assert!(
        matches!(public_key(&path), Err(KeyFileError::Key { .. })),
        "a private key taken for a public one"
    );
    assert!(matches!(private_key(&dir.path().join("nowhere")), Err(KeyFileError::Io { .. })));
    assert!(matches!(generate(&dir.path().join("nowhere/key.pem")), Err(KeyFileError::Io { .. })));
    let left = fs::read_dir(dir.path()).expect("the folder can be listed").count();
    assert_eq!(left, 4, "two keys of two files, and no leftovers");
}
