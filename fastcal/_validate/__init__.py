"""The one place where user input is judged: every message says what was got and what is expected."""
