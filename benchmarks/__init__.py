"""What is measured about crmaudit, against which goals, and how: see README.md beside this file."""
