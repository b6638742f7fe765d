"""The configuration engine: from files to a frozen, validated model."""
