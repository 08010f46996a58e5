"""crmaudit: audits a customer base from the exports of its CRM, billing and support desk."""

__version__ = "0.1.0"
