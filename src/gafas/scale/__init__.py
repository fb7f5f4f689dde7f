"""Batch scoring: blocks of images, one worker class, a local engine and Ray; jobs that can be resumed."""
