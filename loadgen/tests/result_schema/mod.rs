//! Whether a result file is valid by the JSON Schema in the repository.

#![allow(dead_code, reason = "each test uses a part of it")]

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::Value;

const SCHEMA: &str = include_str!("../../schema/result.schema.json");

/// The schema, ready to check results.
pub(crate) struct ResultSchema(Schemas, SchemaIndex);

impl ResultSchema {
    pub(crate) fn new() -> Self {
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        compiler.add_resource("result.schema.json", serde_json::from_str(SCHEMA).unwrap()).unwrap();
        let index = compiler.compile("result.schema.json", &mut schemas).unwrap();
        ResultSchema(schemas, index)
    }

    /// Why the result is not valid, if it is not.
    pub(crate) fn objection(&self, result: &Value) -> Option<String> {
        self.0.validate(result, self.1).err().map(|error| error.to_string())
    }

    pub(crate) fn accepts(&self, result: &Value) {
        if let Some(objection) = self.objection(result) {
            panic!("{}: {objection}", result["command"]);
        }
    }

    /// Takes away, mistypes and adds fields, one at a time: none of that may be valid. A schema that accepts
    /// everything proves nothing.
    pub(crate) fn refuses_changes(&self, result: &Value) {
        self.accepts(result);
        let (servers, arm) = if result["target"].is_object() { ("target", "/target") } else { ("arms", "/arms/fixed") };
        let within = |place: &str| place.replace("ARM", arm);
        for (object, field) in [
            ("", "schema_version"),
            ("", "command"),
            ("", "self"),
            ("", servers),
            ("/verdict", "result"),
            ("/environment", "cores"),
            ("/self/schedule_lag_ms", "p99"),
            ("ARM", "streams"),
            ("ARM/streams", "requested"),
            ("ARM/streams/time_to_first_token_ms", "p50"),
            ("ARM/baseline", "probes"),
            ("ARM/timeline/0", "streams_active"),
            ("ARM/phases/0", "from_ms"),
            ("/verdict/claims/0", "threshold"),
            ("/verdict/claims/0", "unit"),
        ] {
            let mut changed = result.clone();
            let fields = changed.pointer_mut(&within(object)).and_then(Value::as_object_mut);
            let taken = fields.and_then(|fields| fields.remove(field));
            assert!(taken.is_some(), "no {object}/{field} in {}", result["command"]);
            assert!(self.objection(&changed).is_some(), "valid without {object}/{field}");
        }
        for (field, value) in [
            ("/schema_version", Value::from(2)),
            ("/verdict/result", "perhaps".into()),
            ("/verdict/claims/0/comparison", "~".into()),
            ("/verdict/claims/0/measured", "12 ms".into()),
            ("/self/schedule_lag_ms/p99", Value::Null),
            ("ARM/streams/requested", (-1).into()),
            ("ARM/streams/requested", 1.5.into()),
            ("ARM/timeline", serde_json::json!({})),
        ] {
            let mut changed = result.clone();
            *changed.pointer_mut(&within(field)).unwrap_or_else(|| panic!("no {field}")) = value.clone();
            assert!(self.objection(&changed).is_some(), "valid with {value} at {field}");
        }
        for object in ["", "/verdict", "ARM", "ARM/streams", "ARM/phases/0", "/verdict/claims/0"] {
            let mut changed = result.clone();
            changed.pointer_mut(&within(object)).unwrap()["unheard_of"] = 1.into();
            assert!(self.objection(&changed).is_some(), "valid with an unknown field in {object}");
        }
    }
}
