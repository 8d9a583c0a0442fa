//! How many of a list of times fall into one window.

use std::time::Duration;

/// Most of `times`, in milliseconds, within any window of this length (over zero), wherever it starts. A window contains
/// its start and not its end, as in a rate limit: two times that are exactly `window` apart are not within one.
#[must_use]
pub fn most_within(times: &[f64], window: Duration) -> u64 {
    let window = window.as_secs_f64() * 1000.0;
    // A clock that was set back leaves a list out of order.
    let mut times = times.to_vec();
    times.sort_by(f64::total_cmp);
    let mut first = 0;
    let mut most = 0;
    for (last, time) in times.iter().enumerate() {
        while first < last && time - times[first] >= window {
            first += 1;
        }
        most = most.max(last - first + 1);
    }
    most as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A window that holds the most can be moved to start at one of its times.
    fn naive(times: &[f64], window: Duration) -> u64 {
        let within = |start: f64| {
            times.iter().filter(|time| (start..start + window.as_secs_f64() * 1000.0).contains(time)).count() as u64
        };
        times.iter().map(|start| within(*start)).max().unwrap_or(0)
    }

    proptest! {
        #[test]
        fn it_agrees_with_counting_every_window(
            times in prop::collection::vec(0_u32..2_000, 0..60),
            window in 1_u64..400,
        ) {
            let times: Vec<f64> = times.into_iter().map(f64::from).collect();
            let window = Duration::from_millis(window);
            prop_assert_eq!(most_within(&times, window), naive(&times, window));
        }
    }

    #[test]
    fn a_window_does_not_contain_its_end() {
        let times = [0.0, 50.0, 100.0, 149.9];
        assert_eq!(most_within(&times, Duration::from_millis(100)), 3, "from 50 on");
        assert_eq!(most_within(&times[..3], Duration::from_millis(100)), 2);
        assert_eq!(most_within(&[], Duration::from_millis(100)), 0);
    }
}
