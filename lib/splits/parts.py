"""The three parts that every fold of every protocol has."""

PARTS = ("train", "validation", "test")
