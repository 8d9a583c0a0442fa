//! Properties of reading: whatever is cut off or changed in a real file, it is read or refused in words.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{RUN, changed, said};
use crate::result::read::{Problem, parse};

/// A change of one byte: replaced, inserted or removed.
fn mutate(bytes: &mut Vec<u8>, (place, kind, byte): (usize, u8, u8)) {
    let at = place % bytes.len();
    match kind {
        0 => bytes[at] = byte,
        1 => bytes.insert(at, byte),
        _ => drop(bytes.remove(at)),
    }
}

/// The paths of all values.
fn pointers(value: &Value, path: &str, found: &mut Vec<String>) {
    found.push(path.to_owned());
    let escaped = |key: &str| key.replace('~', "~0").replace('/', "~1");
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(key, value)| pointers(value, &format!("{path}/{}", escaped(key)), found));
        }
        Value::Array(values) => {
            values.iter().enumerate().for_each(|(at, value)| pointers(value, &format!("{path}/{at}"), found));
        }
        _ => {}
    }
}

proptest! {
    #[test]
    fn a_file_that_ends_too_early_is_called_that(share in 0.0..1.0_f64) {
        let whole = RUN.trim_end();
        let cut = (whole.len() as f64 * share) as usize;
        let said = said(&whole.as_bytes()[..cut]);
        prop_assert!(said.starts_with(if cut == 0 { "it is empty" } else { "it ends too early, at line " }), "{said}");
    }

    #[test]
    fn changed_bytes_are_read_or_refused(
        changes in prop::collection::vec((any::<usize>(), 0..3_u8, any::<u8>()), 1..5),
    ) {
        let mut bytes = RUN.as_bytes().to_vec();
        changes.into_iter().for_each(|change| mutate(&mut bytes, change));
        if parse(&bytes).is_err() {
            said(&bytes);
        }
    }

    #[test]
    fn changed_values_are_read_or_refused_with_their_place(
        place in any::<prop::sample::Index>(),
        kind in 0..6_usize,
    ) {
        let mut all = Vec::new();
        pointers(&serde_json::from_str(RUN).expect("it is JSON"), "", &mut all);
        let values = [Value::Null, "text".into(), (-1).into(), 1e300.into(), json!([[]]), json!({"a": {}})];
        let pointer: &String = place.get(&all);
        let json = changed(RUN, pointer, values[kind].clone());
        if let Err(problem) = parse(json.as_bytes()) {
            let place = matches!(
                problem,
                Problem::Field { .. } | Problem::NotAResult { .. } | Problem::NoArms { .. } | Problem::MissingArm { .. }
            );
            prop_assert!(place, "{problem}");
            said(&json);
        }
    }
}
