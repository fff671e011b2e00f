//! A small choice of the published state tests; `tests/unit/execution` runs all of them (marked slow).
mod vector;

use std::path::Path;

#[test]
fn chosen_state_tests_give_their_roots_and_logs() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/ethereum/chosen");
    let mut tally = vector::Tally::default();
    vector::run_folder(&folder, &mut tally);
    assert!(tally.failed.is_empty(), "{:#?}", tally.failed);
    assert!(tally.passed > 100, "only {} cases ran", tally.passed);
}
