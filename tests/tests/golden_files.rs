//! Every golden file can be read, whether or not a test compares with it yet. A test of another folder opens its files
//! with [`Golden::open`] and asks for tensors by name.

use nao_tests::golden::{self, Golden};

/// The folders of tensor files, with their number of files in the complete set.
const FOLDERS: [(&str, usize); 4] = [("child", 36), ("controller", 10), ("rnn", 9), ("supernet", 6)];

#[test]
fn golden_files_of_every_folder_are_read() {
    let mut read = 0;
    for (folder, complete) in FOLDERS {
        let Ok(entries) = std::fs::read_dir(golden::folder().join(folder)) else {
            assert!(!golden::is_complete(), "no folder {folder} in the complete set");
            continue;
        };
        let mut names: Vec<String> = entries
            .map(|entry| {
                entry.expect("an entry").path().file_stem().expect("a name").to_string_lossy().into()
            })
            .collect();
        names.sort_unstable();
        assert!(!golden::is_complete() || names.len() == complete, "{folder}: {names:?}");
        for name in &names {
            let golden = Golden::open(&format!("{folder}/{name}"));
            let parameters = golden.names_under("param/");
            assert!(!parameters.is_empty(), "{folder}/{name} holds no parameters");
            for name in parameters {
                let values = golden.floats(&format!("param/{name}"));
                assert_eq!(values.values.len(), values.shape.iter().product::<usize>(), "{name}");
                assert!(values.values.iter().all(|value| value.is_finite()), "{name}");
            }
        }
        read += names.len();
        println!("{folder}: {} files", names.len());
    }
    assert!(read > 0, "no golden file was read");
}
