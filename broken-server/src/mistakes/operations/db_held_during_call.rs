//! Mistake `db-held-during-call`.
//!
//! What is wrong: a request takes a connection to the database, counts its call with it in a millisecond, and gives it
//! back at its end, which is the vendor's: seconds later, or for a stream a minute.
//! Symptom: as many slow calls as the pool has connections, and every route that needs the database hangs until
//! `--database-acquire-timeout` is over, then 503; `database_acquire_timeouts_total` rises. The database is idle, the
//! processor too, and `/health` is green. With `--connection-until call` a stream gives its connection back with its
//! first token, with `body` after its last.
//! Fix: fixed-server/src/sessions/database.rs, which takes a connection for one statement and lets none out.
//! Source: 002, whose handler of completions has `db: AsyncSession = Depends(get_db)` before and after its repair, and
//! whose repair is a larger pool. FastAPI ends such a session when the body has been sent (fastapi#14099).

use bytes::Bytes;

use crate::api;
use crate::call::Call;
use crate::errors::Failure;
use crate::event_stream::EventStream;
use crate::mistake::{Group, Mistake};
use crate::mistakes::none::Steps;
use crate::settings::ConnectionUntil;
use crate::state::AppState;

pub(crate) const ENTRY: Mistake = Mistake {
    name: "db-held-during-call",
    group: Group::Operations,
    symptom: "as many slow calls as database connections, and all routes that need the database hang; /health is green",
    limits: true,
    own_flags: &["connection_until"],
    routes: |settings| Ok(api::routes(DbHeldDuringCall { until: settings.own.connection_until })),
    ..Mistake::USUAL
};

pub(crate) struct DbHeldDuringCall {
    until: ConnectionUntil,
}

// ANCHOR: db-held-during-call
impl Steps for DbHeldDuringCall {
    async fn call_whole(&self, state: &AppState, call: Call) -> Result<Bytes, Failure> {
        // MISTAKE db-held-during-call: the connection is used for a millisecond, and held until the vendor has answered.
        let _connection = state.database.count_call(call.key.as_ref()).await?;
        Counted.call_whole(state, call).await
    }

    async fn open_stream(&self, state: &AppState, call: Call) -> Result<EventStream, Failure> {
        let connection = state.database.count_call(call.key.as_ref()).await?;
        let stream = Counted.open_stream(state, call).await?;
        Ok(match self.until {
            // A `with` block ends here, with the first token.
            ConnectionUntil::Call => stream,
            // A framework that ends the session with the response ends it with the last.
            ConnectionUntil::Body => stream.keeping(connection),
        })
    }
}

/// The control's steps, for a call that has been counted.
struct Counted;

impl Steps for Counted {
    async fn count(&self, _state: &AppState, _call: &Call) -> Result<(), Failure> {
        Ok(())
    }
}
// ANCHOR_END: db-held-during-call
