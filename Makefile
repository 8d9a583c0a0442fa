# Needs Rust, make and a C compiler. `make` alone lists the targets.

CARGO   ?= cargo
BIN     := target/release
MISTAKE ?= pool-exhaustion
OUT     ?=
HTML    ?=
FILES   ?=
PERCENT ?=
NAME    ?=
# Not from the environment, where some shells keep the name of the user's group.
GROUP   :=
SIDE    ?= both
PORT    ?= 8000
ROUNDS  ?= 1
AT_ONCE ?= 1
BURNER  ?=
RUN     := run

# --out FILE when OUT=FILE is given, --html FILE when HTML=FILE is.
out_flag := $(if $(OUT),--out $(OUT)) $(if $(HTML),--html $(HTML))
# Lines in place of the dashboard when PLAIN=1 is given.
plain_flag := $(if $(PLAIN),--plain)
# Lists the labs without a name.
lab_flags := --side $(SIDE) $(if $(MENDED),--expect-fixed) $(if $(FAST),--fast) $(if $(KEEP),--keep) $(plain_flag)
# Both servers with PostgreSQL.
postgres := --features broken-server/postgres,fixed-server/postgres
# Only as `make lab DATABASE_URL=...`: many environments have this variable, for another purpose. The URL may have a
# password: through the environment, the programs do not have it among their arguments.
ifneq ($(filter command,$(origin DATABASE_URL)),)
export LOADGEN_DATABASE_URL := $(DATABASE_URL)
build_features := $(postgres)
endif
# The default of PORT is that of `make up`.
serve_flags := $(if $(filter file,$(origin PORT)),,--port $(PORT))
lab_command := $(if $(NAME),lab $(NAME) $(lab_flags) $(out_flag),labs)

# Variable names are in capitals; make would ignore `name=x` and not run the lab.
$(foreach word,name names jobs rounds burner group side mended fast keep at_once out html files percent mistake port result plain database_url,$(if $(filter command,$(origin $(word))),\
  $(error '$(word)=$($(word))' does nothing: write $(shell echo $(word) | tr a-z A-Z)=$($(word)))))

.DEFAULT_GOAL := help
.PHONY: help build demo demo-broken demo-fixed lab labs report serve up reset stop test test-fast test-postgres test-clients test-page test-diagnose lint bench bench-mock bench-stack soak new-lab outputs pictures lists clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n%s", $$1, $$2, more; more = "" } \
	  /^#: / { more = more sprintf("%21s%s\n", "", substr($$0, 4)) }' $(MAKEFILE_LIST)

build: ## Build the four programs, optimised
	@[ -d $(BIN)/deps ] || echo "The first run builds the four programs: about three minutes on two cores."
	@$(CARGO) build --release $(build_features)

demo: build ## Both servers side by side under the same load, and the verdict
	@$(BIN)/loadgen demo both $(plain_flag) $(out_flag)

demo-broken: build ## Only the server with the mistake
	@$(BIN)/loadgen demo broken $(plain_flag) $(out_flag)

demo-fixed: build ## Only the server without it
	@$(BIN)/loadgen demo fixed $(plain_flag) $(out_flag)

#: SIDE=broken or fixed: one side; FAST=1: a shorter run; OUT=file: the result as JSON
#: HTML=file: the result as a page; OUT and HTML are for demo and labs too
#: PLAIN=1: a line per second in place of the dashboard, for demo and labs too
#: KEEP=1: keep vendor and servers running for curl; MENDED=1: judge your repair
#: DATABASE_URL=postgres://...: PostgreSQL for both servers, for a lab about databases
lab: build ## Run one lab, NAME=name; without it, list them
	@$(BIN)/loadgen $(lab_command)

#: GROUP=threads, calls or operations; FAST=1: shorter runs; JOBS=1: one at a time
labs: build ## Run every lab, or NAMES="a b", and sum up
	@$(BIN)/loadgen labs $(or $(NAMES),--all) $(if $(GROUP),--group $(GROUP)) $(if $(FAST),--fast) $(if $(JOBS),--jobs $(JOBS)) $(plain_flag) $(out_flag)

#: OUT=page.html: as a page; PERCENT=10: fail if the fix got worse by more than that
report: build ## Show results again, FILES="a.json b.json": several are compared with the first
	@$(BIN)/loadgen report $(FILES) $(if $(OUT),--html $(OUT)) $(if $(PERCENT),--fail-on-regression $(PERCENT))

