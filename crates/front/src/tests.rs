//! What the desk reads: it takes plain calls to the letter, and leaves whatever is odd or hostile to the dispatcher.
use alloy_primitives::{Address, U256};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};
use serde_json::{json, Value};

use crate::ask::{Ask, At};
use crate::body::{params, parse, text, Call};
use crate::call::parse_call;
use crate::show::{data, number, quantity, read_data, read_fixed, read_quantity};

const BATCH_MAX: usize = 10;
const WHO: &str = "0x1111111111111111111111111111111111111111";

fn config() -> Config {
    Config {
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(20_260_118),
        ..Config::default()
    }
}

fn calls(body: &[u8]) -> Option<Vec<(String, String)>> {
    let body = parse(body, BATCH_MAX)?;
    let pair = |call: &Call<'_>| (call.id.to_owned(), call.method.to_owned());
    Some(body.calls.iter().map(pair).collect())
}

fn ask(method: &str, params: &Value) -> Option<(&'static str, Ask)> {
    let params = params.to_string();
    Ask::read(&Call {
        id: "1",
        method,
        params: &params,
    })
}

#[test]
fn a_plain_call_is_read_with_its_id_to_the_letter() {
    for id in [
        "1",
        "0",
        "\"a b\"",
        "null",
        "18446744073709551616",
        "\"\u{00fc}\"",
    ] {
        let body = format!(r#" {{"id":{id},"method":"eth_chainId","jsonrpc":"2.0","params":[]}} "#);
        assert_eq!(
            calls(body.as_bytes()),
            Some(vec![(id.into(), "eth_chainId".into())])
        );
    }
}

#[test]
fn a_batch_is_read_up_to_its_limit() {
    let one = r#"{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}"#;
    let batch = |count: usize| format!("[{}]", vec![one; count].join(","));
    assert_eq!(
        calls(batch(BATCH_MAX).as_bytes()).map(|all| all.len()),
        Some(BATCH_MAX)
    );
    assert!(parse(batch(1).as_bytes(), BATCH_MAX).is_some_and(|body| body.is_batch));
    assert_eq!(calls(batch(BATCH_MAX + 1).as_bytes()), None);
    assert_eq!(calls(b"[]"), None);
}

#[test]
fn what_is_unusual_is_left_to_the_dispatcher() {
    for body in [
        "",
        " ",
        "{",
        "null",
        "7",
        "\"eth_chainId\"",
        // A notification, an unknown member, another version, a member twice.
        r#"{"jsonrpc":"2.0","method":"eth_chainId"}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"eth_chainId","more":1}"#,
        r#"{"jsonrpc":"1.0","id":1,"method":"eth_chainId"}"#,
        r#"{"jsonrpc":2.0,"id":1,"method":"eth_chainId"}"#,
        r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"eth_chainId"}"#,
        // Ids that are none, or must be looked at.
        r#"{"jsonrpc":"2.0","id":-1,"method":"eth_chainId"}"#,
        r#"{"jsonrpc":"2.0","id":1.5,"method":"eth_chainId"}"#,
        r#"{"jsonrpc":"2.0","id":1e3,"method":"eth_chainId"}"#,
        r#"{"jsonrpc":"2.0","id":true,"method":"eth_chainId"}"#,
        r#"{"jsonrpc":"2.0","id":[1],"method":"eth_chainId"}"#,
        r#"{"jsonrpc":"2.0","id":{},"method":"eth_chainId"}"#,
        r#"{"jsonrpc":"2.0","id":"\u0041","method":"eth_chainId"}"#,
        // A method that is no string; more behind the body; a list in a list.
        r#"{"jsonrpc":"2.0","id":1,"method":7}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"eth_chainId"} {}"#,
        r#"[[{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}]]"#,
        r#"[{"jsonrpc":"2.0","id":1,"method":"eth_chainId"},7]"#,
        // The values of a call without their names.
        r#"[["2.0",1,"eth_chainId",[]]]"#,
    ] {
        assert_eq!(calls(body.as_bytes()), None, "{body}");
    }
    assert_eq!(calls(b"\xff\xfe{}"), None);
    assert_eq!(
        calls(b"{\"jsonrpc\":\"2.0\",\"id\":\"\xff\",\"method\":\"eth_chainId\"}"),
        None
    );
}

