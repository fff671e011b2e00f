//! What the two processes take from each other; what scripts do is tested through the API.
use std::io::{Cursor, ErrorKind};
use std::time::{Duration, Instant};

use super::run::Room;
use super::wire::{put, take};
#[cfg(feature = "scripts")]
use super::{
    serve,
    wire::{FAILED, TASK},
    Script,
};

#[test]
fn a_frame_is_read_as_it_was_written() {
    let mut line = vec![];
    put(&mut line, b'x', &[b"one", b"", b"two"]).expect("a buffer takes all");
    put(&mut line, b'y', &[]).expect("a buffer takes all");
    let mut line = Cursor::new(line);
    assert_eq!(
        take(&mut line, 6).expect("it fits"),
        (b'x', b"onetwo".to_vec())
    );
    assert_eq!(take(&mut line, 0).expect("it fits"), (b'y', vec![]));
    assert_eq!(
        take(&mut line, 9).map_err(|error| error.kind()),
        Err(ErrorKind::UnexpectedEof)
    );
}

#[test]
fn a_frame_that_is_too_long_or_none_takes_no_memory() {
    for head in [
        [0xff, 0xff, 0xff, 0xff, b'x'],
        [0, 0, 0, 0, b'x'],
        [0, 0, 0, 8, b'x'],
    ] {
        let told = take(&mut Cursor::new(head), 6);
        assert_eq!(
            told.map_err(|error| error.kind()),
            Err(ErrorKind::InvalidData)
        );
    }
}

#[cfg(feature = "scripts")]
#[test]
fn the_helper_ends_when_the_node_hangs_up() {
    let mut told = vec![];
    serve(Cursor::new([]), &mut told).expect("nothing to do");
    assert!(told.is_empty());
}

#[cfg(feature = "scripts")]
#[test]
fn what_is_no_task_is_answered_or_ends_the_helper() {
    let mut line = vec![];
    put(&mut line, TASK, &[b"{}"]).expect("a buffer takes all");
    let mut told = vec![];
    serve(Cursor::new(&line), &mut told).expect("it is answered");
    let (mark, text) = take(&mut Cursor::new(told), 1_000).expect("a frame");
    assert_eq!(mark, FAILED);
    assert!(String::from_utf8_lossy(&text).starts_with("task: missing field"));
    line[4] = b'?';
    assert!(serve(Cursor::new(&line), vec![]).is_err());
}

#[cfg(feature = "scripts")]
#[test]
fn a_script_needs_a_command_and_has_a_length() {
    let told = |code: &str, command: &[String]| {
        Script::new(code, "{}", command)
            .map(drop)
            .map_err(|error| error.to_string())
    };
    let command = ["true".to_owned()];
    assert_eq!(
        told("{}", &[]),
        Err("JavaScript tracers are not enabled".into())
    );
    assert_eq!(told("{}", &command), Ok(()));
    assert!(told(&"x".repeat(65_537), &command).is_err());
}

#[test]
fn a_helper_that_does_nothing_is_ended_with_the_time() {
    let room = Room {
        end: Instant::now() + Duration::from_millis(50),
        seconds: 0.05,
        result_bytes: 100,
    };
    for (command, said) in [
        (
            ["sleep", "60"].as_slice(),
            "execution timeout: a trace may take 0.05 s",
        ),
        (["false"].as_slice(), "took more memory, stack or time"),
        (["/nonexistent/program"].as_slice(), "no helper for scripts"),
    ] {
        let command: Vec<String> = command.iter().map(|&part| part.into()).collect();
        let told = super::run::try_out(&command, room).expect_err("it answers nothing");
        // A helper that ends by itself may have run into the end of the time just as well.
        let late = said.starts_with("took") && told.to_string().starts_with("execution timeout");
        assert!(told.to_string().contains(said) || late, "{told}");
    }
}
