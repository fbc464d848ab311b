# SPDX-License-Identifier: LGPL-2.1-or-later
"""Unmodified Windows programs: how they are fetched and driven.  Used by test_apps.py and by
tools/quickstart; no file of these programs is part of Ringsock."""
