"""What pilots and past plans earned, against those left alone."""
