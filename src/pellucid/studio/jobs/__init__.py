"""Long work as jobs: kept in a table, done by workers, told of as it goes."""
