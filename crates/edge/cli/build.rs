//! How the binary is linked.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let target = |part: &str| std::env::var(format!("CARGO_CFG_TARGET_{part}")).unwrap_or_default();
    // A position-independent executable is relocated whenever it starts: 27,000 places, a quarter of the time that a
    // small command takes. The programs that this one stands in for are linked to a fixed place too.
    if target("OS") == "linux" && target("ENV") == "gnu" {
        println!("cargo:rustc-link-arg-bins=-no-pie");
    }
    if target("ENV") == "musl" {
        println!("cargo:rerun-if-changed=src/memory.c");
        let mut memory = cc::Build::new();
        // The compiler must not make a call of `memcpy` of what `memcpy` does.
        memory.file("src/memory.c").opt_level(2).flag("-fno-builtin").flag("-fno-tree-loop-distribute-patterns");
        // All of it, before the C library is looked through for the same names.
        memory.link_lib_modifier("+whole-archive").compile("onepane_memory");
    }
}