#[test]
fn a_long_id_is_not_echoed_from_here() {
    let body = |length: usize| {
        format!(
            r#"{{"jsonrpc":"2.0","id":"{}","method":"eth_chainId"}}"#,
            "x".repeat(length)
        )
    };
    assert!(calls(body(254).as_bytes()).is_some());
    assert!(calls(body(255).as_bytes()).is_none());
}

#[test]
fn a_body_that_is_deep_costs_no_stack() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = open.repeat(500_000) + &close.repeat(500_000);
        assert_eq!(calls(deep.as_bytes()), None);
        let inside = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"eth_call","params":[{deep}]}}"#);
        let body = parse(inside.as_bytes(), BATCH_MAX);
        assert!(body.is_none_or(|body| Ask::read(&body.calls[0]).is_none()));
    }
}

#[test]
fn calls_without_parameters_take_none() {
    for method in [
        "eth_chainId",
        "net_version",
        "eth_blockNumber",
        "eth_gasPrice",
    ] {
        assert!(ask(method, &json!([])).is_some_and(|(name, _)| name == method));
        assert!(ask(method, &json!([1])).is_none());
        assert!(ask(method, &json!({})).is_none());
        assert!(ask(method, &json!(null)).is_none());
    }
    assert!(ask("eth_unknown", &json!([])).is_none());
    assert!(ask("ETH_CHAINID", &json!([])).is_none());
}

#[test]
fn blocks_are_named_by_tag_or_height() {
    let at = |block: Value| match ask("eth_getBalance", &json!([WHO, block]))? {
        (_, Ask::Balance(who, at)) => {
            assert_eq!(who, Address::repeat_byte(0x11));
            Some(at)
        }
        other => panic!("{other:?}"),
    };
    for (block, wanted) in [
        (json!("latest"), At::Latest),
        (json!("pending"), At::Pending),
        (json!("safe"), At::Safe),
        (json!("finalized"), At::Finalized),
        (json!("earliest"), At::Height(0)),
        (json!("0x0"), At::Height(0)),
        (json!("0xffffffffffffffff"), At::Height(u64::MAX)),
        (json!(null), At::Latest),
    ] {
        assert_eq!(at(block.clone()), Some(wanted), "{block}");
    }
    for block in [
        json!("0x"),
        json!("0x01"),
        json!("0x10000000000000000"),
        json!("1"),
        json!("Latest"),
        json!(1),
        json!({"blockNumber": "0x1"}),
        json!(format!("0x{}", "11".repeat(32))),
    ] {
        assert_eq!(at(block.clone()), None, "{block}");
    }
    assert!(ask("eth_getBalance", &json!([WHO, "latest", 1])).is_none());
    assert!(ask("eth_getBalance", &json!([])).is_none());
    assert!(ask("eth_getBalance", &json!(["0x11", "latest"])).is_none());
    assert!(ask("eth_getBalance", &json!([&WHO[2..], "latest"])).is_none());
}

