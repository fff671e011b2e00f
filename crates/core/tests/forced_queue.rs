//! The queue's two chains by the rule in docs/spec/execution.md, and messages that anything may be in.
use alloy_primitives::{Address, Bytes, B256};
use bedroll_core::forced::{eligible, Ineligible, Message, Queue, Status};
use bedroll_core::profile::{Profile, Rules};
use sha2::{Digest, Sha256};

fn rules() -> Rules {
    Rules {
        chain_id: 5,
        network: 3,
        profile: Profile::Bedroll,
        block_gas_limit: 30_000_000,
        forced_gas_limit: 5_000_000,
        forced_message_gas_limit: 1_000_000,
        forced_gas_min: 50_000,
        forced_size_max: 16_000,
        max_origin_lag: 4,
        second_blocks_max: 10,
        timestamp_lead_max: None,
        origin_blocks_max: 3_600,
        automatic_blocks_max: 4,
        transfer_bytes: 75,
        base_fee_vault: Address::ZERO,
        tip_vault: Address::ZERO,
        light_client: Address::ZERO,
        address_book: Address::ZERO,
    }
}

fn message(payload: Vec<u8>, paid: bool) -> Message {
    Message {
        id: B256::repeat_byte(7),
        payload: Bytes::from(payload),
        paid,
        origin_height: 1,
    }
}

#[test]
fn each_link_hashes_what_was_before_index_id_and_content() {
    let (mut queue, mut acc, mut done) = (Queue::default(), [0u8; 32], [0u8; 32]);
    for index in 0u64..3 {
        let one = message(vec![index as u8; 5], true);
        queue.enqueue(&one);
        let tail = [
            &Sha256::digest(&one.payload)[..],
            &[u8::from(one.paid)],
            &one.origin_height.to_be_bytes(),
        ]
        .concat();
        let parts = [&acc[..], &index.to_be_bytes(), one.id.as_slice(), &tail];
        acc = Sha256::digest(parts.concat()).into();
    }
    for (index, status) in (0u64..).zip([Status::Executed, Status::Ineligible]) {
        let id = B256::repeat_byte(7);
        assert_eq!(queue.end(&id, status), index);
        let tail = [status as u8];
        let parts = [&done[..], &index.to_be_bytes(), id.as_slice(), &tail];
        done = Sha256::digest(parts.concat()).into();
    }
    assert_eq!((queue.acc.0, queue.done_acc.0), (acc, done));
    assert_eq!((queue.enqueued, queue.done), (3, 2));
}

#[test]
fn statuses_keep_their_numbers() {
    let words = ["executed", "reverted", "skipped", "ineligible"];
    for (number, word) in (1u8..).zip(words) {
        let status = Status::from_number(number).expect("a status");
        assert_eq!((status as u8, status.word()), (number, word));
    }
    assert_eq!(Status::from_number(0), None);
    assert_eq!(Status::from_number(5), None);
}

#[test]
fn any_payload_is_judged_without_a_panic() {
    let mut state = 1u64;
    for round in 0..20_000u32 {
        let length = (round % 300) as usize;
        let payload: Vec<u8> = (0..length)
            .map(|place| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                let byte = (state >> 56) as u8;
                // Often the head of a transaction, so that decoding gets further.
                match place {
                    0 if round % 3 == 0 => [1, 2, 4, 0xf8][(byte % 4) as usize],
                    1 if round % 3 == 0 => 0xf8,
                    _ => byte,
                }
            })
            .collect();
        let judged = eligible(&message(payload, true), &rules());
        assert_eq!(judged.err(), Some(Ineligible::Transaction));
    }
    let large = message(vec![0; 16_001], true);
    assert_eq!(eligible(&large, &rules()).err(), Some(Ineligible::Size));
    let unpaid = message(vec![], false);
    assert_eq!(eligible(&unpaid, &rules()).err(), Some(Ineligible::Unpaid));
}
