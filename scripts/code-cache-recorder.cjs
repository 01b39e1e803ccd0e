/**
 * Preloaded by scripts/code-cache.mjs into every process and thread of a command: when it ends, writes the bytecode of each file of
 * the bundle that it ran, with the functions that were called, into a folder of its own below HACKTREE_RECORD.
 */
const fs = require('node:fs');
const { basename, join } = require('node:path');
const vm = require('node:vm');
const { threadId } = require('node:worker_threads');
const koffi = require('koffi');

const scripts = new Map();
const { Script } = vm;
vm.Script = class extends Script {
  constructor(text, options) {
    super(text, options);
    scripts.set(basename(options.filename, '.js'), this);
  }
};

// A command ends by _exit(2), which runs no handlers.
const loadLibrary = koffi.load;
koffi.load = (...args) => {
  const library = loadLibrary(...args);
  const declare = library.func.bind(library);
  library.func = (prototype) => (prototype.startsWith('void _exit(') ? (status) => process.exit(status) : declare(prototype));
  return library;
};

process.on('exit', () => {
  const folder = join(process.env.HACKTREE_RECORD, `${process.pid}-${threadId}`);
  fs.mkdirSync(folder);
  for (const [name, script] of scripts) fs.writeFileSync(join(folder, name), script.createCachedData());
});
