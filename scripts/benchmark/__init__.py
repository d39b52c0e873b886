"""What abr costs beside FFmpeg and Shaka Packager, as ratios taken in one run."""
