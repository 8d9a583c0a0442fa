//! The counts of a histogram, as HdrHistogram's V2 encoding has them: a number for each bucket, from the least value to the
//! largest that was recorded. A count is itself; a run of empty buckets is its length, negative. Numbers of either sign
//! alternate (zigzag), and have seven bits a byte, the lowest first, but all eight of the ninth (LEB128-64b9B).

use hdrhistogram::Histogram;

/// Bytes of a number before the ninth, which has no mark that another follows.
const MARKED: u32 = 8;

/// The counts of `histogram`.
pub(super) fn write_counts(histogram: &Histogram<u64>) -> Vec<u8> {
    let (mut bytes, mut empty, mut left) = (Vec::new(), 0, histogram.len());
    for bucket in histogram.iter_all() {
        // Behind the largest value are thousands of empty ones.
        if left == 0 {
            break;
        }
        let count = bucket.count_at_value();
        left = left.saturating_sub(count);
        match i64::try_from(count).unwrap_or(i64::MAX) {
            0 => empty += 1,
            count => {
                if empty > 0 {
                    write_number(&mut bytes, -empty);
                }
                write_number(&mut bytes, count);
                empty = 0;
            }
        }
    }
    bytes
}

/// Records these counts in `histogram`, which is empty; `None` if they are not such counts.
pub(super) fn read_counts(bytes: &[u8], histogram: &mut Histogram<u64>) -> Option<()> {
    let empty = histogram.clone();
    let (mut rest, mut buckets) = (bytes.iter(), empty.iter_all());
    while !rest.as_slice().is_empty() {
        match read_number(&mut rest)? {
            0 => _ = buckets.next()?,
            count @ 1.. => {
                let bucket = buckets.next()?;
                histogram.record_n(bucket.value_iterated_to(), count.unsigned_abs()).ok()?;
            }
            empty => _ = buckets.nth(usize::try_from(empty.unsigned_abs()).ok()? - 1)?,
        }
    }
    Some(())
}

fn write_number(bytes: &mut Vec<u8>, number: i64) {
    let mut left = ((number << 1) ^ (number >> 63)).cast_unsigned();
    for _ in 0..MARKED {
        if left < 0x80 {
            break;
        }
        bytes.push(left as u8 | 0x80);
        left >>= 7;
    }
    bytes.push(left as u8);
}

fn read_number<'a>(bytes: &mut impl Iterator<Item = &'a u8>) -> Option<i64> {
    let mut number = 0;
    for place in 0..MARKED {
        let byte = u64::from(*bytes.next()?);
        number |= (byte & 0x7f) << (7 * place);
        if byte < 0x80 {
            return Some(signed(number));
        }
    }
    Some(signed(number | u64::from(*bytes.next()?) << (7 * MARKED)))
}

fn signed(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_have_the_bytes_of_the_encoding() {
        for (number, expected) in [
            (0, &[0][..]),
            (1, &[2]),
            (-1, &[1]),
            (63, &[126]),
            (64, &[0x80, 1]),
            (-65, &[0x81, 1]),
            (i64::MAX, &[0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
            (i64::MIN, &[0xff; 9]),
        ] {
            let mut bytes = Vec::new();
            write_number(&mut bytes, number);
            assert_eq!(bytes, expected, "{number}");
        }
        assert_eq!((read_number(&mut [].iter()), read_number(&mut [0x80].iter())), (None, None));
    }

    proptest! {
        #[test]
        fn numbers_are_read_as_they_were_written(number in any::<i64>(), shift in 0_u32..64) {
            let (number, mut bytes) = (number >> shift, Vec::new());
            write_number(&mut bytes, number);
            let mut rest = bytes.iter();
            prop_assert_eq!((read_number(&mut rest), rest.len()), (Some(number), 0));
        }
    }
}
