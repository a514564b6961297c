"""Long work, queued in the database: asked for on a page, done by a worker, watched and resumed after a kill."""
