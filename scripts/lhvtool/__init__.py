"""The host side of LHV: boots the kernel on a platform, reads its log, and reports."""
