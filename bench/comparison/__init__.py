"""Parts of bench/compare."""
