//! `loadgen demo --interactive`: both servers, with as many streams and the mistake that somebody asks for by keys.

mod controls;
mod picture;

use tokio::time::{MissedTickBehavior, interval};

use self::controls::{Controls, Wish};
use self::picture::Picture;
use super::CommandError;
use crate::cli::DemoArgs;
use crate::measure::SAMPLE_INTERVAL;
use crate::report::{Terminal, wrap};
use crate::screen::Screen;
use crate::session::{Session, SessionOptions};

/// Runs until somebody has seen enough.
pub(super) async fn execute(args: &DemoArgs, terminal: &Terminal) -> Result<u8, CommandError> {
    let program_dir = args.programs.dir().map_err(CommandError::ProgramDir)?;
    let start_timeout = args.programs.start_timeout;
    let options = SessionOptions { start_timeout, ..SessionOptions::new(program_dir) };
    let session = Session::open(options).await?;
    // Dropped after the screen, also where a signal ends the command.
    let _afterwards = Afterwards { session: &session, terminal };
    let (screen, mut keys) = Screen::take_with_all_keys(terminal).map_err(CommandError::NoScreen)?;
    let mistake = session.state().mistake;
    let place = session.mistakes().iter().position(|listed| listed.name == mistake).unwrap_or(0);
    let mut controls = Controls::new(session.streams_limit().max, place, session.mistakes().len());
    let mut picture = Picture::new(&session, terminal.has_colour());
    session.start(&mistake)?;

    let mut due = interval(SAMPLE_INTERVAL);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !controls.is_over {
        tokio::select! {
            _ = due.tick() => {}
            Some(key) = keys.recv() => {
                if let Some(wish) = controls.press(key.code) {
                    grant(&session, &wish)?;
                }
            }
        }
        if let Some(why) = screen.failure() {
            return Err(CommandError::ScreenLost(why));
        }
        // The session closes streams by itself when nobody has been there for long.
        let state = session.state();
        controls.streams = state.streams;
        picture.update(&session, &state, &controls);
        let shown = picture.clone();
        screen.show(move |screen| shown.draw(screen));
    }
    Ok(0)
}

fn grant(session: &Session, wish: &Wish) -> Result<(), CommandError> {
    match *wish {
        Wish::Streams(count) => session.set_streams(count)?,
        Wish::Mistake(place) => {
            let name = session.mistakes().get(place).map(|mistake| mistake.name.clone());
            name.map_or(Ok(()), |name| session.set_mistake(&name))?;
        }
    }
    Ok(())
}

/// Prints what was found of each server, once the ordinary screen is back. Nothing is judged: that is for labs.
struct Afterwards<'a> {
    session: &'a Session,
    terminal: &'a Terminal,
}

impl Drop for Afterwards<'_> {
    fn drop(&mut self) {
        let found = self.session.found();
        for found in &found {
            self.terminal.line(wrap("  ", &found.sentence()));
        }
        if !found.is_empty() {
            let judged = "Nothing was judged: `loadgen demo` puts the same load on both and prints a verdict.";
            self.terminal.line(wrap("  ", judged));
        }
    }
}
