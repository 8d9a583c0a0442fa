//! What is printed of a diagnosis, at 80 columns.

use super::*;
use crate::result::samples;
use crate::verdict::of_diagnosis;

/// The lines that are printed of what was found with up to 256 streams.
fn printed(diagnosis: &Diagnosis) -> Vec<String> {
    let verdict = of_diagnosis(diagnosis, 256, &samples::run(diagnosis.clone()));
    let lines = lines(&Terminal::plain(), diagnosis, &verdict);
    lines.iter().flat_map(|line| line.split('\n')).map(str::to_owned).collect()
}

#[test]
fn a_full_pool_is_shown_in_full() {
    let expected = "  Collapse at 40 streams: each stream holds a thread of a pool
  kind thread_pool_held, form inner_pool, limit 40 threads, confidence high
  The server answers 40 streams at once, and each holds a thread of a pool. With
  40 streams, 39 of 48 health checks timed out, while a path that does not exist
  was answered within 0.9 ms. Users beyond the 40th wait until an earlier stream
  ends.

 p99 of  ── health  • kept connection  + unknown path  × timed out
    10 s ┤                                                 ╭─×─×─×─×─×─×─×─×─×─×
     1 s ┤                                                 │
  100 ms ┤                                                 │ 40th stream
   10 ms ┤                                                 │
  ≤ 1 ms ┤─•+─•+─•+─•+─•+─•+─•+─•+─•+─•+─•+─•+─•+─•+─•+─•+─╯•+•+•+•+•+•+•+•+•+•+
 streams  1      2      4      8      16     32     39     40     48     64
 flowing  1      2      4      8      16     32     39     40     40     40

  Evidence    - 39 streams: health p99 3.1 ms; 40: 39 of 48 probes timed out
              - 40 of 64 streams flowed and the others waited for their first
                chunk; in 5 s, 3 ended and 3 began
              - CPU 3 %; threads 4 with 1 stream, 43 with 40
  Advice      40 is the default of anyio, which FastAPI uses for `def`
              endpoints. Raising it moves the limit to as many streams, and each
              costs a thread. Make the endpoint `async def`, with an async
              client to the vendor.
  Recovery    recovered 1.2 s after the streams were closed
  Next        loadgen lab pool-exhaustion shows this limit beside its fix";
    let lines = printed(&samples::full_pool());
    assert_eq!(lines.join("\n"), expected, "\n{}", lines.join("\n"));
}

#[test]
fn every_kind_fits_on_eighty_columns_and_says_what_was_found() {
    for (diagnosis, head) in [
        (samples::none_found(), "  No limit found up to 256 streams"),
        (samples::compressed(), "  The answer does not stream: compression holds it back"),
        (Diagnosis { form: None, ..samples::compressed() }, "  The answer does not stream"),
        (samples::inconclusive(), "  Collapse at 8 streams, for a reason that was not found"),
    ] {
        let lines = printed(&diagnosis);
        assert_eq!(lines[0], head);
        let text = lines.join("\n");
        assert!(lines.iter().all(|line| line.chars().count() <= 80), "{text}");
        assert!(text.contains(&format!("kind {}", diagnosis.kind.as_str())), "{text}");
        assert_eq!(text.contains("streams  1"), !diagnosis.levels.is_empty(), "a staircase needs levels: {text}");
        assert_eq!(text.contains("Surer with  --pid"), diagnosis.surer_with.is_some(), "{text}");
    }
}

#[test]
fn a_run_that_proves_nothing_says_so_first_and_why() {
    let mut diagnosis = samples::none_found();
    diagnosis.levels.pop();
    let lines = printed(&diagnosis);
    assert_eq!(lines[0], "  INVALID: no conclusion can be drawn from this run");
    assert!(lines[1].starts_with("  Because     the time ended at 64 of 256 streams"), "{}", lines.join("\n"));
}

#[test]
fn colour_changes_no_character() {
    let colour = Terminal::with_colour();
    let diagnosis = samples::full_pool();
    let verdict = of_diagnosis(&diagnosis, 256, &samples::run(diagnosis.clone()));
    let of = |terminal: &Terminal| lines(terminal, &diagnosis, &verdict).join("\n");
    let coloured = of(&colour);
    let plain: String = coloured.split('\u{1b}').enumerate().fold(String::new(), |text, (nth, piece)| {
        text + if nth == 0 { piece } else { piece.split_once('m').unwrap().1 }
    });
    assert_eq!(plain, of(&Terminal::plain()));
    assert!(coloured.contains("\u{1b}[31m") && coloured.contains("\u{1b}[32m"), "{coloured}");
}
