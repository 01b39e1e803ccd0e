/** Tests are compiled by tsc into build/ and run there as native ES modules. */
import { testScratch } from './scripts/test-scratch.mjs';

process.env.TMPDIR = testScratch();

export default {
  rootDir: 'build/test',
  testMatch: ['**/*.test.js'],
  transform: {},
  testSequencer: '<rootDir>/../../scripts/slow-first.mjs',
  testTimeout: 60_000,
  injectGlobals: false,
};
