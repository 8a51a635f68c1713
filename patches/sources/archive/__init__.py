"""Archives and compressed files, read with bounded memory."""