#[test]
fn a_call_has_no_member_that_is_not_understood() {
    let read = |value: Value| parse_call(&value.to_string()).is_some();
    assert!(read(json!({})));
    assert!(read(
        json!({"to": WHO, "data": "0x00", "gas": "0x1", "value": "0x0", "from": WHO})
    ));
    assert!(read(json!({"to": WHO, "input": "0x"})));
    assert!(read(json!({"to": null, "data": null})));
    for odd in [
        json!({"to": WHO, "gasPrice": "0x1"}),
        json!({"to": WHO, "data": "0x", "input": "0x"}),
        json!({"to": WHO, "accessList": []}),
        json!({"to": "0x"}),
        json!({"data": "0x0"}),
        json!({"data": "0xzz"}),
        json!({"value": 1}),
        json!({"value": format!("0x1{}", "0".repeat(64))}),
        json!({"gas": "0x10000000000000000"}),
        json!([]),
        json!([WHO, WHO, "0x00"]),
        json!("0x"),
    ] {
        assert!(!read(odd.clone()), "{odd}");
    }
    assert!(parse_call(r#"{"to":null,"to":null}"#).is_none());
}

#[test]
fn a_call_gets_no_more_gas_than_the_server_grants() {
    let gas = |given: &str| {
        let message = parse_call(&json!({ "gas": given }).to_string()).expect("a call");
        message.call(50_000).gas_limit
    };
    assert_eq!(gas("0x0"), Some(50_000));
    assert_eq!(gas("0x10"), Some(16));
    assert_eq!(gas("0xffffffffffffffff"), Some(50_000));
}

#[test]
fn input_and_transactions_are_bounded_before_they_are_decoded() {
    let long = |bytes: usize| format!("0x{}", "00".repeat(bytes));
    assert!(parse_call(&json!({"data": long(1 << 20)}).to_string()).is_some());
    assert!(parse_call(&json!({"data": long((1 << 20) + 1)}).to_string()).is_none());
    assert!(ask("eth_sendRawTransaction", &json!([long(1 << 20)])).is_some());
    assert!(ask("eth_sendRawTransaction", &json!([long((1 << 20) + 1)])).is_none());
}

#[test]
fn only_short_calls_may_stand_beside_transactions() {
    let short = |method, params: Value| ask(method, &params).is_some_and(|(_, ask)| ask.is_short());
    assert!(short("eth_chainId", json!([])));
    assert!(short("eth_sendRawTransaction", json!(["0x00"])));
    assert!(!short("eth_call", json!([{}, "latest"])));
    assert!(!short("eth_getBalance", json!([WHO, "latest"])));
    assert!(!short("eth_gasPrice", json!([])));
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        if let Some(body) = parse(&bytes, BATCH_MAX) {
            body.calls.iter().for_each(|call| drop(Ask::read(call)));
        }
    }

    #[test]
    fn json_that_is_cut_or_changed_anywhere_is_read_right_or_not_at_all(
        at in 0..140usize, byte in any::<u8>(), cut in any::<bool>(),
    ) {
        let body = json!([{"jsonrpc": "2.0", "id": 7, "method": "eth_getBalance", "params": [WHO, "0x10"]}]);
        let mut bytes = body.to_string().into_bytes();
        let at = at.min(bytes.len() - 1);
        if cut {
            bytes.truncate(at);
        } else {
            bytes[at] = byte;
        }
        if let Some(found) = parse(&bytes, BATCH_MAX) {
            // Whatever was taken is what a whole JSON parser reads there.
            let all: Value = serde_json::from_slice(&bytes).expect("it is JSON");
            for (call, value) in found.calls.iter().zip(all.as_array().expect("a list")) {
                prop_assert_eq!(&serde_json::from_str::<Value>(call.id).expect("an id"), &value["id"]);
                // Escapes are left as they are: such a name is nobody's.
                if !call.method.contains('\\') {
                    prop_assert_eq!(Some(call.method), value["method"].as_str());
                }
            }
        }
    }

    #[test]
    fn quantities_are_read_as_they_are_written(words in any::<[u64; 4]>(), shift in 0..256usize) {
        let value = U256::from_limbs(words) >> shift;
        let mut out = vec![];
        quantity(&mut out, &value);
        let written = String::from_utf8(out).expect("text");
        prop_assert_eq!(read_quantity(text(&written).expect("a string")), Some(value));
        let mut small = vec![];
        number(&mut small, words[0]);
        prop_assert_eq!(String::from_utf8(small).expect("text"), format!("\"{:#x}\"", words[0]));
    }

    #[test]
    fn data_is_read_as_it_is_written(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let mut out = vec![];
        data(&mut out, &bytes);
        let written = String::from_utf8(out).expect("text");
        let inner = text(&written).expect("a string");
        prop_assert_eq!(read_data(inner, 64), Some(bytes.clone()));
        prop_assert_eq!(read_data(inner, bytes.len().saturating_sub(1)).is_none(), !bytes.is_empty());
        prop_assert_eq!(read_fixed::<32>(inner).is_some(), bytes.len() == 32);
    }

    #[test]
    fn a_quantity_has_one_spelling(digits in "[0-9a-fA-F]{0,70}") {
        let told = read_quantity(&format!("0x{digits}"));
        let plain = !digits.is_empty() && digits.len() <= 64 && (digits == "0" || !digits.starts_with('0'));
        prop_assert_eq!(told.is_some(), plain);
    }

    #[test]
    fn parameters_are_split_as_json_has_them(rows in prop::collection::vec("[a-z\\[\\]{},:]{0,9}", 0..6)) {
        let list = json!(rows).to_string();
        let split = params(&list, 6).expect("a list");
        let read: Vec<String> = split.iter().map(|each| serde_json::from_str(each).expect("text")).collect();
        prop_assert_eq!(&read, &rows);
        prop_assert!(rows.is_empty() || params(&list, rows.len() - 1).is_none());
    }
}
