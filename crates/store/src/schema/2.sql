-- Which process a flow belongs to: JSON; absent where that is not known.
ALTER TABLE flow ADD COLUMN process TEXT;
