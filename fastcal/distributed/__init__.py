"""The same results from many machines: one module per engine, each of them an extra; nothing is computed here."""
