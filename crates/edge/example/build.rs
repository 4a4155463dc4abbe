//! A new file in an embedded folder is a reason to build again; the embedding itself notices changed files only.

fn main() {
    for folder in ["shop", "services", "skeleton"] {
        println!("cargo::rerun-if-changed={folder}");
    }
}
