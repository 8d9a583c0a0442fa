//! Sends the same traffic to several servers, probes their health, and judges the result.
//!
//! Data flows one way: `labs` (data) → `engine` (starts programs through the crate `process`, runs the phases) →
//! `traffic` (what is sent, when) → `measure` → `verdict` → `report`. `commands` are on top.

/// A load balancer.
pub mod balancer;
/// Charts of a result.
pub mod chart;
/// The command line.
pub mod cli;
/// The commands.
pub mod commands;
/// Runs side by side.
pub mod comparison;
/// The dashboard in the terminal.
pub mod dashboard;
/// The limit of open descriptors.
pub mod descriptors;
pub mod diagnose;
/// Runs a lab.
pub mod engine;
/// The machine.
pub mod environment;
/// One HTTP exchange on one connection.
pub mod http;
/// What a lab is.
pub mod lab;
/// The labs.
pub mod labs;
/// What a run looks like at one instant.
pub mod live;
/// Marks and anchors in code.
pub mod marks;
/// Text within HTML, SVG and XML.
pub mod markup;
/// What was observed.
pub mod measure;
/// Runs of several machines as one.
pub mod merge;
/// Numbers for people.
pub mod numbers;
/// The page on which a teacher drives both servers.
pub mod playground;
/// What people see.
pub mod report;
/// What a run found.
pub mod result;
/// The terminal while a dashboard is on it.
pub mod screen;
/// Arms that are driven by hand.
pub mod session;
/// The code of the mistakes and their fixes.
pub mod sources;
/// What is sent.
pub mod traffic;
/// The mock vendor's ledger.
pub mod vendor;
/// The verdict rule.
pub mod verdict;
