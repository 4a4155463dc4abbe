//! Charts: Chart.yaml, files, dependencies, values and their coalescing.
