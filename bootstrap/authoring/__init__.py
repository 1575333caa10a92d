"""Writes revision files, and tries them on throwaway databases."""
