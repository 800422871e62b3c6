"""What a caller experiences: menus, prompts and keys, with no idea of HTTP."""
