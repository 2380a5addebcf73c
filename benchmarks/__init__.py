"""How fast, how frugal: measurements that anybody can repeat with `make benchmark`."""
