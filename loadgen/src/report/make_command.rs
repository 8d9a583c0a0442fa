//! The `make` command that repeats a run, where there is one.

use serde_json::Value;

use crate::result::{RunResult, Side};

/// The command, for `demo` and `lab`; `None` if their flags have no variable of the Makefile.
#[must_use]
pub fn make_command(result: &RunResult) -> Option<String> {
    let parameter = |name: &str| result.parameters.get(name);
    let is_set = |name: &str| parameter(name).and_then(Value::as_bool).unwrap_or(false);
    let sides: Vec<_> = parameter("sides")?.as_array()?.iter().filter_map(Value::as_str).collect();
    let one_side = match sides[..] {
        [side] if [Side::Broken, Side::Fixed].iter().any(|known| known.as_str() == side) => Some(side),
        _ => None,
    };
    let lab = parameter("lab")?.as_str()?;
    let own_mistake = parameter("mistake").and_then(Value::as_str) == Some(lab);
    match result.command.as_str() {
        "demo" if !is_set("fast") => Some(one_side.map_or("make demo".to_owned(), |side| format!("make demo-{side}"))),
        "lab" if own_mistake => {
            let side = one_side.map(|side| format!(" SIDE={side}")).unwrap_or_default();
            let mended = if is_set("expect_fixed") { " MENDED=1" } else { "" };
            let fast = if is_set("fast") { " FAST=1" } else { "" };
            Some(format!("make lab NAME={lab}{side}{mended}{fast}"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::result::{Environment, Generator};

    fn of(command: &str, parameters: Value) -> Option<String> {
        let environment = Environment { cores: 1, memory_bytes: 1, os: String::new() };
        let parameters = serde_json::from_value(parameters).unwrap();
        make_command(&RunResult::new(command, environment, parameters, Generator::default()))
    }

    #[test]
    fn a_command_is_given_where_it_runs_the_same() {
        let all = json!(["broken", "control", "fixed"]);
        let lab = |sides: &Value, fast: bool, expect_fixed: bool, mistake: &str| {
            let parameters = json!({"lab": "rollout", "mistake": mistake, "sides": sides, "fast": fast,
                                    "expect_fixed": expect_fixed});
            of("lab", parameters)
        };
        assert_eq!(lab(&all, false, false, "rollout").as_deref(), Some("make lab NAME=rollout"));
        assert_eq!(lab(&all, true, true, "rollout").as_deref(), Some("make lab NAME=rollout MENDED=1 FAST=1"));
        assert_eq!(
            lab(&json!(["fixed"]), false, false, "rollout").as_deref(),
            Some("make lab NAME=rollout SIDE=fixed")
        );
        assert_eq!(lab(&all, false, false, "none"), None);
        let demo =
            |sides: &Value, fast: bool| of("demo", json!({"lab": "pool-exhaustion", "sides": sides, "fast": fast}));
        assert_eq!(demo(&all, false).as_deref(), Some("make demo"));
        assert_eq!(demo(&json!(["broken"]), false).as_deref(), Some("make demo-broken"));
        assert_eq!(demo(&all, true), None);
        assert_eq!(of("run", json!({"url": "http://127.0.0.1:1"})), None);
    }
}
