"""Tests of the workbench, on PostgreSQL."""
