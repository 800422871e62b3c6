"""Makes the generated modules of ``channel_aa/ari/api`` from Asterisk's descriptions.

An Asterisk describes its REST interface itself, at ``/ari/api-docs``: resources,
operations, models and events, in Swagger 1.1. ``scripts/generate-ari`` starts the
installed one, and writes the modules. Names, types, numbers and structure are
Asterisk's; the sentences are those of `generate_ari.words`.
"""
