"""What is allowed: settings, limits, budgets, gates and ignored findings."""
