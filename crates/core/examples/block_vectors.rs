//! Runs the block tests below a folder: `block_vectors FOLDER`. Prints what failed, then the counts.
#[path = "../tests/block_vector/mod.rs"]
mod block_vector;

fn main() {
    let folder = std::env::args()
        .nth(1)
        .expect("usage: block_vectors FOLDER");
    let mut tally = block_vector::Tally::default();
    block_vector::run_folder(folder.as_ref(), &mut tally);
    for line in &tally.failed {
        println!("FAILED {line}");
    }
    println!(
        "passed {} failed {} witnesses {}",
        tally.passed,
        tally.failed.len(),
        tally.witnesses
    );
    std::process::exit(i32::from(!tally.failed.is_empty()));
}
