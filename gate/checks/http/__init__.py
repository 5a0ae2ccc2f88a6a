"""An HTTP request is answered as wanted."""
