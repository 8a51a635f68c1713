"""The Debian security tracker."""
