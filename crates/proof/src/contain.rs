//! Foreign code that may panic on malformed bytes, contained.
use std::cell::Cell;
use std::panic::{catch_unwind, set_hook, take_hook, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    /// Whether this thread runs contained code, whose panics are answers and not events.
    static CONTAINED: Cell<bool> = const { Cell::new(false) };
}

/// Runs a judgement; a panic inside is a no, and nothing is printed of it.
pub fn judged(judge: impl FnOnce() -> bool) -> bool {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = take_hook();
        set_hook(Box::new(move |event| {
            if !CONTAINED.get() {
                usual(event);
            }
        }));
    });
    let outer = CONTAINED.replace(true);
    // What is judged is dropped with its panic: no broken value outlives it.
    let verdict = catch_unwind(AssertUnwindSafe(judge));
    CONTAINED.set(outer);
    verdict.unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_no_and_does_not_silence_later_ones() {
        assert!(judged(|| true));
        assert!(!judged(|| false));
        assert!(!judged(|| panic!("malformed")));
        assert!(!CONTAINED.get());
        assert!(catch_unwind(|| panic!("heard")).is_err());
    }
}
