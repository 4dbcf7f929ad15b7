"""A profile on labelled data as one page: facts first (plain JSON), then the same facts as HTML that needs no network, and as Markdown."""

from fastcal.report._report import Report, make_report

__all__ = ["Report", "make_report"]
