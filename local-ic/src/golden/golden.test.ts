import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { findCases, readCase } from './files.js';
import { playCase } from './play.js';

/** Recorded cases that are small: some of each topic (fixtures/golden/README.md). */
const folder = findCases(fileURLToPath(new URL('../../fixtures/golden/', import.meta.url)));
const cases = folder.caseFiles.map(readCase);
const topics = [...new Set(cases.map(({ topic }) => topic))];

describe.each(topics)('recorded on a real server: %s', (topic) => {
  test.each(cases.filter((golden) => golden.topic === topic))('$name', (golden) => {
    expect(playCase(golden, { costs: '2025-10', modules: folder.modules })).toEqual([]);
  });
});
