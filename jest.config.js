/** Tests are compiled by tsc into build/ and run there as native ES modules. */
import { testScratch } from './scripts/test-scratch.mjs';

process.env.TMPDIR = testScratch();

export default {
  rootDir: 'build/test',
  testMatch: ['**/*.test.js'],
  transform: {},
  testTimeout: 60_000,
  injectGlobals: false,
};
