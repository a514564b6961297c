"""The same work for programs: every page's queries and acts over HTTP and JSON, by token."""
