//! Writes the lanes a second time, for processors without multiplications of 52 bits: the same code, with the products of
//! `fused.rs` in their place.
use std::path::Path;
use std::{env, fs};

const MODULES: [&str; 8] = [
    "field", "fixed", "own", "point", "recover", "root", "sum", "window",
];
const FEATURES: [&str; 2] = ["avx512f,avx512ifma", "avx512f"];
const PRODUCTS: [&str; 2] = [
    "use core::arch::x86_64::{_mm512_madd52hi_epu64, _mm512_madd52lo_epu64};",
    "use crate::fused::{add_high as _mm512_madd52hi_epu64, add_low as _mm512_madd52lo_epu64};",
];

fn main() {
    println!("cargo::rerun-if-changed=src/lanes.rs");
    println!("cargo::rerun-if-changed=src/lanes");
    let mut text = fs::read_to_string("src/lanes.rs").expect("src/lanes.rs");
    for module in MODULES {
        let file = format!("src/lanes/{module}.rs");
        let body = fs::read_to_string(&file).expect(&file);
        text = replaced(
            &text,
            [
                &format!("mod {module};"),
                &format!("mod {module} {{\n{body}}}"),
            ],
        );
    }
    let text = replaced(&replaced(&text, FEATURES), PRODUCTS);
    let folder = env::var("OUT_DIR").expect("cargo names the folder");
    let text = format!("mod fused_lanes {{\n{text}}}\n");
    fs::write(Path::new(&folder).join("fused_lanes.rs"), text).expect("the folder can be written");
}

fn replaced(text: &str, [from, to]: [&str; 2]) -> String {
    assert!(text.contains(from), "the lanes have no {from:?}");
    text.replace(from, to)
}
