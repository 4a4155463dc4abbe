use super::*;
use std::sync::atomic::AtomicUsize;

fn folder() -> (tempfile::TempDir, Utf8PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let path = Utf8PathBuf::try_from(folder.path().to_owned()).expect("it is UTF-8");
    (folder, path)
}

fn name(number: u32) -> ResultName {
    *blake3::hash(&number.to_le_bytes()).as_bytes()
}

/// A result that tells by itself whether it is whole.
fn result(number: u32) -> Vec<u8> {
    let length = 50 + number as usize * 37 % 5000;
    let mut bytes = blake3::hash(&number.to_le_bytes()).as_bytes().repeat(length / 32 + 1);
    bytes.truncate(length);
    bytes
}

#[test]
fn what_is_kept_is_there_for_the_same_program_only() {
    let (_folder, path) = folder();
    let store = DiskStore::new(&path, b"one", 1 << 20);
    assert_eq!(store.get(&name(1)), None);
    store.put(&name(1), b"result");
    store.put(&name(2), b"");
    assert_eq!(store.get(&name(1)), Some(b"result".to_vec()));
    assert_eq!(store.get(&name(2)), Some(Vec::new()));
    assert_eq!(DiskStore::new(&path, b"one", 1 << 20).get(&name(1)), Some(b"result".to_vec()));
    assert_eq!(DiskStore::new(&path, b"another", 1 << 20).get(&name(1)), None);
}

#[test]
fn flipped_bits_and_cut_files_count_as_absent() {
    let (_folder, path) = folder();
    let store = DiskStore::new(&path, b"", 1 << 20);
    let kept = result(7);
    store.put(&name(7), &kept);
    let file = store.path(&name(7));
    let whole = std::fs::read(&file).expect("it is there");
    for at in 0..whole.len() {
        let mut flipped = whole.clone();
        flipped[at] ^= 1 << (at % 8);
        std::fs::write(&file, flipped).expect("it can be written");
        assert_eq!(store.get(&name(7)), None, "byte {at} of {}", whole.len());
        std::fs::write(&file, &whole[..at]).expect("it can be written");
        assert_eq!(store.get(&name(7)), None, "cut at {at}");
    }
    // It is made again.
    store.put(&name(7), &kept);
    assert_eq!(store.get(&name(7)), Some(kept));
}

#[test]
fn what_was_not_used_for_longest_goes_first_and_the_folder_stays_small() {
    let (_folder, path) = folder();
    let most = 64 << 10;
    let store = DiskStore::new(&path, b"", most);
    let age = |number: u32, seconds: i64| {
        filetime::set_file_mtime(store.path(&name(number)), FileTime::from_unix_time(seconds, 0)).expect("it is there");
    };
    for number in 0..20 {
        store.put(&name(number), &[number as u8; 1000]);
        age(number, i64::from(number));
    }
    // Used again, so that it is no longer the oldest.
    assert!(store.get(&name(0)).is_some());
    let abandoned = store.path(&name(0)).with_file_name(format!("{}x", sweep::UNFINISHED));
    std::fs::write(&abandoned, "half").expect("it can be written");
    filetime::set_file_mtime(&abandoned, FileTime::from_unix_time(0, 0)).expect("it is there");
    for number in 20..200 {
        store.put(&name(number), &[number as u8; 1000]);
        let total: u64 = sizes(&path).iter().sum();
        assert!(total <= most + most / SWEEP_SHARE + 2000, "{total}");
    }
    assert!(!abandoned.exists());
    assert_eq!(store.get(&name(1)), None);
    assert!(store.get(&name(199)).is_some());
}

fn sizes(folder: &Utf8Path) -> Vec<u64> {
    let mut found = Vec::new();
    for entry in folder.read_dir_utf8().expect("it is a folder").flatten() {
        match entry.file_type().expect("it has one").is_dir() {
            true => found.extend(sizes(entry.path())),
            false => found.push(entry.metadata().expect("it is there").len()),
        }
    }
    found
}

#[test]
fn many_threads_and_a_folder_that_is_deleted_under_them_give_no_wrong_answer() {
    let (_folder, path) = folder();
    let found = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for thread in 0..8u32 {
            let (path, found) = (&path, &found);
            scope.spawn(move || {
                let store = DiskStore::new(path, b"", 256 << 10);
                for turn in 0..400u32 {
                    let number = (turn * 7 + thread * 13) % 97;
                    if let Some(bytes) = store.get(&name(number)) {
                        assert_eq!(bytes, result(number));
                        found.fetch_add(1, Ordering::Relaxed);
                    } else {
                        store.put(&name(number), &result(number));
                    }
                    if thread == 0 && turn % 100 == 99 {
                        let _ = std::fs::remove_dir_all(path);
                    }
                }
            });
        }
    });
    assert!(found.load(Ordering::Relaxed) > 100, "{found:?}");
}

#[test]
fn a_folder_that_can_not_be_written_keeps_nothing_and_says_nothing() {
    let (_folder, path) = folder();
    let file = path.join("file");
    std::fs::write(&file, "").expect("it can be written");
    let store = DiskStore::new(file.join("below"), b"", 1 << 20);
    store.put(&name(1), b"result");
    assert_eq!(store.get(&name(1)), None);
}
