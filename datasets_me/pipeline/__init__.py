"""All stages in one go: from a workbook and folders of frames to everything that training reads."""
