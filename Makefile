# Every target is a line of scripts/bootstrap.py, which does the same without make.
# Options go through ARGS: make test ARGS="tests/unit -x"

.PHONY: help up test check bench verify build-frontend wheels

help:
	@python3 scripts/bootstrap.py

up test check bench verify build-frontend wheels:
	@python3 scripts/bootstrap.py $@ $(ARGS)
