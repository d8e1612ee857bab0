# What a person does with Venom from a checkout. `make help` lists it; DEVELOPERS.md tells more.
node := sh scripts/with-node.sh node
venom := $(node) bin/venom.js

.DEFAULT_GOAL := help
.PHONY: start stop status dev test eval bench build clean help

start: ## install and build what changed, start Venom in the background, print its address
	@$(node) scripts/start.mjs

stop: ## stop it: running answers end, models are unloaded, no process stays
	@$(venom) stop

status: ## is it running, where, with which model
	@$(venom) status || [ $$? -eq 3 ]

dev: ## stay in the foreground and reload on changes
	@$(node) scripts/dev.mjs

test: ## everything that is checked: format, lint, types, tests
	@$(node) scripts/check.mjs

eval: ## how well wishes are understood, on labelled utterances in three languages
	@$(node) scripts/prepare.mjs && $(venom) eval

bench: ## speed and memory against the limits in bench/
	@$(node) scripts/prepare.mjs full && $(node) bench/run.mjs

build: ## install and build, start nothing
	@$(node) scripts/prepare.mjs

clean: ## remove what was installed and built; your data stays
	@rm -rf dist coverage node_modules web/node_modules

help: ## this list
	@awk -F ': ## ' '/^[a-z]+: ## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile
