//! Runs the state tests below a folder: `state_vectors FOLDER`. Prints what failed, then the counts.
#[path = "../tests/vector/mod.rs"]
mod vector;

fn main() {
    let folder = std::env::args()
        .nth(1)
        .expect("usage: state_vectors FOLDER");
    let mut tally = vector::Tally::default();
    vector::run_folder(folder.as_ref(), &mut tally);
    for line in &tally.failed {
        println!("FAILED {line}");
    }
    println!("passed {} failed {}", tally.passed, tally.failed.len());
    std::process::exit(i32::from(!tally.failed.is_empty()));
}
