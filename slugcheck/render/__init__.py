"""Report to text: pure functions that compute nothing and know no streams."""
