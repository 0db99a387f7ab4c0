//! A checksum in the header of safetensors files: a reader can tell whether the file is what was written.
//!
//! Such a file is the length of its header, the header as JSON, and the numbers. The header has room for texts under
//! names; ours holds the SHA-256 of the whole file, in which the digits of the checksum itself count as zeros. Other
//! programs pass over it.

use sha2::{Digest, Sha256};

/// The text before the digits, at the beginning of the header.
const START: &str = "{\"__metadata__\":{\"nao-sha256\":\"";

/// The digits of a SHA-256.
const DIGITS: usize = 64;

/// Bytes of the length of the header; the header itself is a multiple of as many.
const WORD: usize = 8;

/// Bytes that are no safetensors file of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChecksumError {
    /// The bytes do not begin with a header.
    #[error("no safetensors file: its header is missing or cut off")]
    NoHeader,
    /// The bytes are not those that were written.
    #[error(
        "its checksum is not that of its content: the file is damaged, or another program has changed it"
    )]
    Wrong,
}

/// A safetensors file with its checksum in the header.
///
/// # Errors
/// When the bytes do not begin with a header.
pub fn with_checksum(bytes: &[u8]) -> Result<Vec<u8>, ChecksumError> {
    let (header, numbers) = parts(bytes).ok_or(ChecksumError::NoHeader)?;
    let header = std::str::from_utf8(header).map_err(|_| ChecksumError::NoHeader)?.trim_end();
    let rest = match header.strip_prefix("{\"__metadata__\":{") {
        Some(rest) if rest.starts_with('}') => rest.to_owned(),
        Some(rest) => format!(",{rest}"),
        None => match header.strip_prefix('{').ok_or(ChecksumError::NoHeader)? {
            "}" => "}}".to_owned(),
            tensors => format!("}},{tensors}"),
        },
    };
    let mut header = format!("{START}{}\"{rest}", "0".repeat(DIGITS)).into_bytes();
    header.resize(header.len().next_multiple_of(WORD), b' ');
    let mut file = Vec::with_capacity(WORD + header.len() + numbers.len());
    file.extend((header.len() as u64).to_le_bytes());
    file.extend(header);
    file.extend(numbers);
    let digits = digits(&file);
    file[digits_place()].copy_from_slice(digits.as_bytes());
    Ok(file)
}

/// Compares a safetensors file with its checksum, where it has one. Other programs write none.
///
/// # Errors
/// When the checksum is another.
pub fn check_checksum(bytes: &[u8]) -> Result<(), ChecksumError> {
    let has_one = bytes.get(WORD..).is_some_and(|header| header.starts_with(START.as_bytes()));
    match bytes.get(digits_place()).filter(|_| has_one) {
        Some(found) if found != digits(bytes).as_bytes() => Err(ChecksumError::Wrong),
        None if has_one => Err(ChecksumError::Wrong),
        _ => Ok(()),
    }
}

fn digits_place() -> std::ops::Range<usize> {
    let from = WORD + START.len();
    from..from + DIGITS
}

/// Header and numbers.
fn parts(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_at_checked(WORD)?;
    let length = u64::from_le_bytes(length.try_into().ok()?);
    rest.split_at_checked(usize::try_from(length).ok()?)
}

/// The checksum of a file that has room for one.
fn digits(file: &[u8]) -> String {
    let place = digits_place();
    let mut hash = Sha256::new();
    hash.update(&file[..place.start]);
    hash.update([b'0'; DIGITS]);
    hash.update(&file[place.end..]);
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of two numbers with this header.
    fn file(header: &str) -> Vec<u8> {
        let mut header = header.as_bytes().to_vec();
        header.resize(header.len().next_multiple_of(WORD), b' ');
        [&(header.len() as u64).to_le_bytes(), header.as_slice(), &[1, 2, 3, 4]].concat()
    }

    const HEADERS: [&str; 4] = [
        r#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}"#,
        r#"{"__metadata__":{},"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}"#,
        r#"{"__metadata__":{"training":"{\"a\":1}"},"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}"#,
        "{}",
    ];

    #[test]
    fn a_checksum_stands_beside_what_the_header_says() {
        for header in HEADERS {
            let file = with_checksum(&file(header)).unwrap();
            assert_eq!(check_checksum(&file), Ok(()));
            let (found, numbers) = parts(&file).unwrap();
            assert!(found.len() % WORD == 0 && numbers == [1, 2, 3, 4]);
            let mut found: serde_json::Value = serde_json::from_slice(found).unwrap();
            let texts = found["__metadata__"].as_object_mut().unwrap();
            assert_eq!(texts.remove("nao-sha256").unwrap().as_str().unwrap().len(), DIGITS);
            let mut expected: serde_json::Value = serde_json::from_str(header).unwrap();
            if expected["__metadata__"].is_null() {
                expected["__metadata__"] = serde_json::json!({});
            }
            assert_eq!(found, expected, "{header}");
        }
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let whole = with_checksum(&file(HEADERS[2])).unwrap();
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            let name = WORD..WORD + START.len();
            // Without its name the checksum is none; the header then says something else than ours.
            assert!(check_checksum(&changed).is_err() || name.contains(&at), "byte {at}");
        }
        assert_eq!(check_checksum(&whole[..whole.len() - 1]), Err(ChecksumError::Wrong));
        assert_eq!(check_checksum(&whole[..60]), Err(ChecksumError::Wrong));
    }

    #[test]
    fn files_of_other_programs_have_none() {
        for bytes in [file(HEADERS[0]), file(HEADERS[2]), b"{}".to_vec(), vec![]] {
            assert_eq!(check_checksum(&bytes), Ok(()));
        }
        for bytes in [b"{}".to_vec(), vec![], vec![0xff; 40], file("[1]")] {
            assert_eq!(with_checksum(&bytes), Err(ChecksumError::NoHeader));
        }
    }
}
