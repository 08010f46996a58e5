"""What is not a template: the files of other programs."""
