# make demo and make test set up everything they need; make help lists the rest.

VENV := .venv
BIN := $(VENV)/bin
RUN := $(VENV)/.keepline-run
TEST := $(VENV)/.keepline-test
SITE ?= ./demo-site
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help demo serve test check check-full lint types contracts tidy docs bench audit lock clean

help:
	@echo "make demo        模拟运营商并跑通全流程 / simulate an operator and run the whole loop"
	@echo "make serve       启动演示站点的工作台 / start the workbench of the demo"
	@echo "make test        安装并运行测试 / set up and run the tests"
	@echo "make check       格式、类型、约定与测试 / formatting, types, contracts, house rules and tests"
	@echo "make check-full  长测试，写入 docs/results.md / the long tests, written to docs/results.md"
	@echo "make docs        由声明生成 docs/tables.md / make docs/tables.md from the declarations"
	@echo "make audit       依赖有无已知漏洞（需联网与 pip-audit） / known faults of dependencies; needs a network and pip-audit"
	@echo "make bench       性能测试 / benchmarks"
	@echo "make clean       删除可再生成的文件 / delete what can be made again"

$(RUN): requirements/build.txt requirements/run.txt pyproject.toml
	@tools/setup.sh run
	@touch $@

# PySpark, pytest and the browser driver go into the same .venv, but never for the demo.
$(TEST): requirements/build.txt requirements/test.txt $(RUN)
	@tools/setup.sh test
	@touch $@

demo: $(RUN)
	@$(BIN)/keepline demo --site $(SITE)
	@printf '\n工作台：make serve\nThe workbench: make serve\n'

serve: $(RUN)
	@$(BIN)/keepline serve --site $(SITE)

# A third worker on two cores saves nothing: measured. Spark starts once: its tests share one worker, the others take the rest.
# Threads of mathematics would fight the workers.
test check-full: export OPENBLAS_NUM_THREADS = 1
test check-full: export OMP_WAIT_POLICY = passive
test: $(TEST)
	@tools/missing_for_tests.sh
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup --durations=15 --durations-min=5

check: lint types contracts tidy test

lint: $(TEST)
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .

types: $(TEST)
	@$(BIN)/python -m mypy

contracts: $(TEST)
	@$(BIN)/lint-imports

tidy: $(TEST)
	@$(BIN)/python tools/tidy.py
	@$(BIN)/python tools/make_bill.py --check
	@$(BIN)/python tools/make_tables.py --check

docs: $(RUN)
	@$(BIN)/python tools/make_tables.py

check-full: $(TEST)
	@tools/missing_for_tests.sh
	@$(BIN)/python tools/make_results.py

bench: $(TEST)
	@$(BIN)/python tools/make_benchmarks.py $(ONLY)

audit: $(RUN)
	@$(BIN)/python tools/audit_parts.py

# Needs uv; written without registry addresses, with the hashes of every wheel.
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header
lock:
	@$(COMPILE) requirements/build.in -o requirements/build.txt
	@$(COMPILE) pyproject.toml --extra web -c requirements/build.txt -o requirements/run.txt
	@$(COMPILE) pyproject.toml --extra web --extra spark --group dev -c requirements/build.txt -c requirements/run.txt -o requirements/test.txt
	@$(BIN)/python tools/make_bill.py

clean:
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache demo-site spark-warehouse metastore_db derby.log
	find src tests tools -name __pycache__ -type d -prune -exec rm -rf {} +
