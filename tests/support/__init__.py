"""What tests stand on: real archives built in memory, and a real package index on the loopback."""