serve: build ## The playground, a page on which you drive both servers by hand (PORT=7001: another port)
	@$(BIN)/loadgen serve $(serve_flags)

up: build ## Start vendor and servers in the background, for curl (MISTAKE=name, PORT=8100)
	@MISTAKE=$(MISTAKE) PORT=$(PORT) BIN=$(BIN) RUN=$(RUN) sh scripts/up.sh

reset: ## Clear the ledger and the faults of the vendor that `make up` started
	@RUN=$(RUN) sh scripts/reset.sh

stop: ## Stop what `make up` started
	@RUN=$(RUN) sh scripts/stop.sh

test: ## All tests (no internet, no fixed ports): 8 minutes
	@CARGO="$(CARGO)" sh scripts/test.sh --workspace

test-fast: ## The tests that take less than a minute together
	@$(CARGO) build --workspace --bins --tests
	@CARGO="$(CARGO)" sh scripts/test.sh --workspace --lib --test tidy --test sse --test '*_model' --test over_sockets --test exit_codes

test-postgres: ## Keys, sessions and a lab on PostgreSQL too (needs its initdb and postgres; skipped with a message without them)
	@$(CARGO) test --package fixed-server --features postgres --test it -- --nocapture keys:: sessions:: database_down::
	@$(CARGO) test --package fixed-server --features postgres --lib
	@$(CARGO) test --package gateway --features postgres --lib
	@$(CARGO) build $(postgres)
	@$(CARGO) test --package conformance --test postgres -- --ignored --nocapture

test-clients: ## OpenAI's own clients against the mock (needs python3 with venv, node and npm)
	@sh mock-llm/clients/check.sh

test-page: build ## Playground and report in headless Chromium, screenshots in target/screens (needs node, npm, chromium)
	@BIN=$(BIN) sh loadgen/page-tests/check.sh

#: NAMES="a b": only those servers; ROUNDS=3: each so often; AT_ONCE=4: four at the same time
#: BURNER=1: beside a busy processor
test-diagnose: build ## diagnose against servers whose limit is known, ours and others: truth against answer (needs python3 with venv)
	@BIN=$(BIN) sh loadgen/diagnose-tests/check.sh $(NAMES) --rounds $(ROUNDS) --at-once $(AT_ONCE) $(if $(BURNER),--burner)

bench-stack: ## Cost of the call stack per call, and its behaviour under three times the load
	@$(CARGO) bench --package fixed-server --bench stack

soak: ## A minute of faults, overload and disconnecting clients; then every invariant is checked
	@$(CARGO) test --release --quiet --package fixed-server --test soak -- --ignored --nocapture

lint: ## Formatting and lints, warnings denied
	@$(CARGO) fmt --all --check
	@$(CARGO) clippy --workspace --all-targets -- -D warnings

#: SHORT=1: one round, under three minutes
bench: build ## 4,000 and 9,000 streams: fixed-server beside a plain relay and nginx, if installed (9 minutes)
	@$(CARGO) bench --quiet --package loadgen --bench streams $(if $(SHORT),-- --short)

bench-mock: ## Cost of the mock: CPU time per chunk, memory per stream, lateness
	@$(CARGO) bench --package mock-llm --bench vendor

new-lab: ## Write the files of a new lab: NAME=name GROUP=threads, calls or operations
	@NAME="$(NAME)" GROUP="$(GROUP)" sh scripts/new-lab.sh
	@$(CARGO) fmt --all

outputs: build ## Run every lab, or NAMES="a b", and write what the chapters show of it
	@BIN=$(BIN) NAMES="$(NAMES)" sh scripts/outputs.sh

#: RESULT=file: of that result of the demo, without a run
pictures: build ## Run the demo and write the pictures of README.md
	@BIN=$(BIN) RESULT="$(RESULT)" sh scripts/pictures.sh

lists: ## Write the lists of labs and platforms in README.md and the workshop anew
	@$(CARGO) test --quiet --package loadgen --test tidy -- --ignored write_lists

.PHONY: schema
schema: ## Write the JSON Schema of result files anew: loadgen/schema/result.schema.json
	@$(CARGO) test --quiet --package loadgen --lib -- --ignored write_schema

clean: stop ## Remove everything that was built
	@$(CARGO) clean
	@rm -rf $(RUN)
