"""A page as PDF, by way of WeasyPrint: the extra `[pdf]`. Nothing is loaded but what the page itself holds."""

from __future__ import annotations

from crmaudit.errors import UsageError

INSTALL = "PDF wants WeasyPrint, an extra: pip install 'crmaudit[pdf]'"


def pdf(html: str) -> bytes:
    """The page as a tagged PDF; UsageError where WeasyPrint or a library that it needs is not installed."""
    try:
        from weasyprint import HTML, URLFetcher  # noqa: PLC0415  # 1.7 s that nothing else pays
    except (ImportError, OSError) as error:
        raise UsageError(f"{INSTALL} ({error})") from error
    page = HTML(string=html, base_url=None, url_fetcher=URLFetcher(allowed_protocols=("data",), timeout=1))
    written: bytes = page.write_pdf(pdf_tags=True)
    return written
