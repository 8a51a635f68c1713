"""Crowds, floods and long lists: what memory and time must withstand."""
