//! The state of a strategy with networks as bytes: a safetensors file whose header holds the rest as JSON. Equal states
//! give equal bytes.

use std::collections::BTreeMap;

use nao_space::file::{check_checksum, with_checksum};
use safetensors::tensor::{Dtype, TensorView};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Numbers under a name.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct NamedFloats {
    pub(crate) name: String,
    pub(crate) values: Vec<f32>,
}

/// A file as read.
pub(crate) struct Bundle<T> {
    /// What the header held.
    pub(crate) header: T,
    /// The numbers by name.
    pub(crate) floats: BTreeMap<String, Vec<f32>>,
}

/// The bytes of a header and numbers, with a checksum. `entry` names the form of the header.
pub(crate) fn to_bytes(
    entry: &str,
    header: &impl Serialize,
    floats: &[NamedFloats],
) -> Result<Vec<u8>, String> {
    let header = serde_json::to_string(header).map_err(|error| error.to_string())?;
    let bytes: Vec<Vec<u8>> = floats
        .iter()
        .map(|named| named.values.iter().flat_map(|value| value.to_le_bytes()).collect())
        .collect();
    let mut views = Vec::with_capacity(floats.len());
    for (named, bytes) in floats.iter().zip(&bytes) {
        let view = TensorView::new(Dtype::F32, vec![named.values.len()], bytes);
        views.push((named.name.as_str(), view.map_err(|error| error.to_string())?));
    }
    // One entry: with more, the order of a hash map would show in the bytes.
    let entries = [(entry.to_owned(), header)].into();
    let bytes = safetensors::serialize(views, Some(entries)).map_err(|error| error.to_string())?;
    with_checksum(&bytes).map_err(|error| error.to_string())
}

/// What [`to_bytes`] wrote under the same entry. Refuses damaged bytes and numbers that are not finite.
pub(crate) fn from_bytes<T: DeserializeOwned>(entry: &str, bytes: &[u8]) -> Result<Bundle<T>, String> {
    check_checksum(bytes).map_err(|error| error.to_string())?;
    let (_, metadata) = safetensors::SafeTensors::read_metadata(bytes)
        .map_err(|error| format!("no safetensors file: {error}"))?;
    let entries = metadata.metadata().as_ref();
    let header = entries
        .and_then(|entries| entries.get(entry))
        .ok_or_else(|| format!("the file's header has no entry {entry}"))?;
    let header = serde_json::from_str(header).map_err(|error| error.to_string())?;
    let file = safetensors::SafeTensors::deserialize(bytes).map_err(|error| error.to_string())?;
    let mut floats = BTreeMap::new();
    for (name, view) in file.tensors() {
        if view.dtype() != Dtype::F32 {
            return Err(format!("{name} has type {:?}, wanted is F32", view.dtype()));
        }
        let values = view
            .data()
            .chunks_exact(4)
            .map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
        let values: Vec<f32> = values.collect();
        if values.iter().any(|value| !value.is_finite()) {
            return Err(format!("{name} has values that are no finite numbers"));
        }
        floats.insert(name, values);
    }
    Ok(Bundle { header, floats })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_and_numbers_come_back_bit_for_bit() {
        let floats = [
            NamedFloats { name: "b".into(), values: vec![1.5, -0.0, f32::MIN_POSITIVE] },
            NamedFloats { name: "a".into(), values: vec![] },
        ];
        let bytes = to_bytes("test-1", &(7, "seven"), &floats).unwrap();
        assert_eq!(to_bytes("test-1", &(7, "seven"), &floats).unwrap(), bytes);
        let bundle: Bundle<(u32, String)> = from_bytes("test-1", &bytes).unwrap();
        assert_eq!(bundle.header, (7, "seven".to_owned()));
        assert_eq!(
            bundle.floats["b"].iter().map(|v| v.to_bits()).collect::<Vec<_>>(),
            floats[0].values.iter().map(|v| v.to_bits()).collect::<Vec<_>>()
        );
        assert!(bundle.floats["a"].is_empty());
        let error = from_bytes::<(u32, String)>("test-2", &bytes).err().unwrap();
        assert!(error.contains("test-2"), "{error}");
        assert!(from_bytes::<(u32, String)>("test-1", b"{}").is_err());
    }

    #[test]
    fn changed_bytes_and_numbers_that_are_none_are_refused() {
        let bytes = |value: f32| {
            to_bytes("test-1", &1, &[NamedFloats { name: "a".into(), values: vec![value, 2.0] }]).unwrap()
        };
        let refusal = |bytes: &[u8]| from_bytes::<u32>("test-1", bytes).err().unwrap();
        let mut changed = bytes(1.0);
        *changed.last_mut().unwrap() ^= 1;
        assert!(refusal(&changed).contains("checksum"));
        assert!(refusal(&bytes(f32::NAN)).contains("a has values that are no finite numbers"));
    }
}
