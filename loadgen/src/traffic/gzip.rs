//! Decompresses a body as it arrives.

use std::io::{self, Write};

use bytes::Bytes;
use flate2::write::GzDecoder;
use hyper::HeaderMap;
use hyper::header::CONTENT_ENCODING;

/// Decompresses a body as it arrives: what can be read of it is read at once, as a browser does.
#[derive(Debug)]
pub(super) struct Gunzip(GzDecoder<Vec<u8>>);

impl Gunzip {
    /// `None` for a body that is not compressed, according to these headers.
    pub(super) fn for_body_with(headers: &HeaderMap) -> Option<Self> {
        let encoding = headers.get(CONTENT_ENCODING)?.to_str().ok()?;
        encoding.trim().eq_ignore_ascii_case("gzip").then(|| Gunzip(GzDecoder::new(Vec::new())))
    }

    /// What can be read once `piece` has arrived; often nothing.
    ///
    /// # Errors
    /// When it is not gzip.
    pub(super) fn next(&mut self, piece: &[u8]) -> io::Result<Bytes> {
        self.0.write_all(piece)?;
        // What it has decompressed is handed over only by a flush, or by more than it can keep.
        self.0.flush()?;
        Ok(std::mem::take(self.0.get_mut()).into())
    }
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gunzip() -> Gunzip {
        let headers = HeaderMap::from_iter([(CONTENT_ENCODING, "GZIP".parse().unwrap())]);
        Gunzip::for_body_with(&headers).unwrap()
    }

    #[test]
    fn what_was_flushed_is_read_at_once_and_the_rest_at_the_end() {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        let mut gunzip = gunzip();
        gzip.write_all(b"data: one\n\n").unwrap();
        assert_eq!(gunzip.next(&std::mem::take(gzip.get_mut())).unwrap(), "", "the compressor holds it");
        gzip.flush().unwrap();
        assert_eq!(gunzip.next(&std::mem::take(gzip.get_mut())).unwrap(), "data: one\n\n");
        gzip.write_all(b"data: two\n\n").unwrap();
        let rest: Vec<u8> = gzip.finish().unwrap();
        let read: Vec<_> = rest.chunks(3).map(|piece| gunzip.next(piece).unwrap()).collect();
        assert_eq!(read.concat(), b"data: two\n\n");
    }

    #[test]
    fn other_bodies_are_left_alone_and_what_is_no_gzip_is_an_error() {
        let identity = HeaderMap::from_iter([(CONTENT_ENCODING, "identity".parse().unwrap())]);
        assert!(Gunzip::for_body_with(&HeaderMap::new()).is_none() && Gunzip::for_body_with(&identity).is_none());
        assert!(gunzip().next(b"data: not compressed at all\n\n").is_err());
    }
}
