from scripts.write_cli_reference import PAGE, reference


def test_the_reference_says_what_the_commands_do():
    written = PAGE.read_text(encoding="utf-8")
    assert written == reference(), "Run: .venv/bin/python scripts/write_cli_reference.py"
