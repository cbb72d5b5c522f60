"""Files of the status page and the docs page: static, no build step, nothing from elsewhere."""
