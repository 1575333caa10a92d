"""What files of data sets say, before a schema gives it a meaning."""
