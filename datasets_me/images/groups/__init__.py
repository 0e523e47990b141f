"""Group photographs: every face found, cut out, aligned and described."""
