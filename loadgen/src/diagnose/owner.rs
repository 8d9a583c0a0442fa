//! Whether the process of `--pid` is that of the server, or starts it: its descriptors become more as its streams do.

use crate::result::DiagnosisLevel;

/// Streams whose connections are enough to tell.
const STREAMS_MIN: u64 = 8;

/// Takes the figures of a process out of the levels that does not listen, or has not opened a descriptor for most of the
/// streams, and returns the sentence that says so.
pub(super) fn leave_out_another(
    pid: Option<u32>,
    listens: Option<bool>,
    levels: &mut [DiagnosisLevel],
) -> Option<String> {
    let pid = pid?;
    if listens == Some(false) {
        forget(levels);
        return Some(format!(
            "the process of --pid {pid} does not listen on this port, nor does one that it started, so its figures are left \
             out"
        ));
    }
    let known = || levels.iter().filter_map(|level| Some((level.started, level.fds?)));
    let (least, most) = (known().min()?, known().max()?);
    let (streams, opened) = (most.0 - least.0, most.1.saturating_sub(least.1));
    if streams < STREAMS_MIN || opened * 2 >= streams {
        return None;
    }
    forget(levels);
    Some(format!(
        "the process of --pid {pid} opened {opened} descriptors for {streams} more streams, so it is not what accepts \
         them, and its figures are left out"
    ))
}

fn forget(levels: &mut [DiagnosisLevel]) {
    for level in levels {
        (level.cpu_cores, level.threads) = (None, None);
        (level.fds, level.fds_of_fullest, level.fds_limit) = (None, None, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(started: u64, fds: Option<u64>) -> DiagnosisLevel {
        DiagnosisLevel { started, fds, cpu_cores: Some(0.1), threads: Some(4), ..DiagnosisLevel::default() }
    }

    #[test]
    fn a_process_without_the_connections_is_left_out_and_named() {
        let mut levels = [level(1, Some(9)), level(16, Some(10)), level(32, Some(11))];
        let said = leave_out_another(Some(7), None, &mut levels).unwrap();
        assert!(said.contains("--pid 7 opened 2 descriptors for 31 more streams"), "{said}");
        assert!(levels.iter().all(|level| (level.cpu_cores, level.threads, level.fds) == (None, None, None)));
    }

    #[test]
    fn a_process_stays_that_has_them_or_might() {
        let of_server = [level(1, Some(9)), level(32, Some(40))];
        let too_few_to_tell = [level(1, Some(9)), level(4, Some(9))];
        let unknown = [level(1, None), level(32, None)];
        for mut levels in [of_server, too_few_to_tell, unknown] {
            assert_eq!(leave_out_another(Some(7), None, &mut levels), None);
            assert_eq!(levels[0].threads, Some(4));
        }
    }
}
