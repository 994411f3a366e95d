//! Entry for fuzzing what is read from outside: an envelope, its signatures, the statement in it.

use crate::envelope::Envelope;
use crate::key::PrivateKey;
use crate::seal::SealError;
use crate::statement::Statement;

/// A way to build, for the corpus.
const BUILD_TYPE: &str = "urn:example:build";

/// Reads `data` as an envelope with a statement, and checks what everything later relies on. The key is that of the corpus;
/// as no fuzzer finds its signatures, the statement is read without them, too. Gives the error, for the replay of the corpus.
///
/// # Errors
/// [`SealError`] of what is wrong.
pub fn fuzz_envelope(data: &[u8]) -> Result<(), SealError> {
    let envelope = Envelope::parse(data)?;
    let again = Envelope::parse(envelope.to_json().as_bytes());
    // Escapes and padding may make the text longer than what it was read from, and then too long.
    assert!(again.is_err() || again.as_ref() == Ok(&envelope), "written and read again it is another");
    let parsed = Statement::parse(&envelope.payload, &[BUILD_TYPE]);
    if let Ok(statement) = &parsed {
        for subject in statement.subjects() {
            assert!(
                !subject.name.contains(['/', '\\']) && !subject.name.starts_with('.'),
                "{}",
                subject.name
            );
        }
        let text = statement.to_json();
        let again = Statement::parse(text.as_bytes(), &[BUILD_TYPE]);
        assert!(again.is_err() || again.as_ref() == Ok(statement), "written and read again it is another");
    }
    envelope.verify(&PrivateKey::from_seed(&[7; 32]).public())?;
    parsed?;
    Ok(())
}
