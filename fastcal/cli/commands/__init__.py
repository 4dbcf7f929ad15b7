"""The commands, a module each: a function of the module's name, whose docstring is its help and ends in examples that are tests."""
