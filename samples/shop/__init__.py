"""A small web shop: its schema, its data, and the pages that its visitors open. README.md tells what is planted."""
