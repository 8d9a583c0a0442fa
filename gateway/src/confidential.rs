//! Values that errors do not repeat.

use std::ffi::OsStr;

use clap::builder::TypedValueParser;
use clap::error::ErrorKind;
use clap::{Arg, Command, Error};

/// Parses the value of a flag that may contain a password or a key. clap's own parsers repeat a bad value in the error,
/// and so in terminals and logs; this one only says what is wrong.
#[derive(Clone)]
pub struct Confidential<T>(pub fn(&str) -> Result<T, String>);

impl<T: Clone + Send + Sync + 'static> TypedValueParser for Confidential<T> {
    type Value = T;

    fn parse_ref(&self, command: &Command, flag: Option<&Arg>, value: &OsStr) -> Result<T, Error> {
        let read = value.to_str().ok_or_else(|| "it is not valid UTF-8".to_owned()).and_then(self.0);
        read.map_err(|why| {
            let flag = flag.map_or_else(String::new, ToString::to_string);
            command.clone().error(ErrorKind::ValueValidation, format!("invalid value for '{flag}': {why}"))
        })
    }
}
