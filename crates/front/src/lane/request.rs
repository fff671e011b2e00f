//! One plain HTTP request in what a connection has sent; whatever is not plain is another's to read.
use std::ops::Range;

/// Headers of one request that are looked at.
const HEADERS_MAX: usize = 32;
/// With one of these a request is not plain: they change what the body is, who asks, or what happens after.
const SPECIAL: [&str; 9] = [
    "authorization",
    "content-encoding",
    "expect",
    "origin",
    "trailer",
    "transfer-encoding",
    "te",
    "upgrade",
    "x-api-key",
];

/// What the bytes begin with.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Begin {
    /// A whole plain request; where its body lies. The next one begins behind it.
    Whole(Range<usize>),
    /// What may become one.
    Part,
    /// Something else.
    Other,
}

/// Looks at what a connection has sent, of which at most `most` bytes are held.
pub(super) fn begin(bytes: &[u8], most: usize) -> Begin {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut request = httparse::Request::new(&mut headers);
    let start = match request.parse(bytes) {
        Ok(httparse::Status::Complete(start)) => start,
        Ok(httparse::Status::Partial) if bytes.len() < most => return Begin::Part,
        _ => return Begin::Other,
    };
    if (request.method, request.path, request.version) != (Some("POST"), Some("/"), Some(1)) {
        return Begin::Other;
    }
    let mut length = None;
    for header in request.headers.iter() {
        let is = |name: &str| header.name.eq_ignore_ascii_case(name);
        if is("content-length") {
            if length.is_some() {
                return Begin::Other;
            }
            length = number(header.value);
        } else if is("connection") {
            if !header.value.eq_ignore_ascii_case(b"keep-alive") {
                return Begin::Other;
            }
        } else if SPECIAL.iter().any(|name| is(name)) {
            return Begin::Other;
        }
    }
    match length.and_then(|length| start.checked_add(length)) {
        Some(end) if end <= bytes.len() => Begin::Whole(start..end),
        Some(end) if end <= most => Begin::Part,
        _ => Begin::Other,
    }
}

fn number(digits: &[u8]) -> Option<usize> {
    let plain = !digits.is_empty() && digits.len() < 9 && digits.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(digits)
        .ok()
        .filter(|_| plain)?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Begin {
        begin(text.as_bytes(), 200)
    }

    #[test]
    fn a_plain_request_is_whole_once_its_body_is_there() {
        let head = "POST / HTTP/1.1\r\nHost: here\r\ncontent-length: 2\r\n\r\n";
        let end = head.len() + 2;
        assert_eq!(of(&format!("{head}{{}}")), Begin::Whole(end - 2..end));
        assert_eq!(of(&format!("{head}{{}}POST")), Begin::Whole(end - 2..end));
        for cut in 0..end {
            assert_eq!(of(&format!("{head}{{}}")[..cut]), Begin::Part);
        }
    }

    #[test]
    fn what_is_longer_than_is_held_is_left_to_others() {
        let with = |length: usize| {
            of(&format!(
                "POST / HTTP/1.1\r\ncontent-length: {length}\r\n\r\n"
            ))
        };
        assert_eq!((with(160), with(161)), (Begin::Part, Begin::Other));
        assert_eq!(
            of(&format!("POST / HTTP/1.1\r\na: {}", "b".repeat(200))),
            Begin::Other
        );
    }

    #[test]
    fn what_is_not_plain_is_left_to_others() {
        let with = |line: &str| {
            of(&format!(
                "POST / HTTP/1.1\r\nContent-Length: 0\r\n{line}\r\n"
            ))
        };
        assert_eq!(with("Connection: Keep-Alive\r\n"), Begin::Whole(62..62));
        for line in [
            "Content-Length: 0\r\n",
            "Connection: close\r\n",
            "Connection: upgrade\r\n",
            "Authorization: Bearer a\r\n",
            "X-API-Key: a\r\n",
            "Origin: http://a\r\n",
            "Expect: 100-continue\r\n",
            "Content-Encoding: gzip\r\n",
            "Transfer-Encoding: chunked\r\n",
            "a b: c\r\n",
            " folded\r\n",
        ] {
            assert_eq!(with(line), Begin::Other, "{line}");
        }
        for text in [
            "GET / HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
            "POST /a HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
            "POST / HTTP/1.0\r\nContent-Length: 0\r\n\r\n",
            "POST / HTTP/1.1\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: +0\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
            "\u{16}\u{3}\u{1}",
        ] {
            assert_eq!(of(text), Begin::Other, "{text}");
        }
    }
}
